import Federation
import Glibc
import Kernels

/// The fp32 weights and bias of a layer that sums products: of the features in a dense layer, of a
/// patch in a convolution.
struct LinearLayer: Sendable {
    /// Products an output sums.
    let inputs: Int
    let outputs: Int
    /// Outputs x inputs, row-major.
    var weights: TrainedTensor
    var bias: TrainedTensor

    init(weights: [Float], bias: [Float], training: TrainingPlan) {
        precondition(weights.count.isMultiple(of: bias.count))
        inputs = weights.count / bias.count
        outputs = bias.count
        self.weights = TrainedTensor(weights, training: training, decays: true)
        self.bias = TrainedTensor(bias, training: training, decays: false)
    }

    /// output [rows x outputs] = input [rows x inputs] W^T + b, then ReLU if asked.
    func forward(_ input: [Float], rows: Int, relu: Bool, into output: inout [Float]) {
        Blas.multiply(
            input, weights.values, transposeB: true, m: rows, n: outputs, k: inputs, into: &output)
        let bias = bias.values
        for row in 0..<rows {
            for channel in 0..<outputs {
                let value = output[row * outputs + channel] + bias[channel]
                output[row * outputs + channel] = relu ? max(value, 0) : value
            }
        }
    }

    /// inputGradient [rows x inputs] = gradient [rows x outputs] W.
    func propagate(_ gradient: [Float], rows: Int, into inputGradient: inout [Float]) {
        Blas.multiply(
            gradient, weights.values, m: rows, n: inputs, k: outputs, into: &inputGradient)
    }

    /// Sets the gradients of weights and bias, or adds to them.
    ///
    /// - Parameters:
    ///   - gradient: the loss's by this layer's output before the ReLU [rows x outputs].
    ///   - input: what the layer was fed [rows x inputs].
    mutating func differentiate(
        gradient: [Float], input: [Float], rows: Int, adding: Bool = false
    ) {
        Blas.multiply(
            gradient, transposeA: true, input, m: outputs, n: inputs, k: rows,
            beta: adding ? 1 : 0, into: &weights.gradient)
        if !adding { bias.clearGradient() }
        addBias(gradient: gradient, rows: rows)
    }

    mutating func clearGradient() {
        weights.clearGradient()
        bias.clearGradient()
    }

    /// Adds to the gradient of the bias.
    mutating func addBias(gradient: [Float], rows: Int) {
        for row in 0..<rows {
            for channel in 0..<outputs {
                bias.gradient[channel] += gradient[row * outputs + channel]
            }
        }
    }

    mutating func descend(_ descent: Descent) {
        weights.descend(descent)
        bias.descend(descent)
    }
}

/// He's uniform initialisation, for layers that feed a ReLU: `count` weights of variance 2 /
/// `inputs`.
func initialWeights(_ count: Int, inputs: Int, random: inout some RandomSource) -> [Float] {
    let bound = sqrtf(6 / Float(inputs))
    return (0..<count).map { _ in
        let unit = Float(random.next() >> 40) / Float(1 << 24)
        return bound * (2 * unit - 1)
    }
}
