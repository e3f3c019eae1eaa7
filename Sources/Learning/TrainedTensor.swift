import Federation
import Glibc
import Kernels

/// How one step of training moves parameters.
struct Descent: Sendable {
    let optimizer: TrainingPlan.Optimizer
    let learningRate: Float
    let weightDecay: Float
    /// Steps so far, this one included.
    let count: Int

    init(_ training: TrainingPlan, learningRate: Float, count: Int) {
        optimizer = training.optimizer
        self.learningRate = learningRate
        weightDecay = training.weightDecay
        self.count = count
    }
}

/// Parameters that move together, with their gradient and what the optimiser remembers of them.
struct TrainedTensor: Sendable {
    private(set) var values: [Float]
    /// The loss's gradient by `values`; whoever runs the backward pass fills it.
    var gradient: [Float]
    /// SGD's velocity or Adam's mean gradient.
    private var mean: [Float]
    /// Adam's mean squared gradient; else empty.
    private var square: [Float]
    /// Where FedProx pulls to; empty without it.
    private let start: [Float]
    private let decays: Bool

    /// - Parameter decays: whether weight decay applies: to weights, not to biases and scales.
    init(_ values: [Float], training: TrainingPlan, decays: Bool) {
        self.values = values
        self.decays = decays
        gradient = [Float](repeating: 0, count: values.count)
        mean = gradient
        if case .adamW = training.optimizer { square = gradient } else { square = [] }
        start = training.proximalMu > 0 ? values : []
    }

    /// Adds FedProx's gradient mu (values - start).
    mutating func pull(_ mu: Float) {
        for index in start.indices { gradient[index] += mu * (values[index] - start[index]) }
    }

    var squaredGradientNorm: Double {
        gradient.reduce(0) { $0 + Double($1) * Double($1) }
    }

    mutating func clearGradient() {
        for index in gradient.indices { gradient[index] = 0 }
    }

    mutating func scaleGradient(_ factor: Float) {
        for index in gradient.indices { gradient[index] *= factor }
    }

    /// One step along `gradient`, which is overwritten.
    mutating func descend(_ descent: Descent) {
        let decay = decays ? descent.weightDecay : 0
        switch descent.optimizer {
        case .sgd(let momentum, let nesterov):
            if decay != 0 { Blas.add(values, times: decay, to: &gradient) }
            for index in mean.indices { mean[index] = momentum * mean[index] + gradient[index] }
            if nesterov {
                Blas.add(mean, times: momentum, to: &gradient)
                move(along: gradient, descent.learningRate)
            } else {
                move(along: mean, descent.learningRate)
            }
        case .adamW(let beta1, let beta2, let epsilon):
            let meanShare = 1 - powf(beta1, Float(descent.count))
            let squareShare = 1 - powf(beta2, Float(descent.count))
            for index in values.indices {
                let slope = gradient[index]
                mean[index] = beta1 * mean[index] + (1 - beta1) * slope
                square[index] = beta2 * square[index] + (1 - beta2) * slope * slope
                let step =
                    mean[index] / meanShare / (sqrtf(square[index] / squareShare) + epsilon)
                values[index] -= descent.learningRate * (step + decay * values[index])
            }
        }
    }

    private mutating func move(along direction: [Float], _ learningRate: Float) {
        if decays {
            Blas.add(direction, times: -learningRate, to: &values)
        } else {
            for index in values.indices { values[index] -= learningRate * direction[index] }
        }
    }

    mutating func clamp(_ clamped: (Float) -> Float) {
        for index in values.indices { values[index] = clamped(values[index]) }
    }
}
