import Glibc

/// The range in which activation scales are kept, as logarithms.
///
/// Noise and large gradients can throw a scale far off; beyond these bounds (6e-6 and 148) no layer
/// can use it.
enum LogScale {
    static let range: ClosedRange<Float> = -12...5

    static func clamped(_ value: Float) -> Float {
        min(max(value, range.lowerBound), range.upperBound)
    }

    /// The scale of this logarithm.
    static func scale(_ logarithm: Float) -> Float { Float(exp(Double(logarithm))) }
}
