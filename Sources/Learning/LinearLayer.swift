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

    /// - Parameters:
    ///   - keepsGradient: whether there is room for the gradient of all weights.
    ///   - weights, bias: make what training starts from.
    init(
        inputs: Int, outputs: Int, training: TrainingPlan, keepsGradient: Bool,
        memory: inout PlannedMemory, weights: () -> [Float], bias: () -> [Float]
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.weights = TrainedTensor(
            count: inputs * outputs, training: training, decays: true,
            keepsGradient: keepsGradient, memory: &memory, values: weights)
        self.bias = TrainedTensor(
            count: outputs, training: training, decays: false, memory: &memory, values: bias)
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
