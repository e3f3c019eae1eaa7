import Kernels

/// Lets network outputs beyond the range of `encoding` be called back into it: those whose loss
/// falls towards the range count as lying on its edge, where gradients pass.
///
/// The straight-through gradient of a clamped value is zero. For a hidden value others stand in; an
/// output has no other. Once outgrown by its weights, a range that was measured before training would
/// hold every output of a class at its edge, and nothing would bring them back: such students ended
/// with one answer for every example. The gradient by the scale stays that of the clamp.
///
/// - Parameters:
///   - scaled: outputs in units of the scale before rounding, the first `count` of them.
///   - gradient: the loss's gradient by the rounded outputs.
/// - Returns: what clamping the moved outputs adds to the loss's gradient by the scale.
func recallSaturated(
    _ scaled: inout [Float], count: Int, encoding: Int8Encoding, gradient: [Float]
) -> Float {
    var byScale: Float = 0
    let (low, high) = (encoding.low, encoding.high)
    for index in 0..<count {
        let isTooHigh = scaled[index] > high && gradient[index] > 0
        guard isTooHigh || scaled[index] < low && gradient[index] < 0 else { continue }
        let edge = isTooHigh ? high : low
        byScale += edge * gradient[index]
        scaled[index] = edge
    }
    return byScale
}
