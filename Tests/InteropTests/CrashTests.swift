import Foundation
import Glibc
import Testing

extension InteropTests {
    /// A plan whose training takes some seconds, so that there is a middle of a round.
    @Suite("When a process dies", .fleet(.slow, rows: 300))
    struct CrashTests {
        @Test(
            "an agent killed in the middle of a round rejoins the same coordinator over TLS and its update counts (Flower 4844)"
        )
        func agentKilled() async throws {
            let fleet = try ExampleFleet.current
            let round = try await startRound(in: fleet)
            try await fleet.process("one").signal(SIGKILL)
            #expect(try await fleet.process("one").end(within: 10) == -SIGKILL)
            try await fleet.startAgent("one")

            let ended = try await fleet.end(of: round)
            #expect(ended.published, "\(ended)")
            #expect(ended.selected == 2)
            #expect(ended.reported == 2)
        }

        @Test(
            "a coordinator killed in the middle of a round goes on with it: no run is lost (Flower 599, NVFLARE 242, OpenFL 1367, MediSwarm 347)"
        )
        func coordinatorKilled() async throws {
            let fleet = try ExampleFleet.current
            let interrupted = try await startRound(in: fleet)
            try await fleet.process().signal(SIGKILL)
            #expect(try await fleet.process().end(within: 10) == -SIGKILL)
            try await fleet.serve()

            let resumed = try await fleet.end(of: interrupted)
            #expect(resumed.published, "\(resumed)")
            #expect(resumed.selected == 2 && resumed.reported == 2)
            let next = try await startRound(in: fleet)
            let ended = try await fleet.end(of: next)
            #expect(ended.published, "\(ended)")
            #expect(ended.reported == 2)
            for name in ["one", "two"] { #expect(try await fleet.process(name).isRunning) }
        }

        @Test(
            "SIGTERM ends coordinator and agents in order, and the round goes on when they are back"
        )
        func terminated() async throws {
            let fleet = try ExampleFleet.current
            let interrupted = try await startRound(in: fleet)
            #expect(try await fleet.process("one").stop(within: 10) == 0)
            #expect(try await fleet.process().stop(within: 10) == 0)
            #expect(try await fleet.process("two").stop(within: 10) == 0)
            #expect(try text(of: fleet.agent("one").log).hasSuffix("agent stopped\n"))
            try await fleet.serve()
            for name in ["one", "two"] { try await fleet.startAgent(name) }
            let resumed = try await fleet.end(of: interrupted)
            #expect(resumed.published, "\(resumed)")
            #expect(resumed.reported == 2)
        }

        /// Starts a round and waits until both agents train for it.
        private func startRound(in fleet: ExampleFleet) async throws -> UInt64 {
            let plan = ExamplePlan.slow.name
            let before: RoundsAnswer = try await fleet.administer(["round", "list", plan])
            let _: JobAnswer = try await fleet.administer(["round", "start", plan])
            var round: UInt64 = 0
            try await wait(for: "a round of \(plan) begins") {
                let list: RoundsAnswer = try await fleet.administer(["round", "list", plan])
                round = list.rounds.last?.round ?? 0
                return list.rounds.count > before.rounds.count
            }
            try await fleet.trains(for: round)
            return round
        }
    }
}

extension ExamplePlan {
    fileprivate static let slow = ExamplePlan(name: "slow", format: .csv, epochs: 10_000)
}
