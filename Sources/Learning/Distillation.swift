package import Federation
import Glibc
import Kernels

/// The first student's parameters: random weights; if the plan says so some epochs in fp32, with
/// batch normalisation, which is then folded into them; activation scales measured on data; and
/// quantisation-aware training, the learning rate falling to zero along a cosine.
///
/// It learns from the teacher's softened outputs and the labels. All layers learn, those that are
/// frozen in rounds too.
///
/// - Parameters:
///   - teacher: nil for a student without one, which learns the plan's objective alone.
///   - progress: called with the finished share in [0, 1] every few batches; false stops.
/// - Throws: `Fault.invalid` when the data does not fit the plan or training diverged; `Fault.gone`
///   when stopped; what reading and `progress` throw.
package func distil<Source: ExampleSource, Random: RandomSource>(
    teacher: Teacher?, plan: Plan, arithmetic: StudentTrainer.Arithmetic = .int8,
    on source: inout Source, random: inout Random,
    progress: (Double) throws(Fault) -> Bool
) throws(Fault) -> [Float] {
    let shape = try StudentShape(warmUpOf: plan)
    let normalisation = Normalisation(plan: plan.data)
    try normalisation.check(features: shape.inputs)
    let lesson = DistillationLesson(teacher: teacher, plan: plan, normalisation: normalisation)
    var parameters = initialParameters(shape, random: &random)
    let warmUp = lesson.plan.warmUpEpochs
    let warmUpShare = Double(warmUp) / Double(warmUp + lesson.plan.training.epochs)
    if warmUp > 0 {
        var training = lesson.plan.training
        training.epochs = warmUp
        parameters = try lesson.trained(
            parameters, shape: shape, training: training, arithmetic: .float32, on: &source,
            random: &random
        ) { (done) throws(Fault) in try progress(warmUpShare * done) }
    }
    try calibrate(
        &parameters, shape: shape, normalisation: normalisation, on: &source, random: &random)
    return try lesson.trained(
        parameters, shape: shape.thawed, training: lesson.plan.training, arithmetic: arithmetic,
        on: &source, random: &random
    ) { (done) throws(Fault) in try progress(warmUpShare + (1 - warmUpShare) * done) }
}

/// What the first student is taught, in whatever arithmetic.
private struct DistillationLesson {
    let teacher: Teacher?
    let plan: DistillationPlan
    let normalisation: Normalisation

    init(teacher: Teacher?, plan: Plan, normalisation: Normalisation) {
        self.teacher = teacher
        self.normalisation = normalisation
        var distillation = plan.distillation
        distillation.training.schedule = .cosine
        distillation.training.objective = plan.training.objective
        self.plan = distillation
    }

    func trained<Source: ExampleSource, Random: RandomSource>(
        _ parameters: [Float], shape: StudentShape, training: TrainingPlan,
        arithmetic: StudentTrainer.Arithmetic, on source: inout Source, random: inout Random,
        progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> [Float] {
        var trainer = StudentTrainer(
            shape: shape, normalisation: normalisation, parameters: parameters, training: training,
            arithmetic: arithmetic)
        if let teacher {
            _ = try trainer.run(
                DistillationLoss(teacher: teacher, plan: plan), section: "distillation",
                on: &source, random: &random, progress: progress)
        } else {
            _ = try trainer.train(on: &source, random: &random, progress: progress)
        }
        return trainer.parameters
    }
}

/// Random weights, biases of zero, and scales of 1.
package func initialParameters(
    _ shape: StudentShape, random: inout some RandomSource
) -> [Float] {
    var parameters = [Float](repeating: 0, count: shape.parameterCount)
    for layer in shape.weightedLayers {
        let range = shape.parameterRanges(layer: layer).weights
        let fanIn = (shape.weightDimensions(layer: layer) ?? []).dropFirst().reduce(1, *)
        parameters.replaceSubrange(
            range, with: initialWeights(range.count, inputs: fanIn, random: &random))
    }
    return parameters
}

/// Sets the activation scales so that the largest activation on a few batches just fits, as fp32
/// computes them.
///
/// - Throws: `Fault.invalid` when the data does not fit; what reading throws.
package func calibrate(
    _ parameters: inout [Float], shape: StudentShape, normalisation: Normalisation,
    on source: inout some ExampleSource, random: inout some RandomSource
) throws(Fault) {
    let calibrationBatches = 8
    let batchSize = 64
    var batches = try Minibatches(
        of: source, inputs: shape.inputs, answers: .none, batchSize: batchSize)
    batches.shuffle(&random)
    var network = FloatNetwork(
        shape: shape, normalisation: normalisation, capacity: batchSize, seed: nil)
    let latent = StudentParameters(
        parameters, shape: shape,
        training: .none)
    var largest = [Float](repeating: 0, count: shape.scaleCount)
    for batch in 0..<min(calibrationBatches, batches.count) {
        let rows = try batches.read(batch, from: &source)
        network.forward(features: &batches.features.values, rows: rows, parameters: latent)
        for (index, values) in network.activations.enumerated() where shape.isEncoded(index) {
            let scale = shape.scaleIndex(activation: index)
            largest[scale] = largestMagnitude(
                values[..<(rows * shape.widths[index])], atLeast: largest[scale])
        }
    }
    for index in shape.activations.indices where shape.isEncoded(index) {
        let scale = shape.scaleIndex(activation: index)
        let steps: Float = shape.zeroPoint(activation: index) == 0 ? 127 : 255
        parameters[shape.logScaleOffset + scale] = LogScale.clamped(logf(largest[scale] / steps))
    }
}

private func largestMagnitude(_ values: ArraySlice<Float>, atLeast least: Float) -> Float {
    values.withUnsafeBufferPointer { values in
        var largest = least
        for value in values { largest = max(largest, value.magnitude) }
        return largest
    }
}

extension StudentShape {
    /// Whether activation `index` has a scale of its own.
    fileprivate func isEncoded(_ index: Int) -> Bool {
        index == 0 || layers[index - 1].kind.hasEncoding
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
