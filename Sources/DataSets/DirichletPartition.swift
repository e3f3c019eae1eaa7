package import Federation
import Glibc

/// Divides one data set among agents whose class proportions differ, as real devices' do.
package enum DirichletPartition {
    /// Rows for each of `agents` agents: every row of `labels` (its class, 0 or more) exactly once,
    /// each agent's in ascending order.
    ///
    /// For each class the agents' shares are drawn from Dirichlet(`alpha`, ..., `alpha`): the
    /// smaller `alpha` > 0, the fewer agents hold most of a class. An agent may get no row. Hsu, Qi
    /// and Brown, "Measuring the effects of non-identical data distribution", 2019.
    package static func partition(
        labels: [Int32], agents: Int, alpha: Double, random: inout some RandomSource
    ) -> [[Int]] {
        precondition(agents > 0 && alpha > 0)
        var parts = [[Int]](repeating: [], count: agents)
        let classes = Int(labels.max() ?? -1) + 1
        var members = [[Int]](repeating: [], count: classes)
        for (row, label) in labels.enumerated() { members[Int(label)].append(row) }
        for var rows in members {
            let shares = dirichlet(alpha, count: agents, random: &random)
            shuffle(&rows, random: &random)
            var cumulative = 0.0
            var start = 0
            for agent in 0..<agents {
                cumulative += shares[agent]
                let last = agent == agents - 1
                let end = last ? rows.count : max(start, Int(cumulative * Double(rows.count)))
                parts[agent] += rows[start..<end]
                start = end
            }
        }
        return parts.map { $0.sorted() }
    }

    /// One draw from the symmetric Dirichlet distribution: `count` shares that add up to 1.
    private static func dirichlet(
        _ alpha: Double, count: Int, random: inout some RandomSource
    ) -> [Double] {
        shares([Double](repeating: alpha, count: count), random: &random)
    }

    /// One draw from the Dirichlet distribution with these parameters, each above 0: as many shares,
    /// that add up to 1.
    package static func shares(
        _ parameters: [Double], random: inout some RandomSource
    ) -> [Double] {
        // In logarithms, because a small alpha makes gamma values too small for a Double.
        let logs = parameters.map { logGamma($0, random: &random) }
        let largest = logs.max() ?? 0
        let weights = logs.map { exp($0 - largest) }
        let total = weights.reduce(0, +)
        return weights.map { $0 / total }
    }

    /// The logarithm of a Gamma(`shape`, 1) draw: Marsaglia and Tsang, 2000.
    private static func logGamma(_ shape: Double, random: inout some RandomSource) -> Double {
        // Gamma(a) = Gamma(a + 1) U^(1/a) serves shapes below 1.
        let boost = shape < 1 ? log(uniform(&random)) / shape : 0
        let third = (shape < 1 ? shape + 1 : shape) - 1.0 / 3
        let scale = 1 / (9 * third).squareRoot()
        while true {
            let normal =
                (-2 * log(uniform(&random))).squareRoot() * cos(2 * .pi * uniform(&random))
            let root = 1 + scale * normal
            guard root > 0 else { continue }
            let cube = root * root * root
            if log(uniform(&random)) < normal * normal / 2 + third * (1 - cube + log(cube)) {
                return boost + log(third * cube)
            }
        }
    }

    /// Uniform in (0, 1).
    private static func uniform(_ random: inout some RandomSource) -> Double {
        (Double(random.next() >> 12) + 0.5) * 0x1p-52
    }

    /// Fisher and Yates; the remainder's bias is below 2^-32 for fewer than 2^32 rows.
    private static func shuffle(_ rows: inout [Int], random: inout some RandomSource) {
        for last in stride(from: rows.count - 1, to: 0, by: -1) {
            rows.swapAt(last, Int(random.next() % UInt64(last + 1)))
        }
    }
}
