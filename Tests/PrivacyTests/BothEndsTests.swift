import Federation
import Privacy
import Testing

@Suite("Privacy against both ends")
struct BothEndsTests {
    private func plan(local: Double, sampling: PrivacyPlan.Sampling = .everyone) -> PrivacyPlan {
        PrivacyPlan(
            noiseMultiplier: 1, delta: 1e-5, sampling: sampling, agents: 1000, maxEpsilon: nil,
            localNoiseMultiplier: local)
    }

    @Test("the coordinator is held to one update in place of another, without amplification")
    func local() throws {
        let everyone = try #require(plan(local: 3).localEpsilon(rounds: 7))
        // Of an update in place of another, not beside nothing: as with half the noise.
        let fast = RDPAccountant.epsilon(
            noiseMultiplier: 1.5, samplingRate: 1, rounds: 7, delta: 1e-5)
        let tight = PLDAccountant.epsilon(
            noiseMultiplier: 1.5, samplingRate: 1, rounds: 7, delta: 1e-5)
        #expect(abs(everyone / min(fast, tight) - 1) < 1e-3)
        // It sees who takes part: a coin protects nobody from it.
        let sampled = plan(local: 3, sampling: .poisson(rate: 0.01)).localEpsilon(rounds: 7)
        #expect(sampled == everyone)
        let more = try #require(plan(local: 3).localEpsilon(rounds: 8))
        #expect(more > everyone)
        #expect(plan(local: 0).localEpsilon(rounds: 7) == nil)
    }

    @Test("calibrated noise reaches its target, and hardly less would not", arguments: [1, 8.0])
    func calibration(epsilon: Double) throws {
        let target = PrivacyPlan.Target(epsilon: epsilon, rounds: 100)
        let noise = try #require(
            PrivacyPlan.noiseMultiplier(for: target, samplingRate: 0.05, delta: 1e-5))
        var privacy = plan(local: 0, sampling: .poisson(rate: 0.05))
        privacy.noiseMultiplier = noise
        #expect(PrivacyBudget(plan: privacy, roundsCharged: 100).epsilon <= epsilon)
        privacy.noiseMultiplier = 0.97 * noise
        #expect(PrivacyBudget(plan: privacy, roundsCharged: 100).epsilon > epsilon)
    }

    @Test("a target beyond any noise is known to be")
    func unreachable() {
        let target = PrivacyPlan.Target(epsilon: 1e-4, rounds: 1_000_000)
        #expect(
            PrivacyPlan.noiseMultiplier(for: target, samplingRate: 1, delta: 1e-5) == nil)
    }
}
