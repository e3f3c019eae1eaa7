/// Which rows each virtual agent holds: indices only, so that a million agents cost megabytes.
package struct Partition: Sendable, Equatable {
    /// The rows of agent 0, then of agent 1, and so on.
    private var rows: [Int] = []
    /// Where each agent's rows begin in `rows`, and their end.
    private var starts = [0]
    /// Agents that were dealt no row; such a device would never report for a plan, so they are not
    /// among `agents`.
    package private(set) var withoutRows = 0

    /// - Parameter parts: the rows of one agent after another.
    package init(_ parts: some Sequence<some Collection<Int>>) {
        for part in parts {
            guard !part.isEmpty else {
                withoutRows += 1
                continue
            }
            rows += part
            starts.append(rows.count)
        }
    }

    /// Agents that hold at least one row.
    package var agents: Int { starts.count - 1 }

    /// What agent `agent`, in 0 ..< `agents`, holds.
    package func rows(of agent: Int) -> ArraySlice<Int> { rows[starts[agent]..<starts[agent + 1]] }
}
