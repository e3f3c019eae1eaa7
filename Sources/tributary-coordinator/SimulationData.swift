import CoordinatorService
import Cryptography
import DataSets
import Federation
import Foundation
import Learning
import RunRecords
import Simulation

/// What `simulate` reads from its data directory.
struct SimulationData: Sendable {
    /// Every agent's examples.
    let train: ResidentExamples
    /// nil without a split of that name.
    let test: ResidentExamples?
    /// nil without a split of that name, or when nobody will look at it.
    let publicFiles: SplitFiles?
    /// Rows that were left out.
    let warnings: [String]
    /// Paths of all that was or may be read, from `directory`, each split's.
    private let files: [(split: String, paths: [String])]
    private let directory: String

    /// Reads the training examples, or each folder in clients/ in the order of their names, and the
    /// test examples if there are any.
    ///
    /// - Parameters:
    ///   - client: the only folder in clients/ to read; nil for all.
    ///   - isCold: whether nobody will look at public examples.
    /// - Throws: `Fault` naming the directory or file that is missing or does not fit the plan.
    static func read(
        _ directory: String, plan: Plan, isNatural: Bool, client: String? = nil,
        isCold: Bool
    ) throws(Fault) -> SimulationData {
        var reader = Reader(plan: plan)
        let train = try trainFiles(
            directory, plan: plan, isNatural: isNatural, client: client)
        let test = try SplitFiles.find(.test, in: directory, plan: plan.data)
        let publicFiles =
            isCold ? nil : try SplitFiles.find(.public, in: directory, plan: plan.data)
        var trained: [String] = []
        for part in train { trained += try part.paths() }
        var files = [(split: "train", paths: trained)]
        if let test { files.append((split: "test", paths: try test.paths())) }
        if let publicFiles { files.append((split: "public", paths: try publicFiles.paths())) }
        return SimulationData(
            // What a device holds out it never trains on.
            train: try reader.read(
                train,
                plan.data.heldOut > 0 ? .training(heldOut: plan.data.heldOut) : .all),
            test: try test.map { (part) throws(Fault) in try reader.read([part]) },
            publicFiles: publicFiles, warnings: reader.warnings, files: files,
            directory: directory)
    }

    /// The public examples for distillation after rounds; nil when the plan does not want it.
    ///
    /// - Throws: `Fault` when they cannot be read, do not fit the plan, or none is held out.
    func teaching(_ teacher: Teacher, plan: Plan) throws(Fault) -> SimulatedTeaching? {
        guard let publicFiles else { return nil }
        var plan = plan
        plan.data = publicFiles.plan
        var examples = try PublicExamples(directory: publicFiles.directory, plan: plan)
        guard var source = examples.heldOut else { return nil }
        var training = ResidentExamples(features: plan.data.features)
        try training.append(&examples.training)
        var heldOut = ResidentExamples(features: plan.data.features)
        try heldOut.append(&source)
        return SimulatedTeaching(teacher: teacher, training: training, heldOut: heldOut)
    }

    /// The digests of all files, for a run's record.
    ///
    /// - Throws: `Fault` when one cannot be read.
    func digests() throws(Fault) -> [RecordedSplit] {
        var parts: [RecordedSplit] = []
        for (split, paths) in files {
            var digests: [RecordedSplit.File] = []
            for path in paths {
                let attributes = try? FileManager.default.attributesOfItem(atPath: path)
                digests.append(
                    RecordedSplit.File(
                        path: String(
                            decoding: path.utf8.dropFirst(directory.utf8.count + 1), as: UTF8.self),
                        bytes: (attributes?[.size] as? Int) ?? 0,
                        sha256: try SHA256.digest(ofFile: path).hex))
            }
            parts.append(RecordedSplit(name: split, files: digests))
        }
        return parts
    }

    private static func trainFiles(
        _ directory: String, plan: Plan, isNatural: Bool, client: String?
    ) throws(Fault) -> [SplitFiles] {
        guard client == nil || isNatural else {
            throw Fault(
                .invalid, "one client can be chosen only where each has data of its own",
                remedy: "add --partition natural")
        }
        guard !isNatural else {
            return try clientFolders(directory, only: client).map {
                SplitFiles(directory: $0, plan: plan.data)
            }
        }
        if let files = try SplitFiles.find(.train, in: directory, plan: plan.data) {
            return [files]
        }
        throw Fault(
            .notFound,
            "there is neither a folder \(directory)/train nor a file that begins like it",
            remedy: "put the examples there: in the plan's form, as IDX files"
                + " (train-images-idx3-ubyte, train-labels-idx1-ubyte), or as train.csv")
    }

    private static func clientFolders(
        _ directory: String, only client: String?
    ) throws(Fault) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/clients"))
        let folders = (names ?? []).filter { !$0.hasPrefix(".") }.sorted()
        if let client {
            guard folders.contains(client) else {
                throw Fault(
                    .notFound, "\(directory)/clients has no '\(client)'",
                    remedy: "choose one of \(folders.joined(separator: ", "))")
            }
            return ["\(directory)/clients/\(client)"]
        }
        guard !folders.isEmpty else {
            throw Fault(
                .notFound, "\(directory)/clients holds no agent's data",
                remedy: "give every agent a folder there, or choose another partition")
        }
        return folders.map { "\(directory)/clients/\($0)" }
    }

    private struct Reader {
        let plan: Plan
        var warnings: [String] = []

        mutating func read(
            _ parts: [SplitFiles], _ part: DataPart = .all
        ) throws(Fault) -> ResidentExamples {
            var examples = ResidentExamples(
                features: plan.data.features, targets: plan.data.targets?.columns.count ?? 0)
            for files in parts {
                let source = try DataSet.open(
                    directory: files.directory, plan: files.plan, part: part)
                try examples.append(source)
                if source.unreadable > 0 {
                    warnings.append(
                        "\(files.directory): \(source.unreadable) rows were left out; the first: "
                            + (source.firstUnreadable ?? "unknown"))
                }
            }
            return examples
        }
    }
}
