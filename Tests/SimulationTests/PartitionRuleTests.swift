import Federation
import Simulation
import Testing

@Suite("Partition rules")
struct PartitionRuleTests {
    @Test(
        "are read from text",
        arguments: [
            ("iid", PartitionRule.iid), ("dirichlet:0.5", .dirichlet(alpha: 0.5)),
            ("dirichlet:1e-3", .dirichlet(alpha: 0.001)), ("labels:2", .labels(2)),
            ("natural", .natural),
        ])
    func reading(text: String, rule: PartitionRule) throws {
        #expect(try PartitionRule(parsing: text) == rule)
    }

    @Test(
        "that make no sense are refused, saying what would",
        arguments: [
            "", "IID", "iid:2", "natural:", "dirichlet", "dirichlet:", "dirichlet:0",
            "dirichlet:-1", "dirichlet:inf", "dirichlet:nan", "dirichlet:much", "labels",
            "labels:0", "labels:2.5", "labels:two", "shards:2",
        ])
    func refusal(text: String) {
        let fault = #expect(throws: Fault.self) { try PartitionRule(parsing: text) }
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("'\(text)'") == true)
        #expect(fault?.remedy.isEmpty == false)
    }

    @Test(
        "give every row to exactly one agent",
        arguments: [
            (PartitionRule.iid, 7), (.iid, 1), (.iid, 500), (.dirichlet(alpha: 0.1), 9),
            (.dirichlet(alpha: 100), 3), (.labels(2), 8), (.labels(4), 5), (.natural, 3),
        ])
    func covering(rule: PartitionRule, agents: Int) throws {
        let examples = try resident(clusters(301), clusters(1, seed: 2), clusters(20, seed: 3))
        var random = SeededRandom(seed: 11)
        let partition = try rule.divided(
            examples, classes: 4, agents: agents, random: &random)
        let rows = (0..<partition.agents).flatMap { partition.rows(of: $0) }
        #expect(rows.sorted() == Array(0..<322))
        #expect(partition.agents + partition.withoutRows == agents)
        #expect((0..<partition.agents).allSatisfy { !partition.rows(of: $0).isEmpty })

        var same = SeededRandom(seed: 11)
        #expect(
            try rule.divided(examples, classes: 4, agents: agents, random: &same) == partition)
    }

    @Test("iid shares differ by one row at most and mix the classes")
    func even() throws {
        let examples = try resident(clusters(400))
        var random = SeededRandom(seed: 1)
        let partition = try PartitionRule.iid.divided(
            examples, classes: 4, agents: 7, random: &random)
        let sizes = Set((0..<7).map { partition.rows(of: $0).count })
        #expect(sizes == [57, 58])
        for agent in 0..<7 {
            #expect(Set(partition.rows(of: agent).map { examples.labels[$0] }).count == 4)
        }
    }

    @Test("labels:2 leaves two classes to an agent, and shares each class evenly")
    func byLabel() throws {
        let examples = try resident(clusters(400))
        var random = SeededRandom(seed: 5)
        let partition = try PartitionRule.labels(2).divided(
            examples, classes: 4, agents: 8, random: &random)
        var shares: [Int32: [Int]] = [:]
        for agent in 0..<8 {
            let labels = partition.rows(of: agent).map { examples.labels[$0] }
            #expect(Set(labels).count == 2)
            for label in Set(labels) {
                shares[label, default: []].append(labels.count { $0 == label })
            }
        }
        for counts in shares.values {
            #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
            #expect(counts.reduce(0, +) == 100)
        }
    }

    @Test("natural agents keep what they came with")
    func bySource() throws {
        let examples = try resident(clusters(5), clusters(9, seed: 2))
        var random = SeededRandom(seed: 1)
        let partition = try PartitionRule.natural.divided(
            examples, classes: 4, agents: nil, random: &random)
        #expect(partition.agents == 2)
        #expect(Array(partition.rows(of: 0)) == Array(0..<5))
        #expect(Array(partition.rows(of: 1)) == Array(5..<14))
    }

    @Test(
        "refuse a number of agents or classes that does not fit",
        arguments: [
            (PartitionRule.natural, 3), (.labels(5), 8), (.labels(2), 3), (.iid, 0), (.iid, -1),
        ])
    func impossible(rule: PartitionRule, agents: Int) throws {
        let examples = try resident(clusters(50), clusters(50, seed: 2))
        let fault = #expect(throws: Fault.self) {
            var random = SeededRandom(seed: 1)
            _ = try rule.divided(examples, classes: 4, agents: agents, random: &random)
        }
        #expect(fault?.code == .invalid)
    }
}
