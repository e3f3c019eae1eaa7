import Foundation
import Testing

/// Rounds that a test looks at while they run.
extension ExampleFleet {
    /// Waits until the agents "one" and "two" train for `round`.
    nonisolated func trains(for round: UInt64) async throws {
        for name in ["one", "two"] {
            let log = agent(name).log
            try await wait(for: "\(name) trains, see \(log.path)") {
                try text(of: log).split(separator: "\n").contains {
                    $0.contains("info training ") && $0.contains("round=\(round).")
                }
            }
        }
    }

    /// Waits until `round` has ended.
    nonisolated func end(of round: UInt64) async throws -> RoundAnswer {
        var last: RoundAnswer?
        try await wait(for: "round \(round) ends") {
            last = try await self.administer(["round", "show", "\(round)"])
            return last.map { ["published", "abandoned"].contains($0.phase) } ?? false
        }
        return try #require(last)
    }
}
