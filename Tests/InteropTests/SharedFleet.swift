import Foundation
import Testing

extension ExampleFleet {
    /// The fleet that a suite's tests share.
    @TaskLocal private static var shared: ExampleFleet?

    /// The fleet of the suite whose test this is.
    static var current: ExampleFleet {
        get throws {
            guard let shared else { throw Unexpected("the suite has no fleet") }
            return shared
        }
    }

    /// Starts a fleet before a suite's tests and stops every process of it after them.
    struct Shared: SuiteTrait, TestScoping {
        let plans: [ExamplePlan]
        let rows: Int

        func provideScope(
            for test: Test, testCase: Test.Case?,
            performing tests: @Sendable () async throws -> Void
        ) async throws {
            try await ExampleFleet.withFleet(plans) { fleet in
                try await fleet.startAgents(rows: rows)
                try await ExampleFleet.$shared.withValue(fleet) { try await tests() }
            }
        }
    }

    /// Calls `body` with a coordinator that serves, and stops every process of its fleet afterwards, come what may.
    static func withFleet(
        _ plans: [ExamplePlan], deviceDays: Double? = nil, waitSeconds: Int? = nil,
        _ body: (ExampleFleet) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let fleet = ExampleFleet(
                in: directory, plans: plans, deviceDays: deviceDays, waitSeconds: waitSeconds)
            do {
                try await fleet.start()
                try await body(fleet)
            } catch {
                try? await fleet.stop()
                throw error
            }
            try await fleet.stop()
        }
    }

    private func startAgents(rows: Int) async throws {
        for name in ["one", "two"] {
            try await enrol(name, rows: rows)
            try startAgent(name)
        }
        for plan in plans { try await awaitReadiness(of: 2, plan: plan) }
    }
}

extension Trait where Self == ExampleFleet.Shared {
    /// A coordinator with these plans and the agents `one` and `two`, which hold this many rows for each.
    static func fleet(_ plans: ExamplePlan..., rows: Int = 100) -> Self {
        Self(plans: plans, rows: rows)
    }
}
