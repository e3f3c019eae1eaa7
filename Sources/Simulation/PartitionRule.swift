import DataSets
package import Federation

/// How examples are divided among virtual agents.
package enum PartitionRule: Sendable, Equatable {
    /// Every agent gets a fair sample, all of the same size within one row.
    case iid
    /// The agents' shares of each class are drawn from Dirichlet(alpha), see `DirichletPartition`.
    case dirichlet(alpha: Double)
    /// Every agent holds this many classes, and a class's rows are split evenly among its holders
    /// (Li et al., "Federated learning on non-IID data silos", 2022: "#C = k").
    case labels(Int)
    /// Each source of the examples, such as one person's recordings, is an agent.
    case natural

    /// Reads `iid`, `dirichlet:0.5`, `labels:2` or `natural`.
    ///
    /// - Throws: `Fault.invalid` for anything else.
    package init(parsing text: String) throws(Fault) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? String(parts[1]) : nil
        switch (parts[0], value) {
        case ("iid", nil): self = .iid
        case ("natural", nil): self = .natural
        case ("dirichlet", let value?):
            guard let alpha = Double(value), alpha > 0, alpha.isFinite else {
                throw Fault(
                    .invalid, "the alpha of partition '\(text)' is not a number above 0",
                    remedy: "write, for example, dirichlet:0.5")
            }
            self = .dirichlet(alpha: alpha)
        case ("labels", let value?):
            guard let count = Int(value), count > 0 else {
                throw Fault(
                    .invalid, "partition '\(text)' does not say how many classes an agent holds",
                    remedy: "write, for example, labels:2")
            }
            self = .labels(count)
        default:
            throw Fault(
                .invalid, "'\(text)' is no partition",
                remedy: "use iid, dirichlet:ALPHA, labels:K or natural")
        }
    }

    /// Divides all rows of `examples`, whose labels are below `classes`: every row goes to exactly
    /// one agent.
    ///
    /// - Parameter agents: above 0; for `natural` the number of sources, or nil.
    /// - Throws: `Fault.invalid` when the rule does not fit that many agents or classes.
    package func divided(
        _ examples: ResidentExamples, classes: Int, agents: Int?,
        random: inout SeededRandom
    ) throws(Fault) -> Partition {
        if case .natural = self { return try bySource(examples, agents: agents) }
        guard let agents, agents > 0 else {
            throw Fault(
                .invalid, "examples are divided among at least one agent",
                remedy: "say how many agents there are")
        }
        guard self == .iid || classes > 0 else { throw PartitionRule.noClasses }
        switch self {
        case .iid, .natural:
            let rows = Array(0..<examples.count).shuffled(using: &random)
            return Partition(evenParts(of: rows, among: agents))
        case .dirichlet(let alpha):
            return Partition(
                DirichletPartition.partition(
                    labels: examples.labels, agents: agents, alpha: alpha, random: &random))
        case .labels(let count):
            return try byLabel(
                examples.labels, count, classes: classes, agents: agents, random: &random)
        }
    }

    /// Lets each agent draw `each` rows of `examples`, with replacement, when it is asked for them: for
    /// more agents than there are rows to deal.
    ///
    /// - Parameters:
    ///   - classes: labels are below.
    ///   - agents: above 0.
    ///   - each: above 0.
    /// - Throws: `Fault.invalid` when the rule does not fit the examples.
    package func drawn(
        from examples: ResidentExamples, classes: Int, agents: Int, each: Int, seed: UInt64
    ) throws(Fault) -> Partition {
        guard agents > 0, each > 0, examples.count > 0 else {
            throw Fault(
                .invalid, "\(agents) agents cannot draw \(each) of \(examples.count) examples each",
                remedy: "use at least one of each")
        }
        guard self == .iid || self == .natural || classes > 0 else {
            throw PartitionRule.noClasses
        }
        let taste: Population.Taste
        switch self {
        case .iid: taste = .even
        case .dirichlet(let alpha): taste = .dirichlet(alpha: alpha)
        case .labels(let count):
            let present = Set(examples.labels).count
            guard count <= present else {
                throw Fault(
                    .invalid, "an agent cannot hold \(count) of \(present) classes",
                    remedy: "use at most all classes an agent")
            }
            taste = .labels(count)
        case .natural:
            throw Fault(
                .invalid, "agents that hold what they came with draw no examples",
                remedy: "leave the number of agents and of their examples out")
        }
        return Partition(
            Population(
                agents: agents, each: each, taste: taste, labels: examples.labels, seed: seed))
    }

    private static let noClasses = Fault(
        .invalid, "examples without classes cannot be divided by class",
        remedy: "use iid or natural")

    private func bySource(
        _ examples: ResidentExamples, agents: Int?
    ) throws(Fault) -> Partition {
        let starts = examples.sourceStarts + [examples.count]
        let sources = starts.count - 1
        guard agents ?? sources == sources else {
            throw Fault(
                .invalid, "the data comes from \(sources) agents, not from \(agents ?? 0)",
                remedy: "leave the number of agents out, or choose another partition")
        }
        return Partition(zip(starts, starts.dropFirst()).map { $0..<$1 })
    }

    private func byLabel(
        _ labels: [Int32], _ count: Int, classes: Int, agents: Int, random: inout SeededRandom
    ) throws(Fault) -> Partition {
        guard count <= classes, agents >= classes else {
            throw Fault(
                .invalid,
                "\(agents) agents with \(count) of \(classes) classes each leave a class out",
                remedy:
                    "use at least as many agents as classes, and at most all classes an agent")
        }
        var holders = [[Int]](repeating: [], count: classes)
        for agent in 0..<agents {
            // The first makes sure that every class has a holder.
            let first = agent % classes
            let others = (0..<classes).filter { $0 != first }.shuffled(using: &random)
            for label in [first] + others.prefix(count - 1) { holders[label].append(agent) }
        }
        var members = [[Int]](repeating: [], count: classes)
        for (row, label) in labels.enumerated() { members[Int(label)].append(row) }
        var parts = [[Int]](repeating: [], count: agents)
        for (label, rows) in members.enumerated() {
            let shares = evenParts(
                of: rows.shuffled(using: &random), among: holders[label].count)
            for (agent, share) in zip(holders[label], shares) { parts[agent] += share }
        }
        return Partition(parts)
    }
}

/// `rows` in `count` runs whose lengths differ by at most one.
private func evenParts(of rows: [Int], among count: Int) -> some Sequence<ArraySlice<Int>> {
    (0..<count).lazy.map { rows[rows.count * $0 / count..<rows.count * ($0 + 1) / count] }
}
