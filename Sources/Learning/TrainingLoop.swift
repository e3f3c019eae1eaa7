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
    var classes: Int { get }

    /// One descent on `rows` examples of raw features [rows x inputs], which it may overwrite, and
    /// classes `labels`.
    ///
    /// - Returns: the loss summed over the examples, before the descent.
    mutating func step(
        features: inout [Float], labels: [Int32], rows: Int, learningRate: Float
    ) -> Float
}

/// How the learning rate moves over a run.
enum LearningRateSchedule {
    case constant
    /// From the plan's rate to zero along half a cosine: the rounding noise of the last steps dies
    /// down.
    case cosine

    func rate(_ base: Float, progress: Double) -> Float {
        switch self {
        case .constant: base
        case .cosine: base * Float(0.5 * (1 + cos(Double.pi * progress)))
        }
    }
}

/// Runs `training.epochs` over `source`, freshly shuffled each, and reports progress in [0, 1]
/// after every few batches.
///
/// - Throws: `Fault.gone` when `progress` returns false; what it and reading throw.
func train<Source: ExampleSource, Random: RandomSource>(
    _ learner: inout some MinibatchLearner, on source: inout Source, training: TrainingPlan,
    schedule: LearningRateSchedule, random: inout Random,
    progress: (Double) throws(Fault) -> Bool
) throws(Fault) -> TrainingReport {
    /// A progress report costs little, but need not come with every batch.
    let batchesBetweenReports = 8
    var batches = try Minibatches(
        of: source, inputs: learner.inputs, classes: learner.classes, batchSize: training.batchSize)
    let total = batches.count * training.epochs
    var done = 0
    var loss = 0.0
    for _ in 0..<training.epochs {
        batches.shuffle(&random)
        loss = 0
        for batch in 0..<batches.count {
            let rows = try batches.read(batch, from: &source)
            let rate = schedule.rate(
                training.learningRate, progress: Double(done) / Double(total))
            loss += Double(
                learner.step(
                    features: &batches.features, labels: batches.labels, rows: rows,
                    learningRate: rate))
            done += 1
            guard done % batchesBetweenReports != 0 && done != total else {
                if try progress(Double(done) / Double(total)) { continue }
                throw Fault(.gone, "training was stopped before it was done")
            }
        }
    }
    return TrainingReport(
        examples: source.count, meanLoss: Float(loss / Double(source.count)))
}
