import Federation
import Testing

@Suite("Seeded randomness and monotonic time")
struct SeamsTests {
    @Test("the seeded generator is SplitMix64")
    func splitMix() {
        var random = SeededRandom(seed: 0)
        #expect(random.next() as UInt64 == 0xE220_A839_7B1D_CDAF)
        #expect(random.next() as UInt64 == 0x6E78_9E6A_A1B9_65F4)
    }

    @Test("bytes are the words, least significant first, also where the count is no multiple of 8")
    func bytes() {
        var random = SeededRandom(seed: 0)
        let bytes = random.bytes(11)
        #expect(hexadecimal(bytes) == "afcd1d7b39a820e2" + "f465b9")
        #expect(random.bytes(0).isEmpty)
    }

    @Test("instants move forward only")
    func instants() {
        let start = MonotonicInstant(nanoseconds: 5)
        let later = start.advanced(bySeconds: 1.5)
        #expect(later.nanoseconds == 1_500_000_005)
        #expect(later.seconds(since: start) == 1.5)
        #expect(start.seconds(since: later) == 0)
        #expect(start.advanced(bySeconds: -1) == start)
        #expect(start < later)
    }

    @Test("no wait leads beyond the last instant, and what is no number is no wait")
    func longWaits() {
        let start = MonotonicInstant(nanoseconds: 5)
        let last = MonotonicInstant(nanoseconds: .max)
        for seconds in [1.9e10, 1e300, .infinity] {
            #expect(start.advanced(bySeconds: seconds) == last)
        }
        #expect(last.advanced(bySeconds: 1) == last)
        #expect(start.advanced(bySeconds: 1.8e10).nanoseconds == 18_000_000_000_000_000_005)
        #expect(start.advanced(bySeconds: .nan) == start)
        #expect(start.advanced(bySeconds: -.infinity) == start)
    }
}
