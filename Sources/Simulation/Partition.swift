/// Which rows each virtual agent holds: indices only, or what they are drawn from, so that a million
/// agents cost megabytes.
package struct Partition: Sendable, Equatable {
    private enum Source: Sendable, Equatable {
        /// The rows of agent 0, then of agent 1, and so on; where each agent's begin, and their end.
        case dealt(rows: [Int], starts: [Int])
        case drawn(Population)
    }

    private let source: Source
    /// Agents that were dealt no row; such a device would never report for a plan, so they are not
    /// among `agents`.
    package let withoutRows: Int

    /// - Parameter parts: the rows of one agent after another.
    package init(_ parts: some Sequence<some Collection<Int>>) {
        var rows: [Int] = []
        var starts = [0]
        var withoutRows = 0
        for part in parts {
            guard !part.isEmpty else {
                withoutRows += 1
                continue
            }
            rows += part
            starts.append(rows.count)
        }
        source = .dealt(rows: rows, starts: starts)
        self.withoutRows = withoutRows
    }

    init(_ population: Population) {
        source = .drawn(population)
        withoutRows = 0
    }

    /// Agents that hold at least one row.
    package var agents: Int {
        switch source {
        case .dealt(_, let starts): starts.count - 1
        case .drawn(let population): population.agents
        }
    }

    /// Rows that every agent draws; nil when each row was dealt to one of them.
    package var drawnEach: Int? {
        if case .drawn(let population) = source { population.each } else { nil }
    }

    /// What agent `agent`, in 0 ..< `agents`, holds.
    package func rows(of agent: Int) -> ArraySlice<Int> {
        switch source {
        case .dealt(let rows, let starts): rows[starts[agent]..<starts[agent + 1]]
        case .drawn(let population): population.rows(of: agent)[...]
        }
    }
}
