import Federation
import Learning
import Synchronization

/// What one model scores on the test examples, in tasks that any thread may run in any order.
final class Measurement: Sendable {
    private let model: SimulatedModel
    private let objective: TrainingPlan.Objective
    private let examples: ResidentExamples
    private let rows: [Int]
    private let rowsAtATime: Int
    /// A classifier ready to run, made by the first task that needs it.
    private let classifier = Mutex<Predictor?>(nil)
    private let tally = Mutex((score: 0.0, failures: FirstFault()))

    init(
        of model: SimulatedModel, objective: TrainingPlan.Objective, on examples: ResidentExamples
    ) {
        self.model = model
        self.objective = objective
        self.examples = examples
        rows = Array(0..<examples.count)
        // A ranking is of all examples at once.
        rowsAtATime = objective == .classification ? 1000 : max(1, examples.count)
    }

    /// How many tasks there are.
    var parts: Int { (rows.count + rowsAtATime - 1) / rowsAtATime }

    /// Runs one of them.
    func measure(_ index: Int) {
        let start = index * rowsAtATime
        var part = examples.subset(rows[start..<min(start + rowsAtATime, rows.count)])
        do throws(Fault) {
            let score = try measure(&part) * Double(part.count)
            // Whole numbers of correct answers, so that the order of adding leaves no trace.
            tally.withLock { $0.score += objective == .classification ? score.rounded() : score }
        } catch {
            tally.withLock { $0.failures.note(error, at: index) }
        }
    }

    private func measure(_ part: inout ExampleSubset) throws(Fault) -> Double {
        guard case .int8(let model) = model, objective == .classification else {
            return try model.measure(objective, on: &part)
        }
        var classifier = classifier.withLock { classifier in
            let ready = classifier ?? Predictor(model)
            classifier = ready
            return ready
        }
        return try classifier.accuracy(on: &part)
    }

    /// The score, once every task has run.
    ///
    /// - Throws: `Fault.invalid` when the examples do not fit the model.
    func score() throws(Fault) -> Double {
        let result = tally.withLock { $0 }
        if let fault = result.failures.fault { throw fault }
        return result.score / Double(rows.count)
    }
}
