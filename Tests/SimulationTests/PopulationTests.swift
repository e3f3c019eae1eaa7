import Federation
import Simulation
import Testing

@Suite("Agents that draw their examples")
struct PopulationTests {
    private func drawn(
        _ rule: PartitionRule, agents: Int, each: Int, seed: UInt64 = 1
    ) throws -> (partition: Partition, labels: [Int32]) {
        // Classes 0 to 3, the last of them three times as often as any other.
        let table = clusters(400).rows { $0 % 4 == 3 || $0 % 12 < 4 }
        let examples = try resident(table)
        let partition = try rule.drawn(
            from: examples, classes: 4, agents: agents, each: each, seed: seed)
        return (partition, examples.labels)
    }

    @Test(
        "are as many as asked for, each with as many, whatever order they are asked in",
        arguments: [PartitionRule.iid, .dirichlet(alpha: 0.1), .labels(2)])
    func counts(rule: PartitionRule) throws {
        let (partition, labels) = try drawn(rule, agents: 1_000_000, each: 7)
        #expect(partition.agents == 1_000_000)
        #expect(partition.withoutRows == 0)
        #expect(partition.drawnEach == 7)
        let agents = [0, 1, 500_000, 999_999]
        let forwards = agents.map { partition.rows(of: $0) }
        let backwards = agents.reversed().map { partition.rows(of: $0) }
        #expect(forwards == backwards.reversed())
        #expect(Set(forwards).count == agents.count)
        #expect(forwards.allSatisfy { $0.count == 7 && $0.allSatisfy(labels.indices.contains) })
        #expect(try drawn(rule, agents: 1_000_000, each: 7).partition == partition)
        let other = try drawn(rule, agents: 1_000_000, each: 7, seed: 2).partition
        #expect(agents.map { other.rows(of: $0) } != forwards)
    }

    @Test("have on average the classes of all examples, and with a small alpha few each")
    func dirichlet() throws {
        for alpha in [0.05, 100] {
            let (partition, labels) = try drawn(.dirichlet(alpha: alpha), agents: 2000, each: 20)
            var counts = [Int](repeating: 0, count: 4)
            var kinds = 0
            for agent in 0..<partition.agents {
                let classes = partition.rows(of: agent).map { Int(labels[$0]) }
                for label in classes { counts[label] += 1 }
                kinds += Set(classes).count
            }
            let shares = counts.map { Double($0) / 40_000 }
            let expected = (0..<4).map { label in
                Double(labels.count { $0 == label }) / Double(labels.count)
            }
            for (share, right) in zip(shares, expected) { #expect(abs(share - right) < 0.04) }
            #expect(alpha < 1 ? kinds < 2 * 2000 : kinds > 3 * 2000)
        }
    }

    @Test("with labels:2 hold two classes, each equally likely")
    func labels() throws {
        let (partition, labels) = try drawn(.labels(2), agents: 1000, each: 30)
        var holders = [Int](repeating: 0, count: 4)
        for agent in 0..<partition.agents {
            let classes = Set(partition.rows(of: agent).map { labels[$0] })
            #expect(classes.count == 2)
            for label in classes { holders[Int(label)] += 1 }
        }
        // 500 with a standard deviation of 16.
        #expect(holders.allSatisfy { abs($0 - 500) < 80 })
    }

    @Test(
        "are refused where the rule or the number makes no sense",
        arguments: [
            (PartitionRule.natural, 5, 5), (.labels(5), 5, 5), (.iid, 0, 5), (.iid, 5, 0),
        ])
    func refusals(rule: PartitionRule, agents: Int, each: Int) {
        let fault = #expect(throws: Fault.self) {
            _ = try drawn(rule, agents: agents, each: each)
        }
        #expect(fault?.code == .invalid)
    }
}
