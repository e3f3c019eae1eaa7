import Federation
import Simulation
import Testing

@Suite("The worked example of Simulation")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let examples = try resident(clusters(600))
        let plan = try clusterPlan()
        let parameters = blankParameters()
        var random = SeededRandom(seed: 8)

        let partition = try PartitionRule(parsing: "dirichlet:0.5")
            .divided(examples, classes: 4, agents: 12, random: &random)
        var simulation = try Simulation(
            plan: plan, parameters: parameters,
            data: SimulatedData(train: examples, partition: partition, test: examples), seed: 1)
        var rounds: [SimulatedRound] = []
        try simulation.run(until: 2, on: { count, body in (0..<count).forEach(body) }) {
            (round, _) throws(Fault) in rounds.append(round)
        }

        #expect(rounds.map(\.number) == [1, 2])
        #expect((rounds.last?.accuracy ?? 0) > 0.25)
    }
}
