import AgentService
import Testing

@Suite("The share of a processor")
struct TrainingPaceTests {
    /// Works until the pace owes something; the processor's clock is not infinitely fine.
    private func work(_ pace: inout TrainingPace) -> Double {
        var sum = 1.0
        for _ in 0..<1_000 where pace.owed == 0 {
            for index in 1...10_000 { sum += 1 / Double(index) }
        }
        return sum
    }

    @Test("work at the whole processor owes no rest")
    func whole() {
        var pace = TrainingPace(percent: 100)
        var sum = 0.0
        for index in 1...100_000 { sum += 1 / Double(index) }
        #expect(sum > 0 && pace.owed == 0)
        pace.resume()
        #expect(pace.owed == 0)
    }

    @Test("a smaller share owes more rest for the same work; rest itself is no work")
    func share() {
        var quarter = TrainingPace(percent: 25)
        #expect(work(&quarter) > 0)
        let owed = quarter.owed
        #expect(owed > 0)
        quarter.resume()
        #expect(quarter.owed < owed)
    }
}
