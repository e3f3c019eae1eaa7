import Aggregation
import Federation
import Privacy
import Testing
import UpdateCodec

@Suite("Closing a round's sum")
struct RoundAggregateTests {
    private let lattice = Lattice(plan: .sample(), rotationSeed: 3)

    private func sum(
        _ plan: Plan, of updates: [(delta: [Float], values: [Int8], weight: UInt64)]
    ) throws -> ExactSum {
        var sum = ExactSum(lattice: lattice, maxWeight: plan.maxUpdateWeight)
        for update in updates {
            try sum.fold(update.values, weight: plan.updateWeight(examples: update.weight))
        }
        return sum
    }

    @Test(
        "the same twelve updates in three orders give byte-identical aggregates and weights",
        arguments: [nil, 0.3])
    func orders(noiseMultiplier: Double?) throws {
        let plan = Plan.sample(
            privacy: noiseMultiplier.map(PrivacyPlan.sample(noiseMultiplier:)),
            server: ServerPlan(learningRate: 0.7, momentum: 0.9))
        let updates = try sampleUpdates(12, lattice: lattice)
        var shuffled = updates
        var shuffler = SeededRandom(seed: 8)
        shuffled.shuffle(using: &shuffler)
        #expect(shuffled.map(\.weight) != updates.map(\.weight))

        let outcomes = try [updates, updates.reversed(), shuffled].map { ordered in
            var random = SeededRandom(seed: 77)
            let aggregate = try aggregate(
                sum: sum(plan, of: ordered), plan: plan, noise: &random)
            var master = [Float](repeating: 0.1, count: lattice.parameters)
            var optimizer = ServerOptimizer(plan: plan.server, velocity: [])
            try optimizer.step(master: &master, average: aggregate.average)
            return (aggregate.sums, (aggregate.average + master).map(\.bitPattern))
        }
        #expect(outcomes[0] == outcomes[1])
        #expect(outcomes[0] == outcomes[2])
        #expect(Set(outcomes[0].1).count > lattice.parameters)
    }

    @Test("without privacy the average weighs each update by its examples")
    func weightedMean() throws {
        let plan = Plan.sample()
        let updates = try sampleUpdates(12, lattice: lattice)
        var random = SeededRandom(seed: 1)
        let aggregate = try aggregate(sum: sum(plan, of: updates), plan: plan, noise: &random)
        #expect(aggregate.noiseSigma == 0)
        let total = Double(updates.reduce(0) { $0 + $1.weight })
        #expect(aggregate.denominator == total)
        // The mean of 12 independent rounding errors: far below one step.
        for index in 0..<lattice.parameters {
            let mean =
                updates.reduce(0) { $0 + Double($1.delta[index]) * Double($1.weight) } / total
            #expect(abs(Double(aggregate.average[index]) - mean) < Double(lattice.step))
        }
    }

    @Test(
        "a private average is divided by the plan's constant, whoever reports",
        arguments: [12, 7, 1])
    func fixedDenominator(reports: Int) throws {
        let plan = Plan.sample(privacy: .sample(noiseMultiplier: 0))
        let updates = try Array(sampleUpdates(12, lattice: lattice).prefix(reports))
        var random = SeededRandom(seed: 1)
        let aggregate = try aggregate(sum: sum(plan, of: updates), plan: plan, noise: &random)
        #expect(aggregate.denominator == 12)
        for index in 0..<lattice.parameters {
            let mean = updates.reduce(0) { $0 + Double($1.delta[index]) } / 12
            #expect(abs(Double(aggregate.average[index]) - mean) < Double(lattice.step))
        }
    }

    @Test(
        "a private round releases noise of sigma ceil(z B) even when nobody reported (Flower 1892, FLIP PR 1146)"
    )
    func emptyCohort() throws {
        let plan = Plan.sample(privacy: .sample(noiseMultiplier: 2))
        var random = SeededRandom(seed: 5)
        let aggregate = try aggregate(sum: sum(plan, of: []), plan: plan, noise: &random)
        let sigma = noiseSigma(multiplier: 2, squaredNormBound: lattice.squaredNormBound)
        #expect(aggregate.noiseSigma == sigma)
        #expect(aggregate.denominator == 12)
        // 80 squares of N(0, 1): mean 80, standard deviation 12.6.
        let squares = aggregate.sums.reduce(0) { total, value in
            let scaled = Double(value) / Double(sigma)
            return total + scaled * scaled
        }
        #expect((30...150).contains(squares))
        #expect(aggregate.average.contains { $0 != 0 })
    }

    @Test("noise differs from call to call and leaves the caller's sum alone")
    func freshNoise() throws {
        let plan = Plan.sample(privacy: .sample(noiseMultiplier: 1))
        let sum = try sum(plan, of: sampleUpdates(3, lattice: lattice))
        let before = sum.sums
        var random = SeededRandom(seed: 5)
        let first = try aggregate(sum: sum, plan: plan, noise: &random)
        let second = try aggregate(sum: sum, plan: plan, noise: &random)
        #expect(first.sums != second.sums)
        #expect(sum.sums == before)
    }

    @Test("a round without privacy and without updates has no average")
    func nothingToAverage() throws {
        var random = SeededRandom(seed: 5)
        let fault = #expect(throws: Fault.self) {
            try aggregate(sum: sum(.sample(), of: []), plan: .sample(), noise: &random)
        }
        #expect(fault?.code == .conflict)
    }

    @Test(
        "noise beyond what can be sampled is refused", arguments: [1e9, 1e300, -1, .nan, .infinity])
    func impossibleNoise(multiplier: Double) throws {
        let plan = Plan.sample(privacy: .sample(noiseMultiplier: multiplier))
        var random = SeededRandom(seed: 5)
        let fault = #expect(throws: Fault.self) {
            try aggregate(sum: sum(plan, of: []), plan: plan, noise: &random)
        }
        #expect(fault?.code == .invalid)
    }
}
