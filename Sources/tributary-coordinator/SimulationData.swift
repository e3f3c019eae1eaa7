import CoordinatorService
import DataSets
import Federation
import Foundation
import Learning
import Simulation

/// What `simulate` reads from its data directory.
struct SimulationData {
    /// Every agent's examples.
    let train: ResidentExamples
    /// nil without a folder of that name.
    let test: ResidentExamples?
    let testDirectory: String?
    let publicDirectory: String?
    /// Rows that were left out.
    let warnings: [String]

    /// Reads train/, or each folder in clients/ in the order of their names, and test/ if it is
    /// there.
    ///
    /// - Throws: `Fault` naming the directory or file that is missing or does not fit the plan.
    static func read(
        _ directory: String, plan: Plan, isNatural: Bool
    ) throws(Fault) -> SimulationData {
        var reader = Reader(plan: plan)
        let train =
            isNatural
            ? try reader.read(try clientFolders(directory))
            : try reader.read(["\(directory)/train"])
        let testDirectory = folder("test", in: directory)
        let test =
            if let testDirectory { try reader.read([testDirectory]) } else {
                ResidentExamples?.none
            }
        return SimulationData(
            train: train, test: test, testDirectory: testDirectory,
            publicDirectory: folder("public", in: directory), warnings: reader.warnings)
    }

    /// The public examples for distillation after rounds; nil when the plan does not want it.
    ///
    /// - Throws: `Fault` when they cannot be read, do not fit the plan, or none is held out.
    func teaching(_ teacher: Teacher, plan: Plan) throws(Fault) -> SimulatedTeaching? {
        guard let publicDirectory else { return nil }
        var examples = try PublicExamples(directory: publicDirectory, plan: plan)
        guard var source = examples.heldOut else { return nil }
        var training = ResidentExamples(features: plan.data.features)
        try training.append(&examples.training)
        var heldOut = ResidentExamples(features: plan.data.features)
        try heldOut.append(&source)
        return SimulatedTeaching(teacher: teacher, training: training, heldOut: heldOut)
    }

    private static func folder(_ name: String, in directory: String) -> String? {
        let path = "\(directory)/\(name)"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    private static func clientFolders(_ directory: String) throws(Fault) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/clients"))
        let folders = (names ?? []).filter { !$0.hasPrefix(".") }.sorted()
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

        mutating func read(_ directories: [String]) throws(Fault) -> ResidentExamples {
            var examples = ResidentExamples(
                features: plan.data.features, targets: plan.data.targets?.columns.count ?? 0)
            for directory in directories {
                var source = try DataSet.open(directory: directory, plan: plan.data)
                try examples.append(&source)
                if source.unreadable > 0 {
                    warnings.append(
                        "\(directory): \(source.unreadable) rows were left out; the first: "
                            + (source.firstUnreadable ?? "unknown"))
                }
            }
            return examples
        }
    }
}
