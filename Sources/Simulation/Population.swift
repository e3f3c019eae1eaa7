import DataSets
import Federation

/// Virtual agents that each draw their rows, with replacement, from the same examples: what one holds
/// follows from the seed and its number whenever it is asked for, and nothing is kept of it.
///
/// With Dirichlet proportions it is how Hsu, Qi and Brown 2019 made theirs: an agent's class shares
/// are drawn around those of all examples.
struct Population: Sendable, Equatable {
    /// How an agent chooses.
    enum Taste: Sendable, Equatable {
        /// Every row is equally likely.
        case even
        /// Class shares from Dirichlet(alpha K p), for K classes of which p are the examples' shares;
        /// with even classes Dirichlet(alpha, ..., alpha).
        case dirichlet(alpha: Double)
        /// This many classes, all equally likely.
        case labels(Int)
    }

    let agents: Int
    /// Rows an agent draws.
    let each: Int
    private let taste: Taste
    private let streams: RandomStreams
    /// All rows, class after class, and where each class that has any begins and ends.
    private let members: [UInt32]
    private let starts: [Int]

    /// - Parameter labels: of every row, at least one.
    init(agents: Int, each: Int, taste: Taste, labels: [Int32], seed: UInt64) {
        precondition(agents > 0 && each > 0 && !labels.isEmpty && labels.count <= UInt32.max)
        self.agents = agents
        self.each = each
        self.taste = taste
        streams = RandomStreams(seed: seed)
        guard taste != .even else {
            (members, starts) = ([], [0, labels.count])
            return
        }
        var rows: [[UInt32]] = Array(repeating: [], count: Int(labels.max() ?? 0) + 1)
        for (row, label) in labels.enumerated() { rows[Int(label)].append(UInt32(row)) }
        rows.removeAll(where: \.isEmpty)
        members = rows.flatMap { $0 }
        starts = rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    }

    /// Classes that have rows.
    private var classes: Int { starts.count - 1 }

    /// What agent `agent` drew; the same at each call.
    func rows(of agent: Int) -> [Int] {
        var random = streams.stream(.examples, round: 0, agent: agent)
        switch taste {
        case .even:
            return (0..<each).map { _ in Int.random(in: 0..<starts[1], using: &random) }
        case .dirichlet(let alpha):
            let total = Double(members.count)
            let parameters = (0..<classes).map {
                alpha * Double(classes) * Double(starts[$0 + 1] - starts[$0]) / total
            }
            let shares = DirichletPartition.shares(parameters, random: &random)
            return (0..<each).map { _ in row(of: drawn(shares, &random), &random) }
        case .labels(let count):
            let chosen = sample(count, below: classes, &random)
            return (0..<each).map { _ in
                row(of: chosen[Int.random(in: 0..<count, using: &random)], &random)
            }
        }
    }

    private func row(of label: Int, _ random: inout SeededRandom) -> Int {
        Int(members[Int.random(in: starts[label]..<starts[label + 1], using: &random)])
    }

    private func drawn(_ shares: [Double], _ random: inout SeededRandom) -> Int {
        var rest = random.unitInterval()
        for (label, share) in shares.enumerated() {
            rest -= share
            if rest < 0 { return label }
        }
        // The shares' sum was rounded to less than 1.
        return shares.indices.max { shares[$0] < shares[$1] } ?? 0
    }
}

/// `count` different numbers below `limit`, all equally likely: the beginning of a Fisher and Yates
/// shuffle, of which only the places that moved are held.
func sample(_ count: Int, below limit: Int, _ random: inout SeededRandom) -> [Int] {
    var moved: [Int: Int] = [:]
    return (0..<min(count, limit)).map { place in
        let other = Int.random(in: place..<limit, using: &random)
        defer { moved[other] = moved[place] ?? place }
        return moved[other] ?? other
    }
}
