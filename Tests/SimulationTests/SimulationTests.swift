import Dispatch
import Federation
import Learning
import Simulation
import Testing

@Suite("A simulation")
struct SimulationTests {
    /// On the calling thread, forwards; on it, backwards; and on eight at once.
    private static let orders: [ParallelFor] = [
        { count, body in for index in 0..<count { body(index) } },
        { count, body in for index in (0..<count).reversed() { body(index) } },
        { count, body in DispatchQueue.concurrentPerform(iterations: count, execute: body) },
    ]

    private static func privacy(
        _ multiplier: Double = 0.05, sampling: PrivacyPlan.Sampling = .everyone,
        delta: Double = 1e-3, maxEpsilon: Double? = nil
    ) -> PrivacyPlan {
        PrivacyPlan(
            noiseMultiplier: multiplier, delta: delta, sampling: sampling, agents: 12,
            maxEpsilon: maxEpsilon)
    }

    private func simulation(
        _ plan: Plan, agents: Int = 12, rule: PartitionRule = .dirichlet(alpha: 1),
        seed: UInt64 = 1, arithmetic: StudentTrainer.Arithmetic = .int8, sum: UpdateSum? = nil
    ) throws -> Simulation {
        let examples = try resident(clusters(600))
        var random = SeededRandom(seed: 8)
        let partition = try rule.divided(examples, classes: 4, agents: agents, random: &random)
        return try Simulation(
            plan: plan, parameters: blankParameters(),
            data: SimulatedData(
                train: examples, partition: partition,
                test: try resident(clusters(2500, seed: 77))), seed: seed,
            arithmetic: arithmetic, sum: sum)
    }

    @Test("without the lattice trains the same int8 students, and lands next to them")
    func floatSum() throws {
        let plan = try clusterPlan()
        var exact = try simulation(plan)
        var float = try simulation(plan, sum: .float)
        let start = exact.parameters
        for _ in 0..<2 {
            let rounds = try (
                exact.runRound(on: Self.orders[0]), float.runRound(on: Self.orders[0])
            )
            #expect(rounds.0.withinClip == rounds.1.withinClip)
            #expect(abs(try #require(rounds.0.accuracy) - #require(rounds.1.accuracy)) < 0.02)
        }
        func distance(_ one: [Float], _ other: [Float]) -> Float {
            zip(one, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
        }
        let moved = distance(exact.parameters, start)
        let apart = distance(exact.parameters, float.parameters)
        #expect(apart > 0)
        #expect(apart < 0.1 * moved)
    }

    @Test(
        "learns, in int8 and in float32",
        arguments: [nil, privacy(), privacy(sampling: .poisson(rate: 0.5))],
        [StudentTrainer.Arithmetic.int8, .float32])
    func learning(privacy: PrivacyPlan?, arithmetic: StudentTrainer.Arithmetic) throws {
        var simulation = try simulation(
            try clusterPlan(privacy: privacy), arithmetic: arithmetic)
        let first = try #require(try simulation.accuracy(on: Self.orders[0]))
        for _ in 0..<8 { _ = try simulation.runRound(on: Self.orders[0]) }
        let last = try #require(try simulation.accuracy(on: Self.orders[0]))
        #expect(first < 0.6)
        #expect(last > 0.85, "from \(first) to \(last)")
        #expect(simulation.rounds == 8)
        #expect((simulation.epsilon == nil) == (privacy == nil))
    }

    @Test(
        "comes out the same whatever thread does what, and again",
        arguments: [nil, privacy(), privacy(sampling: .poisson(rate: 0.5))],
        [StudentTrainer.Arithmetic.int8, .float32])
    func determinism(privacy: PrivacyPlan?, arithmetic: StudentTrainer.Arithmetic) throws {
        let plan = try clusterPlan(privacy: privacy)
        let runs = try (Self.orders + [Self.orders[2]]).map { order in
            var simulation = try simulation(plan, arithmetic: arithmetic)
            let rounds = try (0..<3).map { _ in try simulation.runRound(on: order) }
            return (rounds, simulation.parameters)
        }
        for run in runs.dropFirst() {
            #expect(run.0 == runs[0].0)
            #expect(run.1 == runs[0].1)
        }
        var other = try simulation(plan, seed: 2, arithmetic: arithmetic)
        for _ in 0..<3 { _ = try other.runRound(on: Self.orders[0]) }
        #expect(other.parameters != runs[0].1)
    }

    @Test("selects as many agents as the plan wants, each at most once, and others each round")
    func selection() throws {
        var simulation = try simulation(try clusterPlan(), agents: 40, rule: .iid)
        let round = try simulation.runRound(on: Self.orders[0])
        #expect(round.selected == 5)
        #expect(round.reported == 5)
        #expect(round.number == 1)
        #expect(round.firstFault == nil)
    }

    @Test("of fewer agents than the plan wants takes them all")
    func fewAgents() throws {
        var simulation = try simulation(try clusterPlan(), agents: 4, rule: .iid)
        #expect(try simulation.runRound(on: Self.orders[0]).selected == 4)
    }

    @Test("of fewer agents than the plan needs says so and changes nothing")
    func tooFewAgents() throws {
        var simulation = try simulation(try clusterPlan(), agents: 2, rule: .iid)
        let before = simulation.parameters
        let fault = #expect(throws: Fault.self) { try simulation.runRound(on: Self.orders[0]) }
        #expect(fault?.code == .conflict)
        #expect(fault?.message.contains("needs 3") == true)
        #expect(simulation.rounds == 0)
        #expect(simulation.parameters == before)
    }

    @Test("of a private plan counts on the simulated population, agents without rows included")
    func population() throws {
        let plan = try clusterPlan(privacy: Self.privacy())
        let simulation = try simulation(plan, agents: 700, rule: .iid)
        #expect(simulation.plan.privacy?.agents == 700)
        #expect(plan.privacy?.agents == 12)
        let fault = #expect(throws: Fault.self) {
            _ = try self.simulation(plan, agents: 1000, rule: .iid)
        }
        #expect(fault?.message.contains("delta") == true)
    }

    @Test("spends what the accountant says, and not more than the plan allows")
    func budget() throws {
        var unlimited = try simulation(try clusterPlan(privacy: Self.privacy(2)))
        #expect(unlimited.epsilon == 0)
        let first = try unlimited.runRound(on: Self.orders[0])
        let second = try unlimited.runRound(on: Self.orders[0])
        let (one, two) = (try #require(first.epsilon), try #require(second.epsilon))
        #expect(one > 0 && two > one)

        let limited = Self.privacy(2, maxEpsilon: (one + two) / 2)
        var simulation = try simulation(try clusterPlan(privacy: limited))
        _ = try simulation.runRound(on: Self.orders[0])
        let fault = #expect(throws: Fault.self) { try simulation.runRound(on: Self.orders[0]) }
        #expect(fault?.code == .exhausted)
        #expect(simulation.rounds == 1)
    }

    @Test("releases a private round that nobody's coin joined, as noise")
    func emptyCohort() throws {
        let rare = Self.privacy(1, sampling: .poisson(rate: 1e-9))
        var simulation = try simulation(try clusterPlan(privacy: rare))
        // The denominator is tiny, so the noise would be wild; the server hardly moves.
        var plan = simulation.plan
        plan.server.learningRate = 1e-12
        simulation = try self.simulation(plan)
        let round = try simulation.runRound(on: Self.orders[0])
        #expect(round.selected == 0)
        #expect(round.reported == 0)
        #expect(simulation.rounds == 1)
    }

    @Test("goes on without agents whose training fails, and names the first one's fault")
    func failingAgents() throws {
        var table = clusters(600)
        table.values[0] = .infinity
        let examples = try resident(table)
        var random = SeededRandom(seed: 8)
        var simulation = try Simulation(
            plan: try clusterPlan(privacy: Self.privacy()), parameters: blankParameters(),
            data: SimulatedData(
                train: examples,
                partition: try PartitionRule.iid.divided(
                    examples, classes: 4, agents: 12, random: &random), test: nil),
            seed: 1, arithmetic: .float32)
        let rounds = try Self.orders.map { try simulation.runRound(on: $0) }
        #expect(rounds.allSatisfy { $0.reported == 11 && $0.selected == 12 })
        #expect(rounds[0].firstFault?.message.contains("diverged") == true)
    }

    @Test("ends with the fault of agents of whom none can train", arguments: [true, false])
    func failingCohort(isPrivate: Bool) throws {
        var plan = try clusterPlan(privacy: isPrivate ? Self.privacy() : nil)
        plan.training.learningRate = .infinity
        for order in Self.orders {
            var simulation = try simulation(plan)
            let fault = #expect(throws: Fault.self) { try simulation.runRound(on: order) }
            #expect(fault?.message.contains("diverged") == true)
            #expect(simulation.rounds == 0)
        }
    }

    @Test("marks a version that a coordinator would refuse")
    func refused() throws {
        var plan = try clusterPlan()
        var simulation = try simulation(plan)
        for _ in 0..<8 {
            #expect(try simulation.runRound(on: Self.orders[0]).wouldBeRefused == false)
        }
        // Nothing is lost where nothing was known, so the drop is measured from a trained model.
        plan.privacy = Self.privacy(50)
        plan.sealing.maxAccuracyDrop = 0.2
        let examples = try resident(clusters(600))
        var random = SeededRandom(seed: 8)
        var noisy = try Simulation(
            plan: plan, parameters: simulation.parameters,
            data: SimulatedData(
                train: examples,
                partition: try PartitionRule.iid.divided(
                    examples, classes: 4, agents: 12, random: &random),
                test: try resident(clusters(2500, seed: 77))), seed: 1)
        #expect(try noisy.runRound(on: Self.orders[0]).wouldBeRefused)
    }

    @Test(
        "distils after a round as a coordinator does, in int8 and in float32",
        arguments: [StudentTrainer.Arithmetic.int8, .float32])
    func distillation(arithmetic: StudentTrainer.Arithmetic) throws {
        var plan = try clusterPlan()
        plan.teacher.training.epochs = 8
        var source = clusters(400, seed: 5)
        var random = SeededRandom(seed: 1)
        let teacher = try Teacher.trained(
            plan: plan, on: &source, random: &random, progress: { _ in true })
        let teaching = SimulatedTeaching(
            teacher: teacher, training: try resident(source),
            heldOut: try resident(clusters(200, seed: 6)))
        func round(_ plan: Plan, _ teaching: SimulatedTeaching?) throws -> SimulatedRound {
            let examples = try resident(clusters(600))
            var random = SeededRandom(seed: 8)
            var simulation = try Simulation(
                plan: plan, parameters: blankParameters(),
                data: SimulatedData(
                    train: examples,
                    partition: try PartitionRule.iid.divided(
                        examples, classes: 4, agents: 12, random: &random),
                    test: try resident(clusters(2500, seed: 77))), teaching: teaching, seed: 1,
                arithmetic: arithmetic)
            return try simulation.runRound(on: Self.orders[0])
        }
        let without = try round(plan, teaching)
        #expect(without.distillation == nil)
        plan.distillation.postRoundEpochs = 10
        let with = try round(plan, teaching)
        #expect(try #require(with.distillation).isAccepted)
        #expect(try #require(with.accuracy) > 0.05 + (try #require(without.accuracy)))
        let fault = #expect(throws: Fault.self) { _ = try round(plan, nil) }
        #expect(fault?.message.contains("there is no teacher") == true)
    }

    @Test("of a student that reconstructs is measured by how it ranks anomalies")
    func reconstruction() throws {
        var plan = try clusterPlan()
        plan.training.objective = .reconstruction
        plan.training.epochs = 5
        plan.layers = LayerPlan.dense([3, 6])
        // Trained on class 0 alone; of class 1, 2 and 3 it knows nothing.
        let normal = clusters(400).rows { $0 % 4 == 0 }
        var random = SeededRandom(seed: 8)
        let train = try resident(normal)
        let partition = try PartitionRule.iid.divided(
            train, classes: 4, agents: 5, random: &random)
        let weights = (0..<6 * 3 + 3 + 3 * 6 + 6).map { _ in
            Float(random.next() >> 40) / Float(1 << 24) - 0.5
        }
        var simulation = try Simulation(
            plan: plan, parameters: weights + [-3.7, -4, -3.7],
            data: SimulatedData(
                train: train, partition: partition, test: try resident(clusters(1200, seed: 5))),
            seed: 1)
        let last = try (0..<10).map { _ in try simulation.runRound(on: Self.orders[2]) }.last
        #expect(try #require(last?.accuracy) > 0.95)
    }

    @Test("measures nothing without test examples")
    func unmeasured() throws {
        let examples = try resident(clusters(100))
        var random = SeededRandom(seed: 8)
        var simulation = try Simulation(
            plan: try clusterPlan(), parameters: blankParameters(),
            data: SimulatedData(
                train: examples,
                partition: try PartitionRule.iid.divided(
                    examples, classes: 4, agents: 5, random: &random), test: nil), seed: 1)
        #expect(try simulation.runRound(on: Self.orders[0]).accuracy == nil)
    }

    @Test("refuses a first model of another shape, and nobody to train")
    func impossible() throws {
        let examples = try resident(clusters(100))
        var random = SeededRandom(seed: 8)
        let partition = try PartitionRule.iid.divided(
            examples, classes: 4, agents: 5, random: &random)
        let plan = try clusterPlan()
        #expect(throws: Fault.self) {
            try Simulation(
                plan: plan, parameters: [1, 2],
                data: SimulatedData(train: examples, partition: partition, test: nil), seed: 1)
        }
        #expect(throws: Fault.self) {
            try Simulation(
                plan: plan, parameters: blankParameters(),
                data: SimulatedData(
                    train: examples, partition: Partition([[Int]]()), test: nil), seed: 1)
        }
    }
}
