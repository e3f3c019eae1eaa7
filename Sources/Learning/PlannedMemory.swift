package import Federation
import Kernels

/// Where a training session's buffers come from: it makes them and adds up their bytes, or only
/// adds up.
///
/// The number that is known before training and the buffers that training takes so come from the
/// same lines of code.
struct PlannedMemory {
    private(set) var bytes = 0
    private let makesBuffers: Bool

    /// - Parameter makesBuffers: false for what only adds up; its buffers are empty.
    init(makesBuffers: Bool = true) { self.makesBuffers = makesBuffers }

    mutating func buffer<Value>(_ value: Value, count: Int) -> [Value] {
        made(count) { [Value](repeating: value, count: count) }
    }

    /// A buffer of `count` values that `make` makes.
    mutating func made<Value>(_ count: Int, _ make: () -> [Value]) -> [Value] {
        bytes += count * MemoryLayout<Value>.stride
        return makesBuffers ? make() : []
    }

    mutating func matrix(rows: Int, width: Int) -> Int8Matrix {
        bytes += rows * Int8Matrix.stride(width: width)
        return Int8Matrix(rows: makesBuffers ? rows : 0, width: width)
    }

    mutating func roundedInput(
        rows: Int, width: Int, window: ImageWindow?, channels: Int
    ) -> RoundedInput {
        bytes += RoundedInput.byteCount(
            rows: rows, width: width, window: window, channels: channels)
        return RoundedInput(
            rows: makesBuffers ? rows : 0, width: width, window: window, channels: channels)
    }

    mutating func weights(channels: Int, width: Int) -> Int8Weights {
        bytes += Int8Weights.byteCount(channels: channels, width: width)
        return Int8Weights(channels: makesBuffers ? channels : 0, width: width)
    }
}

extension StudentTrainer {
    /// The bytes that training on so many examples takes: all of it before the first step.
    ///
    /// - Throws: `Fault.invalid` when the objective does not fit the student.
    package static func plannedBytes(
        shape: StudentShape, normalisation: Normalisation, training: TrainingPlan, examples: Int
    ) throws(Fault) -> Int {
        switch training.objective {
        case .classification:
            return plannedBytes(CrossEntropy(classes: shape.classes), shape, training, examples)
        case .reconstruction:
            return plannedBytes(
                try Reconstruction(normalisation: normalisation, shape: shape), shape, training,
                examples)
        case .regression:
            return plannedBytes(
                try Regression(normalisation: normalisation, outputs: shape.classes), shape,
                training, examples)
        }
    }

    private static func plannedBytes<Objective: Loss>(
        _ objective: Objective, _ shape: StudentShape, _ training: TrainingPlan, _ examples: Int
    ) -> Int {
        var memory = PlannedMemory(makesBuffers: false)
        if training.lowMemory {
            plan(StudentLearner<Objective, RoundedWeights>.self)
        } else {
            plan(StudentLearner<Objective, LatentWeights>.self)
        }
        _ = Minibatches(
            examples: examples, inputs: shape.inputs,
            answers: objective.answers(outputs: shape.classes), batchSize: training.batchSize,
            memory: &memory)
        return memory.bytes

        func plan<Weights>(_: StudentLearner<Objective, Weights>.Type) {
            _ = StudentLearner<Objective, Weights>(
                shape: shape, normalisation: Normalisation(offset: [0], scale: [1]),
                start: .nothing, training: training, capacity: min(training.batchSize, examples),
                seed: 0, objective: objective, memory: &memory)
        }
    }
}
