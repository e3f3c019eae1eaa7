import Federation
import Privacy
import Testing

@Suite("A clipping norm that follows a quantile")
struct ClippingQuantileTests {
    private let adaptive = AdaptiveClipping(quantile: 0.5, rate: 0.2, countNoise: 5)

    @Test("moves as the reference does, to 1e-12")
    func reference() throws {
        var moves = 0
        for row in try fixtureRows("adaptive_clip.csv") where row[0] == "norm" {
            let (norm, fraction) = (try number(row[1]), try number(row[2]))
            let next = adaptive.norm(after: norm, fraction: fraction)
            #expect(abs(next / (try number(row[3])) - 1) < 1e-12)
            moves += 1
        }
        #expect(moves == 5)
    }

    @Test("splits its noise as the reference does, to 1e-12")
    func split() throws {
        var splits = 0
        for row in try fixtureRows("adaptive_clip.csv") where row[0] == "split" {
            let plan = plan(noiseMultiplier: try number(row[1]), countNoise: try number(row[2]))
            let multiplier = try #require(plan.updateNoiseMultiplier)
            #expect(abs(multiplier / (try number(row[3])) - 1) < 1e-12)
            splits += 1
        }
        #expect(splits == 4)
    }

    @Test("the two noises of a round cost together what z alone does")
    func composition() throws {
        let updates = try #require(plan(noiseMultiplier: 1.3, countNoise: 2).updateNoiseMultiplier)
        // One agent moves the sum of indicators by 1; two Gaussians at once add 1/z^2.
        #expect(abs(1 / (updates * updates) + 1 / 16 - 1 / (1.3 * 1.3)) < 1e-12)
        #expect(updates > 1.3)
    }

    @Test("no noise on the updates makes up for too little on the count", arguments: [2, 2.5, 100])
    func impossible(noiseMultiplier: Double) {
        #expect(
            plan(noiseMultiplier: noiseMultiplier, countNoise: 1).updateNoiseMultiplier == nil)
    }

    @Test("without adaptive clipping the updates have all of the noise, without privacy none")
    func notAdaptive() {
        var plan = plan(noiseMultiplier: 1.5, countNoise: 5)
        plan.clipping.adaptive = nil
        #expect(plan.updateNoiseMultiplier == 1.5)
        plan.privacy = nil
        #expect(plan.updateNoiseMultiplier == nil)
    }

    @Test("a sum of indicators stands for a share, also beyond 0 and 1")
    func fractions() {
        #expect(AdaptiveClipping.fraction(indicators: 0, agents: 10) == 0.5)
        #expect(AdaptiveClipping.fraction(indicators: 10, agents: 10) == 1)
        #expect(AdaptiveClipping.fraction(indicators: -10, agents: 10) == 0)
        #expect(AdaptiveClipping.fraction(indicators: -15, agents: 10) == -0.25)
    }

    @Test("the noise on the count is rounded up to whole steps of an indicator")
    func indicatorSigma() throws {
        #expect(try adaptive.indicatorSigma() == 10)
        let odd = AdaptiveClipping(quantile: 0.5, rate: 0.2, countNoise: 2.6)
        #expect(try odd.indicatorSigma() == 6)
        let open = AdaptiveClipping(quantile: 0.5, rate: 0.2, countNoise: nil)
        #expect(try open.indicatorSigma() == 0)
        let huge = AdaptiveClipping(quantile: 0.5, rate: 0.2, countNoise: 1e30)
        #expect(throws: Fault.self) { try huge.indicatorSigma() }
    }

    @Test("stays a number that a lattice can have")
    func limits() {
        #expect(adaptive.norm(after: 1e-9, fraction: 50) == 1e-9)
        #expect(adaptive.norm(after: 1e6, fraction: -50) == 1e6)
        #expect(adaptive.norm(after: 1, fraction: -1e9) == 1e6)
    }

    private func number(_ text: String) throws -> Double { try #require(Double(text)) }

    private func plan(noiseMultiplier: Double, countNoise: Double) -> Plan {
        let training = TrainingPlan(epochs: 1, batchSize: 1, learningRate: 0.1, momentum: 0)
        return Plan(
            id: PlanID("sample") ?? { preconditionFailure("the name is valid") }(), title: "",
            population: "p",
            data: DataPlan(
                format: .csv(file: "a.csv", label: "label"), features: 2, classes: 2, offset: [0],
                scale: [1]),
            layers: LayerPlan.dense([2]), training: training,
            teacher: TeacherPlan(hidden: [], classes: 2, training: training),
            distillation: DistillationPlan(temperature: 2, alpha: 0.5, training: training),
            round: RoundPlan(
                agents: 12, minimum: 0, overSelection: 1, selectionSeconds: 1, reportSeconds: 1,
                leaseSeconds: 1, maxExamples: 500),
            clipping: ClippingPlan(
                norm: 1, kappa: 6,
                adaptive: AdaptiveClipping(quantile: 0.5, rate: 0.2, countNoise: countNoise)),
            privacy: PrivacyPlan(
                noiseMultiplier: noiseMultiplier, delta: 1e-5, sampling: .everyone, agents: 12,
                maxEpsilon: nil), server: ServerPlan(learningRate: 1, momentum: 0),
            sealing: SealingPlan(maxAccuracyDrop: 1))
    }
}
