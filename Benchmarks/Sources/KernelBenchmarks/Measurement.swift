import Glibc

/// Times of one piece of work, run often enough for the clock and repeatedly.
struct Measurement {
    /// Operations a second, in units of 10^9, of each repetition, sorted.
    private let rates: [Double]

    /// - Parameters:
    ///   - operations: multiplications and additions of one call of `work`.
    init(operations: Double, repetitions: Int = 101, _ work: () -> Void) {
        // One repetition takes one to two milliseconds.
        var calls = 1
        while Self.seconds(calls: calls, work) < 1e-3 { calls *= 2 }
        rates = (0..<repetitions).map { _ in
            operations * Double(calls) / Self.seconds(calls: calls, work) / 1e9
        }.sorted()
    }

    var median: Double { rates[rates.count / 2] }
    var best: Double { rates[rates.count - 1] }

    private static func seconds(calls: Int, _ work: () -> Void) -> Double {
        let start = now()
        for _ in 0..<calls { work() }
        return now() - start
    }

    /// The time this thread had a processor, so that other programs do not count.
    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
