import Cryptography
import DataSets
import Federation
import Foundation
import RunRecords

/// Where `simulate` finds its data.
struct SimulationFiles: Sendable {
    private let directory: String
    /// Every agent's examples, a folder after the other.
    let train: [SplitFiles]
    let test: SplitFiles?
    /// nil without a split of that name, or when nobody will look at it.
    let publicFiles: SplitFiles?
    /// Paths of all that is or may be read, from `directory`, each split's.
    private let all: [(split: String, paths: [String])]

    /// Finds the training examples, or each folder in clients/ in the order of their names, and the
    /// test examples if there are any.
    ///
    /// - Parameters:
    ///   - client: the only folder in clients/ to read; nil for all.
    ///   - isCold: whether nobody will look at public examples.
    /// - Throws: `Fault` naming the directory or file that is missing.
    init(
        in directory: String, plan: Plan, isNatural: Bool, client: String? = nil, isCold: Bool
    ) throws(Fault) {
        self.directory = directory
        train = try Self.trainFiles(
            directory, plan: plan, isNatural: isNatural, client: client)
        test = try SplitFiles.find(.test, in: directory, plan: plan.data)
        publicFiles = isCold ? nil : try SplitFiles.find(.public, in: directory, plan: plan.data)
        var trained: [String] = []
        for part in train { trained += try part.paths() }
        var all = [(split: "train", paths: trained)]
        if let test { all.append((split: "test", paths: try test.paths())) }
        if let publicFiles { all.append((split: "public", paths: try publicFiles.paths())) }
        self.all = all
    }

    /// The digests of all files, for a run's record.
    ///
    /// - Throws: `Fault` when one cannot be read.
    func digests() throws(Fault) -> [RecordedSplit] {
        var parts: [RecordedSplit] = []
        for (split, paths) in all {
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
}
