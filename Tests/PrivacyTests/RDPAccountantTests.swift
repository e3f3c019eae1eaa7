import Federation
import Privacy
import Testing

@Suite("The RDP accountant")
struct RDPAccountantTests {
    @Test("epsilons are dp-accounting's to 1e-6, and no more than those where its own are loose")
    func epsilons() throws {
        for row in try EpsilonRow.all() {
            let epsilon = RDPAccountant.epsilon(of: [row.charge: row.rounds], delta: row.delta)
            if row.hasLooseRDP {
                #expect(epsilon <= row.rdp * (1 + 1e-12), "\(row)")
            } else {
                #expect(abs(epsilon - row.rdp) <= 1e-6, "\(row)")
            }
        }
    }

    @Test("nothing is spent without rounds or agents, everything without noise")
    func edges() {
        func epsilon(_ multiplier: Double, _ rate: Double, _ rounds: Int) -> Double {
            RDPAccountant.epsilon(
                noiseMultiplier: multiplier, samplingRate: rate, rounds: rounds, delta: 1e-5)
        }
        #expect(epsilon(1, 0, 100) == 0)
        #expect(epsilon(1, 1, 0) == 0)
        #expect(epsilon(0, 1, 0) == 0)
        #expect(epsilon(0, 1, 1) == .infinity)
        #expect(epsilon(0, 0.1, 1) == .infinity)
        #expect(epsilon(1e9, 1, 1) == 0)
        #expect(epsilon(1e-3, 0.5, 1).isFinite)
        #expect(epsilon(40, 0.999_999, 10) > 0)
        #expect(
            RDPAccountant.noiseMultiplier(epsilon: 1, samplingRate: 1, rounds: 0, delta: 1e-5) == 0)
        // Epsilons beyond what any noise has to reach end the search too.
        let least = RDPAccountant.noiseMultiplier(
            epsilon: 1e300, samplingRate: 0.1, rounds: 1, delta: 1e-5)
        #expect(least < 1e-6)
    }

    @Test("epsilon falls with noise and rises with rounds and rate")
    func monotone() {
        func epsilon(_ multiplier: Double, _ rate: Double, _ rounds: Int) -> Double {
            RDPAccountant.epsilon(
                noiseMultiplier: multiplier, samplingRate: rate, rounds: rounds, delta: 1e-6)
        }
        #expect(epsilon(1, 0.01, 100) > epsilon(1.1, 0.01, 100))
        #expect(epsilon(1, 0.01, 101) > epsilon(1, 0.01, 100))
        #expect(epsilon(1, 0.02, 100) > epsilon(1, 0.01, 100))
        #expect(epsilon(1, 1, 100) > epsilon(1, 0.9, 100))
    }

    @Test("the demo's twelve agents would have to be about 1,100 for epsilon 4")
    func agentsOfTheDemo() {
        let plan = PrivacyPlan(
            noiseMultiplier: 0.05, delta: 1e-5, sampling: .everyone, agents: 12, maxEpsilon: nil)
        let agents = agentsForEpsilon(4, plan: plan, rounds: 15)
        #expect((1050...1150).contains(agents))
        #expect(spent(plan, agents: agents) <= 4)
        #expect(spent(plan, agents: agents - 1) > 4)
        #expect(agentsForEpsilon(1e9, plan: plan, rounds: 15) == 1)
        #expect(agentsForEpsilon(4, plan: plan, rounds: 0) == 1)
        #expect(agentsForEpsilon(0, plan: plan, rounds: 15) == .max)
    }

    @Test(
        "sampled plans keep their rate when agents are added; plans without noise never get there")
    func agentsOfOtherPlans() {
        let sampled = PrivacyPlan(
            noiseMultiplier: 0.6, delta: 1e-5, sampling: .poisson(rate: 0.1), agents: 200,
            maxEpsilon: nil)
        let agents = agentsForEpsilon(2, plan: sampled, rounds: 100)
        #expect(spent(sampled, agents: agents, rounds: 100) <= 2)
        #expect(spent(sampled, agents: agents - 1, rounds: 100) > 2)
        var silent = sampled
        silent.noiseMultiplier = 0
        #expect(agentsForEpsilon(2, plan: silent, rounds: 100) == .max)
        silent.noiseMultiplier = 1e-300
        #expect(agentsForEpsilon(2, plan: silent, rounds: 100) == .max)
    }

    private func spent(_ plan: PrivacyPlan, agents: Int, rounds: Int = 15) -> Double {
        RDPAccountant.epsilon(
            noiseMultiplier: plan.noiseMultiplier * Double(agents) / Double(plan.agents),
            samplingRate: plan.sampling.rate, rounds: rounds, delta: plan.delta)
    }
}
