import Federation
import Learning
import Privacy
import Simulation
import Testing
import UpdateCodec

@Suite("A private simulation")
struct PrivateSimulationTests {
    private static let inOrder: ParallelFor = { count, body in
        for index in 0..<count { body(index) }
    }

    private func simulation(
        _ plan: Plan, agents: Int, arithmetic: StudentTrainer.Arithmetic = .int8
    ) throws -> Simulation {
        let examples = try resident(clusters(600))
        var random = SeededRandom(seed: 8)
        let partition = try PartitionRule.iid.divided(
            examples, classes: 4, agents: agents, random: &random)
        return try Simulation(
            plan: plan, parameters: blankParameters(),
            data: SimulatedData(train: examples, partition: partition, test: nil), seed: 5,
            arithmetic: arithmetic)
    }

    private func privacy(
        _ multiplier: Double, rate: Double? = nil, local: Double = 0
    ) -> PrivacyPlan {
        PrivacyPlan(
            noiseMultiplier: multiplier, delta: 1e-3,
            sampling: rate.map { .poisson(rate: $0) } ?? .everyone, agents: 300, maxEpsilon: nil,
            localNoiseMultiplier: local)
    }

    @Test("selects each agent by a coin of its own: another number each round, right on average")
    func coins() throws {
        var simulation = try simulation(
            try clusterPlan(privacy: privacy(1, rate: 0.1)), agents: 300)
        let sizes = try (0..<40).map { _ in
            try simulation.runRound(on: Self.inOrder).selected
        }
        #expect(Set(sizes).count > 5)
        // 12,000 coins of 0.1: 1,200 on average, with a standard deviation of 33.
        #expect(abs(sizes.reduce(0, +) - 1200) < 165)
        let epsilon = try #require(simulation.epsilon)
        let plan = try #require(simulation.plan.privacy)
        #expect(epsilon == PrivacyBudget(plan: plan, roundsCharged: 40).epsilon)
        #expect((1...10).contains(epsilon))
    }

    @Test(
        "lets an adaptive norm find its quantile, in int8 and in float32, with noise and without",
        arguments: [StudentTrainer.Arithmetic.int8, .float32], [true, false])
    func adaptive(arithmetic: StudentTrainer.Arithmetic, isPrivate: Bool) throws {
        var plan = try clusterPlan(privacy: isPrivate ? privacy(1) : nil)
        plan.round.agents = 300
        plan.clipping.norm = 0.01
        plan.clipping.adaptive = AdaptiveClipping(
            quantile: 0.5, rate: 1, countNoise: isPrivate ? 15 : nil)
        // So that the norms it looks for stay where they are.
        plan.server.learningRate = 1e-6
        var simulation = try simulation(plan, agents: 300, arithmetic: arithmetic)
        #expect(simulation.clippingNorm == 0.01)
        let rounds = try (0..<30).map { _ in try simulation.runRound(on: Self.inOrder) }
        #expect(rounds[0].clippingNorm == 0.01)
        #expect(rounds[0].withinClip == 0)
        for (before, after) in zip(rounds, rounds.dropFirst()) where !isPrivate {
            let share = Double(before.withinClip) / Double(before.reported)
            let moved = plan.clipping.adaptive?.norm(
                after: Double(before.clippingNorm), fraction: share)
            #expect(moved.map { Float($0) } == after.clippingNorm)
        }
        let late = rounds.suffix(10).map { Double($0.withinClip) / Double($0.reported) }
        #expect(abs(late.reduce(0, +) / 10 - 0.5) < 0.1, "\(late)")
    }

    @Test("adds the agents' own noise, which grows with their number and not with the average's")
    func localNoise() throws {
        let quiet = try clusterPlan(privacy: privacy(0.001))
        let loud = try clusterPlan(privacy: privacy(0.001, local: 2))
        var (plain, noised) = (
            try simulation(quiet, agents: 300), try simulation(loud, agents: 300)
        )
        let start = plain.parameters
        let round = try plain.runRound(on: Self.inOrder)
        #expect(try noised.runRound(on: Self.inOrder).reported == round.reported)
        let noise = zip(noised.parameters, plain.parameters).map { Double($0 - $1) }
        let deviation = (noise.reduce(0) { $0 + $1 * $1 } / Double(start.count)).squareRoot()
        // sqrt(300) agents of z_local B steps each, over the denominator of 300.
        let lattice = Lattice(plan: loud, rotationSeed: 1)
        let bound = Double(lattice.squaredNormBound).squareRoot() * Double(lattice.step)
        let expected = 2 * bound * 300.0.squareRoot() / 300
        #expect(abs(deviation / expected - 1) < 0.35, "\(deviation) for \(expected)")
        #expect(noised.epsilon == plain.epsilon)
    }
}
