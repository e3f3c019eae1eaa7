import Foundation
import Testing

extension InteropTests.WithFleet {
    @Suite("What no honest peer does")
    struct NetworkInputTests {
        @Test(
            "ends that connection, with a reason over TLS, and the coordinator serves on",
            arguments: [
                ("http", nil), ("noise", nil), ("tls12", "PROTOCOL_VERSION"),
                ("oversized", "a frame of 536870912 bytes is above the limit of 1048576"),
                ("random", "not a Tributary envelope"), ("empty", "use the same version"),
            ] as [(String, String?)])
        func hostile(kind: String, reason: String?) async throws {
            let fleet = try ExampleFleet.current
            let port = try #require(fleet.address.split(separator: ":").last)
            let agent = fleet.agent("one")
            let finished = try await run(
                script: "hostile.py", kind, String(port), "--certificate", agent.certificate,
                "--key", agent.key
            ).succeeded()
            let seen: HostileAnswer = try decoded(finished.output)
            #expect(seen.closed)
            if let reason { #expect(seen.answer.contains(reason), "\(seen.answer)") }
            #expect(try await fleet.isServing())
        }

        @Test("a port in use ends a second coordinator, with what to do")
        func portInUse() async throws {
            let fleet = try ExampleFleet.current
            try await withTemporaryDirectory { directory in
                let second = ExampleFleet(in: directory, plans: [])
                try await second.initialise(
                    port: try #require(fleet.address.split(separator: ":").last.flatMap { Int($0) })
                )
                let result = try await run(
                    .coordinator, "serve", "--dir", second.coordinatorDirectory.path)
                #expect(result.status == 1)
                #expect(result.errors.contains("cannot listen on"), "\(result)")
                #expect(result.errors.contains("stop what uses the port"), "\(result)")
            }
            #expect(try await fleet.isServing())
        }

        @Test("a second coordinator in the same directory ends and leaves a running round alone")
        func secondCoordinator() async throws {
            let fleet = try ExampleFleet.current
            // Three are wanted and two are there: the round goes on until it is cancelled.
            let plan = ExamplePlan.beads.name
            let job: JobAnswer = try await fleet.administer(["round", "start", plan])
            #expect(job.state == "running")
            let round = try await runningRound(of: plan, in: fleet)

            let result = try await run(
                .coordinator, "serve", "--dir", fleet.coordinatorDirectory.path)
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.contains("another coordinator"), "\(result)")

            let after: RoundAnswer = try await fleet.administer(["round", "show", "\(round)"])
            #expect(Self.running.contains(after.phase), "\(after)")
            let cancelled = try await fleet.attempt(["round", "cancel", "\(round)"])
            #expect(cancelled.status == 0, "\(cancelled)")
            #expect(try await fleet.isServing())
        }

        private static let running = ["selecting", "training"]

        private func runningRound(of plan: String, in fleet: ExampleFleet) async throws -> UInt64 {
            var last: RoundAnswer?
            try await wait(for: "a round begins") {
                let list: RoundsAnswer = try await fleet.administer(["round", "list", plan])
                last = list.rounds.last
                return last.map { Self.running.contains($0.phase) } ?? false
            }
            return try #require(last).round
        }
    }
}
