import AgentService
import Federation
import Testing

@Suite("A fault that keeps coming")
struct RepeatedFaultTests {
    private let refused = Fault(.unavailable, "nothing listens there", remedy: "start it")

    private func time(_ seconds: Double) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000_000).advanced(bySeconds: seconds)
    }

    @Test("a missing address is said once and then every hour, not at each retry (Flower 6250)")
    func said() {
        var trouble = RepeatedFault()
        var told: [Double] = []
        // For three hours and a bit, a try a minute.
        for minute in 0...190 {
            let now = Double(minute) * 60
            if trouble.add(refused, now: time(now), unixSeconds: UInt64(minute) * 60) {
                told.append(now)
            }
        }
        #expect(told == [0, 3_600, 7_200, 10_800])
        #expect(trouble.count == 191)
        #expect(trouble.sinceUnix == 0)
        #expect(trouble.fault == refused)
    }

    @Test("another fault is said at once, and again when the first comes back")
    func another() {
        var trouble = RepeatedFault()
        let other = Fault(.untrusted, "another fleet's certificate")
        let told = [refused, refused, other, refused].enumerated().map { index, fault in
            trouble.add(fault, now: time(Double(index)), unixSeconds: UInt64(index))
        }
        #expect(told == [true, false, true, true])
        #expect(trouble.sinceUnix == 3)
    }

    @Test("when all is well again the next one is news")
    func clear() {
        var trouble = RepeatedFault()
        for second in 0..<3 {
            _ = trouble.add(refused, now: time(Double(second)), unixSeconds: 0)
        }
        let counts = [trouble.clear(), trouble.clear()]
        #expect(counts == [3, 0])
        #expect(trouble.fault == nil)
        let isNews = trouble.add(refused, now: time(4), unixSeconds: 4)
        #expect(isNews)
    }
}
