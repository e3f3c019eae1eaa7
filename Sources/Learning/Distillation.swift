package import Federation
import Glibc
import Kernels

/// The first student's parameters: random weights, activation scales measured on data, then
/// quantisation-aware training against the teacher's softened outputs and the labels, the learning
/// rate falling to zero along a cosine.
///
/// - Parameter progress: called with the finished share in [0, 1] every few batches; false stops.
/// - Throws: `Fault.invalid` when the data does not fit the plan or training diverged; `Fault.gone`
///   when stopped; what reading and `progress` throw.
package func distil<Source: ExampleSource, Random: RandomSource>(
    teacher: Teacher, plan: Plan, on source: inout Source, random: inout Random,
    progress: (Double) throws(Fault) -> Bool
) throws(Fault) -> [Float] {
    let shape = StudentShape(plan: plan)
    let normalisation = Normalisation(plan: plan.data)
    try normalisation.check(features: shape.inputs)
    var layers: [DenseLayer] = []
    for (inputs, outputs) in zip(shape.widths, shape.widths.dropFirst()) {
        layers.append(DenseLayer(inputs: inputs, outputs: outputs, random: &random))
    }
    let logScales = try calibratedLogScales(
        layers, shape: shape, normalisation: normalisation, on: &source, random: &random)
    var trainer = StudentTrainer(
        shape: shape, normalisation: normalisation,
        parameters: layers.flatMap { $0.weights + $0.bias } + logScales,
        training: plan.distillation.training)
    _ = try trainer.run(
        DistillationLoss(teacher: teacher, plan: plan.distillation), schedule: .cosine,
        on: &source, random: &random, progress: progress)
    return trainer.parameters
}

/// Logarithms of the scales with which the largest activation on a few batches just fits: of the
/// input, then of each layer's output, as fp32 computes them.
private func calibratedLogScales(
    _ layers: [DenseLayer], shape: StudentShape, normalisation: Normalisation,
    on source: inout some ExampleSource, random: inout some RandomSource
) throws(Fault) -> [Float] {
    let calibrationBatches = 8
    var batches = try Minibatches(
        of: source, inputs: shape.inputs, classes: shape.classes, batchSize: 64)
    batches.shuffle(&random)
    var largest = [Float](repeating: 0, count: shape.widths.count)
    for batch in 0..<min(calibrationBatches, batches.count) {
        let rows = try batches.read(batch, from: &source)
        var values = batches.features
        Int8Kernels.normalise(
            &values, rows: rows, features: shape.inputs, offset: normalisation.offset,
            scale: normalisation.scale)
        for index in shape.widths.indices {
            if index > 0 {
                var output = [Float](repeating: 0, count: rows * shape.widths[index])
                layers[index - 1].forward(
                    values, rows: rows, relu: shape.relu[index - 1], into: &output)
                values = output
            }
            for value in values.prefix(rows * shape.widths[index]) {
                largest[index] = max(largest[index], value.magnitude)
            }
        }
    }
    return largest.enumerated().map { index, magnitude in
        let steps: Float = shape.zeroPoint(activation: index) == 0 ? 127 : 255
        return LogScale.clamped(logf(magnitude / steps))
    }
}

/// alpha CE + (1 - alpha) T^2 KL(softmax(teacher / T) || softmax(student / T)).
package struct DistillationLoss: Loss {
    private var teacher: Teacher
    private let temperature: Float
    private let alpha: Float
    private let labelLoss: CrossEntropy
    /// Softened probabilities of the teacher and of the student for the current batch [rows x
    /// classes].
    private var targets: [Float] = []
    private var guesses: [Float] = []

    package init(teacher: Teacher, plan: DistillationPlan) {
        self.teacher = teacher
        temperature = plan.temperature
        alpha = plan.alpha
        labelLoss = CrossEntropy(classes: teacher.classes)
    }

    package mutating func observe(raw: [Float], rows: Int) {
        targets = teacher.logits(raw: raw, rows: rows)
        softmax(&targets, rows: rows, classes: teacher.classes, temperature: temperature)
    }

    package mutating func gradient(
        logits: [Float], labels: [Int32], rows: Int, classes: Int, into gradient: inout [Float]
    ) -> Float {
        var loss =
            alpha
            * labelLoss.gradient(
                logits: logits, labels: labels, rows: rows, classes: classes, into: &gradient)
        guesses = logits
        softmax(&guesses, rows: rows, classes: classes, temperature: temperature)
        // T^2 times the derivative of KL by a logit, which is (guess - target) / T.
        let share = (1 - alpha) * temperature / Float(rows)
        let weight = (1 - alpha) * temperature * temperature
        for index in 0..<rows * classes {
            let (target, guess) = (targets[index], guesses[index])
            gradient[index] = alpha * gradient[index] + share * (guess - target)
            if target > 0 {
                loss += weight * target * logf(target / max(guess, .leastNormalMagnitude))
            }
        }
        return loss
    }
}
