package import Federation

/// The widths and activations of a student, and the agreed order of its parameters.
///
/// A parameter vector holds, for each layer l, W_l (outputs x inputs, row-major) and b_l (outputs);
/// after all layers, the natural logarithms of the activation scales: of the input, then of each
/// layer's output.
package struct StudentShape: Sendable, Equatable {
    /// The widest layer whose integer sums stay inside int32 whatever the weights: 255 * 127 *
    /// 32768 < 2^30.
    package static let largestWidth = 32_768

    /// Input, hidden layers, output: `[784, 128, 10]`.
    package let widths: [Int]
    /// Whether each layer ends in a ReLU.
    package let relu: [Bool]

    /// The shape that `plan` asks for; the plan was checked when it was parsed.
    package init(plan: Plan) {
        widths = plan.widths
        relu = plan.layers.map(\.relu)
    }

    /// - Throws: as `check`.
    package init(widths: [Int], relu: [Bool]) throws(Fault) {
        self.widths = widths
        self.relu = relu
        try check()
    }

    /// - Throws: `Fault.invalid` unless there is a layer, every width is 1 to `largestWidth`, and
    ///   `relu` has an entry a layer.
    func check() throws(Fault) {
        guard widths.count >= 2, relu.count == widths.count - 1 else {
            throw Fault(.invalid, "a student with \(relu.count) layers has \(widths.count) widths")
        }
        for (index, width) in widths.enumerated()
        where !(1...StudentShape.largestWidth).contains(width) {
            throw Fault(
                .invalid,
                "width \(index) of the student is \(width), not 1 to \(StudentShape.largestWidth)")
        }
    }

    /// Dense layers.
    package var layerCount: Int { relu.count }
    /// Raw features a row.
    package var inputs: Int { widths[0] }
    /// Outputs a row.
    package var classes: Int { widths[layerCount] }

    /// Length of a parameter vector.
    package var parameterCount: Int { logScaleOffset + widths.count }

    /// Where the logarithms of the activation scales begin.
    package var logScaleOffset: Int { parametersBefore(layer: layerCount) }

    /// Where layer `layer`'s weights and then its bias lie.
    package func parameterRanges(layer: Int) -> (weights: Range<Int>, bias: Range<Int>) {
        let start = parametersBefore(layer: layer)
        let middle = start + widths[layer] * widths[layer + 1]
        return (start..<middle, middle..<middle + widths[layer + 1])
    }

    private func parametersBefore(layer: Int) -> Int {
        (0..<layer).reduce(0) { $0 + (widths[$1] + 1) * widths[$1 + 1] }
    }

    /// The zero point of activation `index` (0 is the input, l + 1 the output of layer l): -128
    /// after a ReLU, else 0.
    package func zeroPoint(activation index: Int) -> Int32 {
        index > 0 && relu[index - 1] ? -128 : 0
    }
}

/// How raw features become the network's input: (raw - offset) / scale in float32.
package struct Normalisation: Sendable, Equatable {
    /// One entry for all features, or one a feature.
    package let offset: [Float]
    /// As many as `offset`; none is zero.
    package let scale: [Float]

    package init(offset: [Float], scale: [Float]) {
        self.offset = offset
        self.scale = scale
    }

    /// The normalisation that a plan's `[data]` section gives.
    package init(plan: DataPlan) {
        self.init(offset: plan.offset, scale: plan.scale)
    }

    /// - Throws: `Fault.invalid` unless there is one finite entry for all or one a feature, and no
    ///   scale is zero.
    func check(features: Int) throws(Fault) {
        guard offset.count == scale.count, offset.count == 1 || offset.count == features else {
            throw Fault(
                .invalid,
                "normalisation has \(offset.count) offsets and \(scale.count) scales"
                    + " for \(features) features",
                remedy: "give one of each, or one a feature")
        }
        guard offset.allSatisfy(\.isFinite), scale.allSatisfy({ $0.isFinite && $0 != 0 }) else {
            throw Fault(
                .invalid, "a normalisation offset or scale is not finite, or a scale is zero")
        }
    }
}

/// The range in which activation scales are kept, as logarithms.
///
/// Noise and large gradients can throw a scale far off; beyond these bounds (6e-6 and 148) no layer
/// can use it.
enum LogScale {
    static let range: ClosedRange<Float> = -12...5

    static func clamped(_ value: Float) -> Float {
        min(max(value, range.lowerBound), range.upperBound)
    }
}
