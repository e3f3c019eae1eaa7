import DataSets
import Federation
import Foundation
import Kernels
import Learning
import Simulation

/// Made-up bytes in the form of the workload's images, on disk and in memory: how long a step takes
/// does not depend on them.
struct WorkloadExamples {
    let train: ResidentExamples
    private static let trainRows = 60_000
    private static let testRows = 10_000

    init(plan: Plan, folder: URL) throws {
        for (split, rows) in [("train", Self.trainRows), ("test", Self.testRows)] {
            let directory = folder.appending(path: split)
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true)
            guard case .idx(let features, let labels) = plan.data.format else { continue }
            var random = SeededRandom(seed: UInt64(rows))
            try IDX.write(
                file: directory.appending(path: features).path,
                dimensions: [rows, plan.data.features],
                bytes: random.bytes(rows * plan.data.features))
            try IDX.write(
                file: directory.appending(path: labels).path, dimensions: [rows],
                bytes: (0..<rows).map { UInt8($0 % plan.data.classes) })
        }
        var train = ResidentExamples(features: plan.data.features)
        try train.append(
            try DataSet.open(directory: folder.appending(path: "train").path, plan: plan.data))
        self.train = train
    }
}

/// The training that a simulation does, and nothing else: every agent from the same model, one after
/// another.
struct BareLoop {
    private let plan: Plan
    private let shape: StudentShape
    private let model: QuantizedModel
    private var shares: [ExampleSubset]
    private var random = SeededRandom(seed: 1)

    init(plan: Plan, examples: WorkloadExamples) throws {
        Blas.useOneThread()
        self.plan = plan
        shape = try StudentShape(plan: plan)
        let normalisation = Normalisation(plan: plan.data)
        var parameters = initialParameters(shape, random: &random)
        let rows = (0..<examples.train.count).shuffled(using: &random)
        var all = examples.train.subset(rows[...])
        try calibrate(
            &parameters, shape: shape, normalisation: normalisation, on: &all, random: &random)
        model = try QuantizedModel(
            parameters: parameters, shape: shape, normalisation: normalisation)
        let share = rows.count / SimulateOverBareLoop.agents
        shares = (0..<SimulateOverBareLoop.agents).map {
            examples.train.subset(rows[$0 * share..<($0 + 1) * share])
        }
    }

    /// What training as many agents as take part in a run takes on one thread.
    mutating func seconds() throws -> (wall: Double, processor: Double) {
        let clock = ContinuousClock()
        let start = clock.now
        let before = SimulateOverBareLoop.processorSeconds(of: RUSAGE_SELF)
        try train(SimulateOverBareLoop.rounds * SimulateOverBareLoop.selected)
        let processor = SimulateOverBareLoop.processorSeconds(of: RUSAGE_SELF) - before
        return ((clock.now - start) / .seconds(1), processor)
    }

    /// What the same takes when each core trains its share: less than so many times as fast, where cores
    /// share caches, memory or a clock.
    func seconds(onCores cores: Int) -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        let share = SimulateOverBareLoop.rounds * SimulateOverBareLoop.selected / cores
        DispatchQueue.concurrentPerform(iterations: cores) { _ in
            var loop = self
            try? loop.train(share)
        }
        return (clock.now - start) / .seconds(1)
    }

    private mutating func train(_ count: Int) throws {
        for index in 0..<count {
            var trainer = try StudentTrainer(shape: shape, model: model, training: plan.training)
            _ = try trainer.train(on: &shares[index % shares.count], random: &random) {
                _ throws(Fault) in true
            }
        }
    }
}
