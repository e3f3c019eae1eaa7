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
    package private(set) var values: [Float]
    /// The loss's gradient by `values`; whoever runs the backward pass fills it. Empty where a few
    /// are moved at a time.
    package internal(set) var gradient: [Float]
    /// SGD's velocity, empty without momentum, or Adam's mean gradient.
    private var mean: [Float]
    /// Adam's mean squared gradient; else empty.
    private var square: [Float]
    /// Where FedProx pulls to; empty without it.
    private var start: [Float]
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
        self.values = made
        self.decays = decays
        gradient = memory.buffer(0, count: keepsGradient ? count : 0)
        switch training.optimizer {
        case .sgd(let momentum, _):
            mean = memory.buffer(0, count: momentum > 0 ? count : 0)
            square = []
        case .adamW:
            mean = memory.buffer(0, count: count)
            square = memory.buffer(0, count: count)
        }
        // A copy now: a shared buffer would be copied in the first step.
        start = training.proximalMu > 0 ? memory.made(count) { made.map { $0 } } : []
    }

    /// Adds FedProx's gradient mu (values - start).
    mutating func pull(_ mu: Float) {
        for index in start.indices { gradient[index] += mu * (values[index] - start[index]) }
    }

    var squaredGradientNorm: Double {
        gradient.reduce(0) { $0 + Double($1) * Double($1) }
    }

    mutating func scaleGradient(_ factor: Float) {
        for index in gradient.indices { gradient[index] *= factor }
    }

    /// Sets the gradient to the sums of the columns of `gradient` [rows x values].
    mutating func differentiate(columnsOf gradient: [Float], rows: Int) {
        let width = values.count
        precondition(gradient.count >= rows * width && self.gradient.count == width)
        self.gradient.withUnsafeMutableBufferPointer { sums in
            gradient.withUnsafeBufferPointer { gradient in
                for column in 0..<width { sums[column] = 0 }
                for row in 0..<rows {
                    for column in 0..<width { sums[column] += gradient[row * width + column] }
                }
            }
        }
    }

    /// One step along `gradient`, which is overwritten.
    mutating func descend(_ descent: Descent) {
        var direction: [Float] = []
        swap(&direction, &gradient)
        move(values.indices, descent, along: &direction)
        swap(&direction, &gradient)
    }

    /// One step of some values along their gradient, with which `gradient` begins and which is
    /// overwritten; FedProx's is added first.
    mutating func descend(_ some: Range<Int>, _ descent: Descent, along gradient: inout [Float]) {
        if !start.isEmpty {
            let mu = descent.proximalMu
            for index in some {
                gradient[index - some.lowerBound] += mu * (values[index] - start[index])
            }
        }
        move(some, descent, along: &gradient)
    }

    private mutating func move(
        _ some: Range<Int>, _ descent: Descent, along gradient: inout [Float]
    ) {
        let decay = decays ? descent.weightDecay : 0
        let first = some.lowerBound
        switch descent.optimizer {
        case .sgd(let momentum, let nesterov):
            if decay != 0 { Blas.add(values, some, times: decay, to: &gradient, from: 0) }
            guard momentum > 0 else {
                return move(some, along: gradient, from: 0, descent.learningRate)
            }
            accelerate(some, along: gradient, momentum)
            if nesterov {
                Blas.add(mean, some, times: momentum, to: &gradient, from: 0)
                move(some, along: gradient, from: 0, descent.learningRate)
            } else {
                move(some, along: mean, from: first, descent.learningRate)
            }
        case .adamW(let beta1, let beta2, let epsilon):
            let meanShare = 1 - powf(beta1, Float(descent.count))
            let squareShare = 1 - powf(beta2, Float(descent.count))
            for index in some {
                let slope = gradient[index - first]
                mean[index] = beta1 * mean[index] + (1 - beta1) * slope
                square[index] = beta2 * square[index] + (1 - beta2) * slope * slope
                let step =
                    mean[index] / meanShare / (sqrtf(square[index] / squareShare) + epsilon)
                values[index] -= descent.learningRate * (step + decay * values[index])
            }
        }
    }

    private mutating func accelerate(
        _ some: Range<Int>, along gradient: [Float], _ momentum: Float
    ) {
        precondition(gradient.count >= some.count && some.upperBound <= mean.count)
        let first = some.lowerBound
        mean.withUnsafeMutableBufferPointer { mean in
            gradient.withUnsafeBufferPointer { gradient in
                for index in 0..<some.count {
                    mean[first + index] = momentum * mean[first + index] + gradient[index]
                }
            }
        }
    }

    private mutating func move(
        _ some: Range<Int>, along direction: [Float], from start: Int, _ learningRate: Float
    ) {
        if decays {
            Blas.add(
                direction, start..<start + some.count, times: -learningRate, to: &values,
                from: some.lowerBound)
        } else {
            for index in some {
                values[index] -= learningRate * direction[start + index - some.lowerBound]
            }
        }
    }

    /// Gives up what only further steps need.
    mutating func forgetSteps() { (gradient, mean, square, start) = ([], [], [], []) }

    mutating func clamp(_ clamped: (Float) -> Float) {
        for index in values.indices { values[index] = clamped(values[index]) }
    }
}
