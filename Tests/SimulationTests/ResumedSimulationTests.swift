import Federation
import Learning
import Simulation
import Testing

@Suite("A simulation in several rounds at once")
struct ResumedSimulationTests {
    private static let inOrder: ParallelFor = { count, body in
        for index in 0..<count { body(index) }
    }

    private func simulation(_ sum: UpdateSum = .lattice) throws -> Simulation {
        let examples = try resident(clusters(600))
        var plan = try clusterPlan(
            privacy: PrivacyPlan(
                noiseMultiplier: 0.05, delta: 1e-3, sampling: .poisson(rate: 0.5), agents: 12,
                maxEpsilon: nil))
        plan.clipping.adaptive = AdaptiveClipping(quantile: 0.5, rate: 0.2, countNoise: 1)
        plan.server.momentum = 0.5
        return try Simulation(
            plan: plan, parameters: blankParameters(),
            data: SimulatedData(
                train: examples,
                partition: try PartitionRule.iid.drawn(
                    from: examples, classes: 4, agents: 12, each: 40, seed: 8),
                test: try resident(clusters(2500, seed: 77))), seed: 5, sum: sum)
    }

    private func rounds(
        _ simulation: inout Simulation, until last: Int, measureEvery: Int = 1
    ) throws -> (rounds: [SimulatedRound], states: [SimulationState]) {
        var all: (rounds: [SimulatedRound], states: [SimulationState]) = ([], [])
        try simulation.run(until: last, measureEvery: measureEvery, on: Self.inOrder) {
            all.rounds.append($0)
            all.states.append($1)
        }
        return all
    }

    @Test(
        "measures a model while the next round trains, and says the same of it",
        arguments: [UpdateSum.lattice, .float])
    func overlapped(sum: UpdateSum) throws {
        var (one, other) = (try simulation(sum), try simulation(sum))
        _ = try one.accuracy(on: Self.inOrder)
        let together = try rounds(&one, until: 5).rounds
        let single = try (0..<5).map { _ in try other.runRound(on: Self.inOrder) }
        #expect(together == single)
        #expect(together.map(\.number) == Array(1...5))
        #expect(together.allSatisfy { $0.accuracy != nil && $0.epsilon != nil })
        #expect(one.state == other.state)
        #expect(one.parameters == other.parameters)
    }

    @Test("measures as often as it was asked to, and the last round always")
    func seldom() throws {
        var (one, other) = (try simulation(), try simulation())
        let seldom = try rounds(&one, until: 7, measureEvery: 3).rounds
        #expect(seldom.filter { $0.accuracy != nil }.map(\.number) == [3, 6, 7])
        #expect(seldom.filter { $0.epsilon != nil }.map(\.number) == [3, 6, 7])
        let often = try rounds(&other, until: 7).rounds
        #expect(seldom.last?.accuracy == often.last?.accuracy)
        #expect(one.parameters == other.parameters)
    }

    @Test("goes on from any state, by way of bytes, as if it had never stopped")
    func resumed() throws {
        var whole = try simulation()
        let (all, states) = try rounds(&whole, until: 6)
        for (round, state) in zip(all, states).dropLast() {
            #expect(state.rounds == round.number)
            #expect(state.lastAccuracy == round.accuracy)
            var rest = try simulation()
            try rest.resume(from: SimulationState(decoding: state.encoded()))
            #expect(rest.rounds == round.number)
            #expect(try rounds(&rest, until: 6).rounds == Array(all[round.number...]))
            #expect(rest.state == whole.state)
        }
    }

    @Test("stops where a round fails, having told of all before it")
    func stopped() throws {
        var plan = try simulation().plan
        plan.privacy?.maxEpsilon = 0
        var first = try simulation()
        let spent = try #require(try rounds(&first, until: 3).rounds.last?.epsilon)
        plan.privacy?.maxEpsilon = spent
        let examples = try resident(clusters(600))
        var limited = try Simulation(
            plan: plan, parameters: blankParameters(),
            data: SimulatedData(
                train: examples,
                partition: try PartitionRule.iid.drawn(
                    from: examples, classes: 4, agents: 12, each: 40, seed: 8),
                test: try resident(clusters(2500, seed: 77))), seed: 5)
        var told: [Int] = []
        var seldom = limited
        let fault = #expect(throws: Fault.self) {
            try limited.run(until: 9, on: Self.inOrder) { round, _ in
                #expect(round.accuracy != nil)
                told.append(round.number)
            }
        }
        #expect(fault?.code == .exhausted)
        #expect(told == [1, 2, 3])
        // Of the last one that the budget allows everything is told, however seldom rounds are measured.
        var measured: [SimulatedRound] = []
        #expect(throws: Fault.self) {
            try seldom.run(until: 9, measureEvery: 5, on: Self.inOrder) { round, _ in
                if round.accuracy != nil || round.epsilon != nil { measured.append(round) }
            }
        }
        #expect(measured.map(\.number) == [3])
        #expect(measured.first?.accuracy != nil && measured.first?.epsilon == spent)
    }

    @Test("refuses a state that is damaged, or of another plan")
    func damaged() throws {
        let state = SimulationState(
            rounds: 3, clippingNorm: 0.5, lastAccuracy: nil, master: [1, 2], velocity: [])
        let bytes = state.encoded()
        #expect(try SimulationState(decoding: bytes) == state)
        for count in [0, 5, bytes.count - 1] {
            #expect(throws: Fault.self) { try SimulationState(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: Fault.self) { try SimulationState(decoding: bytes + [0]) }
        #expect(throws: Fault.self) { try SimulationState(decoding: [0] + bytes) }
        var huge = bytes
        huge[bytes.count - 17] = 0xff
        #expect(throws: Fault.self) { try SimulationState(decoding: huge) }
        var simulation = try simulation()
        #expect(throws: Fault.self) { try simulation.resume(from: state) }
        #expect(simulation.rounds == 0)
    }
}
