import Federation
import Glibc
import Kernels

/// How one step of training moves parameters.
struct Descent: Sendable {
    let optimizer: TrainingPlan.Optimizer
    let learningRate: Float
    let weightDecay: Float
    let proximalMu: Float
    /// Steps so far, this one included.
    let count: Int

    init(_ training: TrainingPlan, learningRate: Float, count: Int) {
        optimizer = training.optimizer
        self.learningRate = learningRate
        weightDecay = training.weightDecay
        proximalMu = training.proximalMu
        self.count = count
    }
}

/// Parameters that move together, with their gradient and what the optimiser remembers of them.
package struct TrainedTensor: Sendable {
    package var values: [Float] { tensor.values }
    /// The loss's gradient by `values`; whoever runs the backward pass fills it. Empty where a few
    /// are moved at a time.
    package internal(set) var gradient: [Float]
    /// With SGD's velocity, empty without momentum, or Adam's mean gradient, and with where FedProx
    /// pulls to, empty without it.
    private var tensor: DescendingValues
    /// Adam's mean squared gradient; else empty.
    private var square: [Float]
    private let decays: Bool

    /// - Parameter decays: whether weight decay applies: to weights, not to biases and scales.
    init(_ values: [Float], training: TrainingPlan, decays: Bool) {
        var memory = PlannedMemory()
        self.init(
            count: values.count, training: training, decays: decays, memory: &memory
        ) { values }
    }

    /// - Parameters:
    ///   - keepsGradient: whether `gradient` has room for all values' gradient.
    ///   - values: makes the values to begin with, `count` of them.
    init(
        count: Int, training: TrainingPlan, decays: Bool, keepsGradient: Bool = true,
        memory: inout PlannedMemory, values: () -> [Float]
    ) {
        let made = memory.made(count, values)
        self.decays = decays
        gradient = memory.buffer(0, count: keepsGradient ? count : 0)
        let mean: [Float]
        switch training.optimizer {
        case .sgd(let momentum, _):
            mean = memory.buffer(0, count: momentum > 0 ? count : 0)
            square = []
        case .adamW:
            mean = memory.buffer(0, count: count)
            square = memory.buffer(0, count: count)
        }
        // A copy now: a shared buffer would be copied in the first step.
        let start = training.proximalMu > 0 ? memory.made(count) { made.map { $0 } } : []
        tensor = DescendingValues(values: made, velocity: mean, start: start)
    }

    /// Adds FedProx's gradient mu (values - start).
    mutating func pull(_ mu: Float) {
        for index in tensor.start.indices {
            gradient[index] += mu * (tensor.values[index] - tensor.start[index])
        }
    }

    var squaredGradientNorm: Double {
        gradient.reduce(0) { $0 + Double($1) * Double($1) }
    }

    mutating func scaleGradient(_ factor: Float) {
        for index in gradient.indices { gradient[index] *= factor }
    }

    /// Sets the gradient to the sums of the columns of `gradient` [rows x values].
    mutating func differentiate(columnsOf gradient: [Float], rows: Int) {
        precondition(self.gradient.count == values.count)
        DenseTraining.biasGradient(gradient, rows: rows, into: &self.gradient)
    }

    /// One step along `gradient`, which is overwritten.
    mutating func descend(_ descent: Descent) {
        var direction: [Float] = []
        swap(&direction, &gradient)
        move(values.indices, descent, pull: 0, along: &direction)
        swap(&direction, &gradient)
    }

    /// One step of some values along their gradient, with which `gradient` begins and which is
    /// overwritten; FedProx's is added first.
    mutating func descend(_ some: Range<Int>, _ descent: Descent, along gradient: inout [Float]) {
        move(some, descent, pull: tensor.start.isEmpty ? 0 : descent.proximalMu, along: &gradient)
    }

    /// One step of weights, of which `first` is the first, along the gradient that `batch` gives
    /// them; FedProx's is added first. Only with SGD.
    mutating func descend(from first: Int, _ descent: Descent, along batch: DenseBatch) {
        let pull = tensor.start.isEmpty ? 0 : descent.proximalMu
        guard let step = step(descent, pull: pull) else { return }
        tensor.descend(from: first, along: batch, step)
    }

    private func step(_ descent: Descent, pull: Float) -> DescentStep? {
        guard case .sgd(let momentum, let nesterov) = descent.optimizer else { return nil }
        return DescentStep(
            learningRate: descent.learningRate, momentum: momentum,
            nesterov: nesterov && momentum > 0, weightDecay: decays ? descent.weightDecay : 0,
            pull: pull)
    }

    private mutating func move(
        _ some: Range<Int>, _ descent: Descent, pull: Float, along gradient: inout [Float]
    ) {
        if let step = step(descent, pull: pull) {
            tensor.descend(from: some.lowerBound, count: some.count, along: gradient, step)
        } else if case .adamW(let beta1, let beta2, let epsilon) = descent.optimizer {
            let adam = Adam(
                beta1: beta1, beta2: beta2, epsilon: epsilon, count: descent.count,
                learningRate: descent.learningRate, decay: decays ? descent.weightDecay : 0)
            move(some, adam, pull: pull, along: gradient)
        }
    }

    private struct Adam {
        let beta1, beta2, epsilon: Float
        /// Steps so far.
        let count: Int
        let learningRate, decay: Float
    }

    private mutating func move(
        _ some: Range<Int>, _ adam: Adam, pull: Float, along gradient: [Float]
    ) {
        precondition(gradient.count >= some.count && some.upperBound <= values.count)
        precondition(tensor.velocity.count == values.count && square.count == values.count)
        let meanShare = 1 - powf(adam.beta1, Float(adam.count))
        let squareShare = 1 - powf(adam.beta2, Float(adam.count))
        let pulls = !tensor.start.isEmpty && pull != 0
        for index in some {
            var slope = gradient[index - some.lowerBound]
            if pulls { slope += pull * (tensor.values[index] - tensor.start[index]) }
            let mean = adam.beta1 * tensor.velocity[index] + (1 - adam.beta1) * slope
            square[index] = adam.beta2 * square[index] + (1 - adam.beta2) * slope * slope
            tensor.velocity[index] = mean
            let step =
                mean / meanShare / (sqrtf(square[index] / squareShare) + adam.epsilon)
            tensor.values[index] -= adam.learningRate * (step + adam.decay * tensor.values[index])
        }
    }

    /// Gives up what only further steps need.
    mutating func forgetSteps() {
        (gradient, tensor.velocity, square, tensor.start) = ([], [], [], [])
    }

    mutating func clamp(_ clamped: (Float) -> Float) {
        for index in tensor.values.indices { tensor.values[index] = clamped(tensor.values[index]) }
    }
}
