import Federation
import Testing

@Suite("Readiness")
struct ReadinessTests {
    @Test("is for the current text of the plan and at least one example")
    func ready() throws {
        let plan = try #require(PlanID("example"))
        let current = try #require(Digest(bytes: [UInt8](repeating: 1, count: 32)))
        let old = try #require(Digest(bytes: [UInt8](repeating: 2, count: 32)))
        func isReady(_ digest: Digest?, _ examples: UInt64) -> Bool {
            Readiness(
                plan: plan, planDigest: digest, examples: examples, unreadable: 3,
                modelVersion: nil
            ).isReady(forPlan: current)
        }
        #expect(isReady(current, 1))
        #expect(!isReady(current, 0))
        #expect(!isReady(old, 1))
        #expect(!isReady(nil, 1))
    }
}
