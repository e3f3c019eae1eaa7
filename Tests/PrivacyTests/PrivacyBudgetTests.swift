import Federation
import Privacy
import Testing

@Suite("A plan's privacy budget")
struct PrivacyBudgetTests {
    private func plan(_ multiplier: Double, maxEpsilon: Double?) -> PrivacyPlan {
        PrivacyPlan(
            noiseMultiplier: multiplier, delta: 1e-5, sampling: .everyone, agents: 100,
            maxEpsilon: maxEpsilon)
    }

    @Test("rounds are allowed until one more would overspend, and the refusal says what is left")
    func limit() throws {
        // 7.511276 is exact for ten rounds at z = 2, q = 1.
        let limit = 7.8
        let plan = plan(2, maxEpsilon: limit)
        let fitting = (0..<100).prefix {
            PrivacyBudget(plan: plan, roundsCharged: $0).refusal() == nil
        }
        #expect(fitting.count == 10)
        let budget = PrivacyBudget(plan: plan, roundsCharged: fitting.count)
        #expect(budget.epsilon <= limit)
        #expect(budget.afterOneMore() > limit)
        let fault = try #require(budget.refusal())
        #expect(fault.code == .exhausted)
        #expect(fault.message.contains("10 rounds have spent"))
        #expect(fault.message.contains("0.289 is left"))
        #expect(fault.remedy.contains("max_epsilon"))
        // What is said to fit does, and half of it does not.
        let words = fault.remedy.split(separator: " ")
        let place = try #require(words.firstIndex(of: "of"))
        let fittingMultiplier = try #require(Double(words[place + 1]))
        func after(_ multiplier: Double) -> Double {
            let next = PrivacyCharge(of: self.plan(multiplier, maxEpsilon: nil))
            return PrivacyBudget(plan: plan, charges: [PrivacyCharge(of: plan): 10, next: 1])
                .epsilon
        }
        #expect(after(fittingMultiplier) <= limit)
        #expect(fittingMultiplier == 4 || after(fittingMultiplier / 2) > limit)
    }

    @Test("a budget that is spent to the last has room for no noise at all")
    func nothingFits() throws {
        let spent = PrivacyBudget(plan: plan(2, maxEpsilon: nil), roundsCharged: 6).epsilon
        let budget = PrivacyBudget(plan: plan(2, maxEpsilon: spent), roundsCharged: 6)
        #expect(try #require(budget.refusal()).remedy.hasSuffix("in a new plan"))
    }

    @Test("the tight accountant speaks, except of losses beyond all sense")
    func accountants() {
        #expect(
            PrivacyBudget(plan: plan(2, maxEpsilon: nil), roundsCharged: 10).spent.accountant
                == .pld)
        let sampled = PrivacyPlan(
            noiseMultiplier: 0.6, delta: 1e-5, sampling: .poisson(rate: 0.05), agents: 100,
            maxEpsilon: nil)
        let spent = PrivacyBudget(plan: sampled, roundsCharged: 100).spent
        #expect(spent.accountant == .pld)
        #expect(
            spent.epsilon
                == PLDAccountant.bound(of: [PrivacyCharge(of: sampled): 100], delta: 1e-5).epsilon)
        let much = PrivacyBudget(plan: plan(0.1, maxEpsilon: nil), roundsCharged: 100).spent
        #expect(much.accountant == .rdp)
        #expect(much.epsilon > PrivacyBudget.largestTightEpsilon)
    }

    @Test("rounds left are those that fit the limit")
    func roundsLeft() {
        #expect(PrivacyBudget(plan: plan(2, maxEpsilon: nil), roundsCharged: 1).roundsLeft() == nil)
        for limit in [7.8, 2000] {
            let plan = plan(2, maxEpsilon: limit)
            let budget = PrivacyBudget(plan: plan, roundsCharged: 3)
            let left = budget.roundsLeft() ?? -1
            #expect(left > 0)
            #expect(budget.after(left).epsilon <= limit)
            #expect(budget.after(left + 1).epsilon > limit)
            let charged = PrivacyBudget(plan: plan, roundsCharged: 3 + left)
            #expect(charged.roundsLeft() == 0)
            #expect(charged.refusal() != nil)
        }
    }

    @Test("a limit that is met exactly is not overspent")
    func exactLimit() {
        let after = PrivacyBudget(plan: plan(2, maxEpsilon: nil), roundsCharged: 7).epsilon
        let budget = PrivacyBudget(plan: plan(2, maxEpsilon: after), roundsCharged: 6)
        #expect(budget.afterOneMore() == after)
        #expect(budget.refusal() == nil)
        #expect(
            PrivacyBudget(plan: plan(2, maxEpsilon: after.nextDown), roundsCharged: 6).refusal()
                != nil)
    }

    @Test("nothing is spent before the first round, and no limit refuses nothing")
    func noLimit() {
        #expect(PrivacyBudget(plan: plan(0.05, maxEpsilon: 1), roundsCharged: 0).epsilon == 0)
        let silent = PrivacyBudget(plan: plan(0, maxEpsilon: nil), roundsCharged: 5)
        #expect(silent.epsilon == .infinity)
        #expect(silent.refusal() == nil)
    }

    @Test("plans over one population spend one budget")
    func sharedPopulation() {
        let one = plan(2, maxEpsilon: nil)
        let other = plan(1, maxEpsilon: nil)
        let charges = [PrivacyCharge(of: one): 4, PrivacyCharge(of: other): 3]
        let both = PrivacyBudget(plan: one, charges: charges).epsilon
        #expect(both > PrivacyBudget(plan: one, roundsCharged: 4).epsilon)
        #expect(both > PrivacyBudget(plan: other, roundsCharged: 3).epsilon)
        // Gaussian rounds add up as 1 / z^2: four at z = 2 are one at z = 1.
        let alike = PrivacyBudget(plan: other, roundsCharged: 4).epsilon
        #expect(abs(both - alike) < 1e-9)
    }

    @Test("a plan with a limit and no noise is refused its first round")
    func noNoise() throws {
        let budget = PrivacyBudget(plan: plan(0, maxEpsilon: 8), roundsCharged: 0)
        let fault = try #require(budget.refusal())
        #expect(fault.message.contains("bring it to infinity"))
        #expect(fault.message.contains("8.0 is left"))
    }
}
