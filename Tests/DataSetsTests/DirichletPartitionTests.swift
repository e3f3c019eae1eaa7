import DataSets
import Federation
import Testing

@Suite("Dirichlet partitions")
struct DirichletPartitionTests {
    private let labels = (0..<6000).map { Int32($0 * 7 % 10) }

    private func parts(alpha: Double, seed: UInt64, agents: Int = 12) -> [[Int]] {
        var random = SeededRandom(seed: seed)
        return DirichletPartition.partition(
            labels: labels, agents: agents, alpha: alpha, random: &random)
    }

    /// The mean over agents of the largest share one class has of an agent's rows.
    private func concentration(_ parts: [[Int]]) -> Double {
        let shares = parts.filter { !$0.isEmpty }.map { rows in
            var counts = [Int](repeating: 0, count: 10)
            for row in rows { counts[Int(labels[row])] += 1 }
            return Double(counts.max() ?? 0) / Double(rows.count)
        }
        return shares.reduce(0, +) / Double(shares.count)
    }

    @Test("Every row goes to exactly one agent, in order", arguments: [0.01, 0.5, 1, 100])
    func complete(alpha: Double) {
        let parts = parts(alpha: alpha, seed: 1)
        #expect(parts.count == 12)
        #expect(parts.flatMap { $0 }.sorted() == Array(labels.indices))
        #expect(parts.allSatisfy { $0 == $0.sorted() })
    }

    @Test("The same seed gives the same partition, another seed another")
    func seeded() {
        #expect(parts(alpha: 0.5, seed: 4) == parts(alpha: 0.5, seed: 4))
        #expect(parts(alpha: 0.5, seed: 4) != parts(alpha: 0.5, seed: 5))
    }

    @Test("A small alpha concentrates classes, a large one spreads them evenly")
    func concentrates() {
        #expect(concentration(parts(alpha: 0.05, seed: 2)) > 0.5)
        let even = parts(alpha: 1000, seed: 2)
        #expect(concentration(even) < 0.13)
        #expect(even.allSatisfy { (400...600).contains($0.count) })
    }

    @Test("Shares have the Dirichlet distribution's mean and variance", arguments: [0.3, 0.5, 2])
    func moments(alpha: Double) {
        // The share of class 0 that agent 0 of 4 gets, over many seeds: a Beta(alpha, 3 alpha).
        let shares = (0..<800).map { seed -> Double in
            var random = SeededRandom(seed: UInt64(seed) &* 0x9E37)
            let part = DirichletPartition.partition(
                labels: [Int32](repeating: 0, count: 400), agents: 4, alpha: alpha,
                random: &random)
            return Double(part[0].count) / 400
        }
        let mean = shares.reduce(0, +) / 800
        let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 800
        let expected = 0.25 * 0.75 / (4 * alpha + 1)
        #expect(abs(mean - 0.25) < 0.03)
        #expect(abs(variance / expected - 1) < 0.2)
    }

    @Test("One agent gets everything, and no rows give empty parts")
    func edges() {
        #expect(parts(alpha: 0.5, seed: 1, agents: 1) == [Array(labels.indices)])
        var random = SeededRandom(seed: 1)
        let none = DirichletPartition.partition(
            labels: [], agents: 3, alpha: 0.5, random: &random)
        #expect(none == [[], [], []])
    }
}
