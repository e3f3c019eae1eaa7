import Federation
import Privacy
import Testing

@Suite("The worked example of Privacy")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let plan = PrivacyPlan(
            noiseMultiplier: 1, delta: 1e-5, sampling: .poisson(rate: 0.05), agents: 1000,
            maxEpsilon: 4)
        let budget = PrivacyBudget(plan: plan, roundsCharged: 100)
        let spent = budget.spent  // epsilon, and the accountant that vouches for it
        let left = budget.roundsLeft()

        #expect(spent.epsilon > 1 && spent.epsilon < 4)
        #expect(spent.accountant == .pld)
        #expect((left ?? 0) > 0)
    }
}
