import Federation
import Glibc
import Kernels

/// The fp32 weights of a dense layer and the momentum with which SGD moves them.
struct DenseLayer: Sendable {
    let inputs: Int
    let outputs: Int
    /// Outputs x inputs, row-major.
    private(set) var weights: [Float]
    private(set) var bias: [Float]
    private var weightVelocity: [Float]
    private var biasVelocity: [Float]

    init(inputs: Int, outputs: Int, weights: [Float], bias: [Float]) {
        precondition(weights.count == inputs * outputs && bias.count == outputs)
        self.inputs = inputs
        self.outputs = outputs
        self.weights = weights
        self.bias = bias
        weightVelocity = [Float](repeating: 0, count: weights.count)
        biasVelocity = [Float](repeating: 0, count: outputs)
    }

    /// He's uniform initialisation, for layers that feed a ReLU: variance 2 / inputs; biases zero.
    init(inputs: Int, outputs: Int, random: inout some RandomSource) {
        let bound = sqrtf(6 / Float(inputs))
        var weights: [Float] = []
        weights.reserveCapacity(inputs * outputs)
        for _ in 0..<inputs * outputs {
            let unit = Float(random.next() >> 40) / Float(1 << 24)
            weights.append(bound * (2 * unit - 1))
        }
        self.init(
            inputs: inputs, outputs: outputs, weights: weights,
            bias: [Float](repeating: 0, count: outputs))
    }

    /// output [rows x outputs] = input [rows x inputs] W^T + b, then ReLU if asked.
    func forward(_ input: [Float], rows: Int, relu: Bool, into output: inout [Float]) {
        Blas.multiply(
            input, weights, transposeB: true, m: rows, n: outputs, k: inputs, into: &output)
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
            gradient, weights, m: rows, n: inputs, k: outputs, into: &inputGradient)
    }

    /// One step of SGD: velocity = momentum velocity + gradient, weights -= rate velocity.
    ///
    /// - Parameters:
    ///   - gradient: the loss's gradient by this layer's output before the ReLU [rows x outputs].
    ///   - input: what the layer was fed [rows x inputs].
    mutating func descend(
        gradient: [Float], input: [Float], rows: Int, learningRate: Float, momentum: Float
    ) {
        // sgemm adds the gradient to the decayed velocity itself, so no buffer holds the gradient.
        Blas.multiply(
            gradient, transposeA: true, input, m: outputs, n: inputs, k: rows, beta: momentum,
            into: &weightVelocity)
        Blas.add(weightVelocity, times: -learningRate, to: &weights)
        for channel in 0..<outputs {
            var sum: Float = 0
            for row in 0..<rows { sum += gradient[row * outputs + channel] }
            biasVelocity[channel] = momentum * biasVelocity[channel] + sum
            bias[channel] -= learningRate * biasVelocity[channel]
        }
    }
}
