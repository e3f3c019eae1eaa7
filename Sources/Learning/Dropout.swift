import Federation

/// Which values of a batch dropout keeps.
struct Dropout: Sendable {
    /// One a value [rows x width].
    private(set) var keeps: [Bool]
    /// What the kept values are multiplied by, so that their mean stays: 1 / (1 - rate).
    let gain: Float
    /// A random word below this drops a value.
    private let threshold: UInt64

    init(rate: Float, count: Int) {
        var memory = PlannedMemory()
        self.init(rate: rate, count: count, memory: &memory)
    }

    init(rate: Float, count: Int, memory: inout PlannedMemory) {
        keeps = memory.buffer(true, count: count)
        gain = 1 / (1 - rate)
        threshold = UInt64(Double(rate) * 0x1p32)
    }

    /// Draws anew for the first `count` values.
    mutating func draw(_ count: Int, _ random: inout SeededRandom) {
        for index in 0..<count { keeps[index] = random.next() >> 32 >= threshold }
    }
}
