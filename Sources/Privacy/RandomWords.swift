import Federation

/// Random words drawn from a source many at a time.
///
/// OpenSSL's generator takes about as long for a few bytes as for a few KiB, and reaches its full
/// rate of several GB/s at 64 KiB, the most that one request to it returns. The source is passed to
/// each call because it stays the caller's.
struct RandomWords {
    private static let most = (64 << 10) / 8

    private var words: [UInt64]
    private var used: Int

    /// Without room for any.
    static let none = RandomWords(words: [])

    private init(words: [UInt64]) {
        self.words = words
        used = words.count
    }

    /// `expected`: how many words will be wanted; it decides only how many are drawn at a time.
    init(expected: Int) {
        let count = min(max(expected, 16), RandomWords.most)
        words = [UInt64](repeating: 0, count: count)
        used = count
    }

    /// 64 random bits.
    @inline(__always)
    mutating func next(_ random: inout some RandomSource) -> UInt64 {
        if used == words.count { refill(&random) }
        used += 1
        return words[used - 1]
    }

    @inline(never)
    private mutating func refill(_ random: inout some RandomSource) {
        words.withUnsafeMutableBytes { random.fill($0) }
        used = 0
    }
}
