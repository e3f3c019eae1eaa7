import Federation
import Testing

@Suite("Plans and faults")
struct PlanTests {
    @Test("the noise's denominator is the expected cohort, whoever reports")
    func denominator() {
        var plan = PrivacyPlan(
            noiseMultiplier: 1, delta: 1e-5, sampling: .everyone, agents: 12, maxEpsilon: nil)
        #expect(plan.denominator == 12)
        plan.sampling = .poisson(rate: 0.25)
        #expect(plan.denominator == 3)
    }

    @Test("a fault reads as what happened, then what to do")
    func fault() {
        #expect("\(Fault(.gone, "it left", remedy: "wait"))" == "it left; wait")
        #expect("\(Fault(.gone, "it left"))" == "it left")
    }
}
