import Federation
import Glibc

/// What a training run did.
package struct TrainingReport: Sendable, Equatable {
    /// Rows of the data set, however often each was seen.
    package var examples: Int
    /// Mean loss an example over the last epoch.
    package var meanLoss: Float

    package init(examples: Int, meanLoss: Float) {
        self.examples = examples
        self.meanLoss = meanLoss
    }
}

/// Something that learns from one minibatch after another.
protocol MinibatchLearner {
    var inputs: Int { get }
    /// What it learns of each row, besides the features.
    var answers: Minibatches.Answers { get }
    /// Whether it takes features as bytes, too.
    var takesBytes: Bool { get }

    /// Sees the raw targets of the rows whose step comes next, where it learns them.
    mutating func observe(targets: [Float], rows: Int)

    /// One descent on `rows` examples of raw features [rows x inputs], which it may overwrite, and
    /// classes `labels`.
    ///
    /// - Returns: the loss summed over the examples, before the descent.
    mutating func step(
        features: inout RawFeatures, labels: [Int32], rows: Int, learningRate: Float
    ) -> Float
}

extension MinibatchLearner {
    var takesBytes: Bool { false }
}

extension Loss {
    /// The rows' answers, for a network of `outputs` outputs.
    func answers(outputs: Int) -> Minibatches.Answers {
        switch answers {
        case .labels: .classes(outputs)
        case .targets: .targets(outputs)
        case .none: .none
        }
    }
}

extension TrainingPlan.Schedule {
    /// The learning rate when `progress` in [0, 1] of a run is done; a cosine lets the rounding
    /// noise of the last steps die down.
    func rate(_ base: Float, progress: Double) -> Float {
        switch self {
        case .constant: base
        case .cosine: base * Float(0.5 * (1 + cos(Double.pi * progress)))
        }
    }
}

/// Runs `training.epochs` over `source`, freshly shuffled each, or fewer once the loss no longer
/// falls, and reports progress in [0, 1] after every batch: one may take
/// long, and whoever listens may have a lease to renew or a rule to keep.
///
/// - Throws: `Fault.gone` when `progress` returns false; what it and reading throw.
func train<Source: ExampleSource, Random: RandomSource>(
    _ learner: inout some MinibatchLearner, on source: inout Source, training: TrainingPlan,
    random: inout Random,
    progress: (Double) throws(Fault) -> Bool
) throws(Fault) -> TrainingReport {
    var batches = try Minibatches(
        of: source, inputs: learner.inputs, answers: learner.answers,
        batchSize: training.batchSize, takesBytes: learner.takesBytes)
    let total = batches.count * training.epochs
    var done = 0
    var loss = 0.0
    var patience = Patience(epochs: training.patience)
    for _ in 0..<training.epochs {
        batches.shuffle(&random)
        loss = 0
        for batch in 0..<batches.count {
            let rows = try batches.read(batch, from: &source)
            let rate = training.schedule.rate(
                training.learningRate, progress: Double(done) / Double(total))
            learner.observe(targets: batches.targets, rows: rows)
            loss += Double(
                learner.step(
                    features: &batches.features, labels: batches.labels, rows: rows,
                    learningRate: rate))
            done += 1
            guard try progress(Double(done) / Double(total)) else {
                throw Fault(.gone, "training was stopped before it was done")
            }
        }
        if patience.isExhausted(byLoss: loss) { break }
    }
    return TrainingReport(
        examples: source.count, meanLoss: Float(loss / Double(source.count)))
}

/// Ends training once the loss has not fallen for some epochs.
private struct Patience {
    /// 0 for endless patience.
    let epochs: Int
    private var best = Double.infinity
    private var waited = 0

    init(epochs: Int) { self.epochs = epochs }

    mutating func isExhausted(byLoss loss: Double) -> Bool {
        waited = loss < best ? 0 : waited + 1
        best = min(best, loss)
        return epochs > 0 && waited >= epochs
    }
}
