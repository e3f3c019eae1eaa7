import CoordinatorService
import Dispatch
import Federation
import Foundation
import Learning
import RunRecords
import Synchronization

/// What the runs of a sweep need not make again.
struct SimulationInputs {
    private var data:
        (plan: DataPlan, directory: String, client: String?, isNatural: Bool, read: ReadData)?
    private var first: (lesson: Lesson, model: FirstModel)?

    /// A data directory, read, and its digests, which are being made meanwhile.
    struct ReadData {
        let data: SimulationData
        /// Nil when nothing is recorded.
        let digests: Digests?
    }

    /// What a first model follows from.
    private struct Lesson: Equatable {
        let data: DataPlan
        let layers: [LayerPlan]
        let objective: TrainingPlan.Objective
        let teacher: TeacherPlan
        let distillation: DistillationPlan
        let directory: String
        let seed: UInt64
        let arithmetic: StudentTrainer.Arithmetic
    }

    /// Reads the data that `options` name, unless the run before had the same.
    ///
    /// - Throws: as `SimulationFiles` and `SimulationData`.
    mutating func data(
        _ options: RunOptions, plan: Plan, isNatural: Bool, isRecorded: Bool
    ) throws(Fault) -> ReadData {
        if let data, data.plan == plan.data, data.directory == options.data,
            data.isNatural == isNatural, data.client == options.client
        {
            return data.read
        }
        let files = try SimulationFiles(
            in: options.data, plan: plan, isNatural: isNatural, client: options.client,
            isCold: options.cold)
        let digests = isRecorded ? Digests(of: files) : nil
        let result = ReadData(
            data: try SimulationData(reading: files, plan: plan), digests: digests)
        data = (plan.data, options.data, options.client, isNatural, result)
        return result
    }

    /// The model that `make` makes, unless the run before began with the same.
    ///
    /// - Throws: what `make` throws.
    mutating func firstModel(
        _ options: RunOptions, plan: Plan, seed: UInt64,
        _ make: () throws(Fault) -> FirstModel
    ) throws(Fault) -> FirstModel {
        let lesson = Lesson(
            data: plan.data, layers: plan.layers, objective: plan.training.objective,
            teacher: plan.teacher, distillation: plan.distillation, directory: options.data,
            seed: seed, arithmetic: options.arithmetic)
        if let first, first.lesson == lesson { return first.model }
        let model = try make()
        first = (lesson, model)
        return model
    }
}

/// The digests of a run's data, made while it is read and beside the rounds.
final class Digests: Sendable {
    private let group = DispatchGroup()
    private let result = Mutex<Result<[RecordedSplit], Fault>?>(nil)

    init(of files: SimulationFiles) {
        group.enter()
        // Not one of Dispatch's threads: while one of those is busy, a round gets one less.
        Thread.detachNewThread { [self] in
            let digests = Result { () throws(Fault) in try files.digests() }
            result.withLock { $0 = digests }
            group.leave()
        }
    }

    /// The digests, if they are there already.
    var made: [RecordedSplit]? { result.withLock { try? $0?.get() } }

    /// The digests, once they are there.
    ///
    /// - Throws: `Fault` when a file cannot be read.
    func wait() throws(Fault) -> [RecordedSplit] {
        group.wait()
        return try result.withLock { $0 }?.get() ?? []
    }
}

extension RunOptions {
    var arithmetic: StudentTrainer.Arithmetic { float32 ? .float32 : .int8 }
}
