import Glibc

/// How a residual addition is computed in integers, and so how a file writes it: the bytes of both
/// values side by side (Concat over channels, the layer's input first) times one weight each
/// (QLinearConv 1x1).
///
/// The two values have scales of their own, one concatenation has one. So the weights carry the
/// ratio of the scales, and the bias the zero points: with scale s = max(s_input, s_addend),
/// sum = w_input (q_input - z_input) + w_addend (q_addend - z_addend) in units of s / 127, where
/// w = round(127 s_value / s).
package struct QuantizedAddition: Sendable, Equatable {
    /// The weight of each channel of the layer's input at the same output channel; all others are
    /// zero.
    package let inputWeight: Int8
    /// The same of the addend.
    package let addendWeight: Int8
    /// The scale of the concatenation, whose zero point is 0.
    package let scale: Float
    /// The bias of every channel, in units of `scale * weightScale`.
    package let bias: Int32

    /// The scale of the weights: 1 / 127.
    package static let weightScale: Float = 1 / 127

    /// - Parameters:
    ///   - input: scale and zero point of the layer's input.
    ///   - addend: those of what it adds.
    package init(
        input: (scale: Float, zeroPoint: Int32), addend: (scale: Float, zeroPoint: Int32)
    ) {
        scale = max(input.scale, addend.scale)
        inputWeight = Int8(rintf(127 * (input.scale / scale)))
        addendWeight = Int8(rintf(127 * (addend.scale / scale)))
        bias = -(Int32(inputWeight) * input.zeroPoint + Int32(addendWeight) * addend.zeroPoint)
    }
}

extension QuantizedModel {
    /// The constants of the addition in layer `layer`; nil unless it adds.
    package func addition(layer: Int) -> QuantizedAddition? {
        guard let addend = shape.addend(layer: layer) else { return nil }
        return QuantizedAddition(
            input: (scale(activation: layer), shape.zeroPoint(activation: layer)),
            addend: (scale(activation: addend), shape.zeroPoint(activation: addend)))
    }

    /// The weight scale of an average over windows of `size` [h, w], whose weights are all 1 and
    /// whose bias is 0.
    package static func averageScale(size: [Int]) -> Float { 1 / Float(size[0] * size[1]) }
}
