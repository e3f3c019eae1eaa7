/// Seeded random test data.
struct Dice {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 32
    }

    /// Uniform in [0, 1).
    mutating func unit() -> Float { Float(next() >> 8) / Float(1 << 24) }

    /// 32 random bits.
    mutating func bits() -> UInt32 { UInt32(next()) }

    mutating func integer(in range: ClosedRange<Int32>) -> Int32 {
        range.lowerBound + Int32(next() % UInt64(range.count))
    }

    mutating func bytes(_ count: Int, in range: ClosedRange<Int32>) -> [Int8] {
        (0..<count).map { _ in Int8(integer(in: range)) }
    }
}
