import Foundation
import Testing

/// What of `status --json` the device's owner asks for.
private struct OwnerAnswer: Decodable {
    struct Pause: Decodable { let reason: String }

    struct Daemon: Decodable { let state: String }

    struct Sent: Decodable {
        let plan: String
        let bytes: Int
        let norm: Double
        let coordinator: String
        let verdict: String
        let updates: Int
    }

    let paused: Pause?
    let status: Daemon?
    let sent: [Sent]
}

/// `leave --json`.
private struct LeaveAnswer: Decodable {
    let agent: String?
    let revoked: Bool
    let left: [String]
}

/// The states of devices in `agent list --json`.
private struct StatesAnswer: Decodable {
    struct Agent: Decodable {
        let agent: String
        let state: String
        let unavailable: String
    }

    let agents: [Agent]
}

extension InteropTests {
    /// A device's owner has the last word.
    @Suite("The device's owner")
    struct OwnerTests {
        @Test(
            "pauses in the middle of training, which gives the place back; it lasts over a restart, until resumed"
        )
        func pause() async throws {
            try await ExampleFleet.withFleet([.steady]) { fleet in
                for name in ["one", "two"] {
                    try await fleet.enrol(name, rows: 1_000)
                    try await fleet.startAgent(name)
                }
                try await fleet.awaitReadiness(of: 2, plan: .steady)
                let one = fleet.agent("one")
                let job: JobAnswer = try await fleet.administer(
                    ["round", "start", ExamplePlan.steady.name])
                try await wait(for: "one trains, see \(one.log.path)") {
                    try text(of: one.log).contains("info training ")
                }
                _ = try await owner(one, ["pause", "--reason", "dinner"])
                // Training would go on for some seconds.
                try await wait(for: "the coordinator is told", seconds: 10) {
                    try text(of: fleet.coordinatorLog).split(separator: "\n").contains {
                        $0.contains("declined") && $0.contains("its owner has paused this device")
                    }
                }
                #expect(try !text(of: fleet.coordinatorLog).contains("dinner"))
                try await awaitStatus(of: one) {
                    $0.status?.state == "paused" && $0.paused?.reason == "dinner"
                }
                try await fleet.process("one").stop()
                try await fleet.startAgent("one")
                try await awaitStatus(of: one) { $0.status?.state == "paused" }
                let states: StatesAnswer = try await fleet.administer(["agent", "list"])
                #expect(
                    states.agents.count { $0.unavailable.contains("its owner has paused") } == 1)

                let resumed = try await owner(one, ["resume"])
                #expect(resumed.output == #"{"paused":null}"# + "\n")
                try await awaitStatus(of: one) { $0.status?.state != "paused" }
                _ = try await fleet.attempt(["job", "cancel", "\(job.job)"])
                _ =
                    try await fleet.administer(
                        ["round", "start", ExamplePlan.steady.name]) as JobAnswer
                try await wait(for: "one takes part again", seconds: 90) {
                    try await status(of: one).sent.first?.verdict == "accepted"
                }
                let sent = try #require(try await status(of: one).sent.first)
                #expect(sent.bytes > 0 && sent.norm > 0 && sent.updates > 0)
                #expect(try sent.coordinator == fleet.address)
            }
        }

        @Test("pauses while a heartbeat waits for its answer, which gives the place back too")
        func pauseInHeartbeat() async throws {
            let lasting = ExamplePlan(
                name: "lasting", format: .csv, epochs: 10_000, leaseSeconds: 6)
            try await ExampleFleet.withFleet([lasting]) { fleet in
                for name in ["one", "two"] {
                    try await fleet.enrol(name, rows: 10_000)
                    try await fleet.startAgent(name)
                }
                try await fleet.awaitReadiness(of: 2, plan: lasting)
                let one = fleet.agent("one")
                _ = try await fleet.administer(["round", "start", lasting.name]) as JobAnswer
                try await wait(for: "one trains, see \(one.log.path)") {
                    try text(of: one.log).contains("info training ")
                }
                let coordinator = try await fleet.process()
                coordinator.signal(SIGSTOP)
                defer { coordinator.signal(SIGCONT) }
                let daemon = try await fleet.process("one").identifier
                try await wait(for: "one waits for an answer", seconds: 20) {
                    let before = try processorTicks(of: daemon)
                    try await Task.sleep(for: .milliseconds(300))
                    return try processorTicks(of: daemon) == before
                }
                _ = try await owner(one, ["pause"])
                coordinator.signal(SIGCONT)
                // Its lease would be over later.
                try await wait(for: "the coordinator is told", seconds: 5) {
                    try text(of: fleet.coordinatorLog).split(separator: "\n").contains {
                        $0.contains("declined") && $0.contains("its owner has paused this device")
                    }
                }
                try await awaitStatus(of: one) { $0.status?.state == "paused" }
                #expect(try !text(of: one.log).contains("heartbeat failed"))
            }
        }

        /// How long a process has computed, in the system's units.
        private func processorTicks(of process: Int32) throws -> Int {
            let fields = try text(of: URL(filePath: "/proc/\(process)/stat")).split(separator: " ")
            return (Int(fields[13]) ?? 0) + (Int(fields[14]) ?? 0)
        }

        @Test("leaves while the daemon runs: revoked, ended, erased, and the data as it was")
        func leave() async throws {
            try await ExampleFleet.withFleet([.beads]) { fleet in
                let agent = try await fleet.enrol("one")
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: .beads)
                let data = try FileManager.default.contentsOfDirectory(
                    atPath: agent.data(of: .beads).path)

                let asked = try await run(.agent, "leave", "--config", agent.configuration)
                #expect(asked.status == 1 && asked.errors.contains("--yes"), "\(asked)")
                let finished = try await owner(agent, ["leave", "--yes"])
                let answer: LeaveAnswer = try decoded(finished.output)
                #expect(answer.revoked)
                #expect(answer.left == [agent.data(of: .beads).path])
                #expect(try await fleet.process("one").end(within: 10) == 0)
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: agent.state).isEmpty)
                #expect(
                    try FileManager.default.contentsOfDirectory(
                        atPath: agent.data(of: .beads).path) == data)

                let states: StatesAnswer = try await fleet.administer(["agent", "list"])
                #expect(states.agents.map(\.state) == ["revoked"])
                let log = try await fleet.attempt(["audit", "log", "--kind", "agentRevoked"])
                #expect(log.output.contains("its owner took it out of the fleet"), "\(log)")
                let again = try await run(
                    .agent, "leave", "--config", agent.configuration, "--yes")
                #expect(again.status == 1 && again.errors.contains("in no fleet"), "\(again)")
            }
        }

        @Test("a coordinator that is away keeps the device as it is, unless it leaves offline")
        func offline() async throws {
            try await ExampleFleet.withFleet([.beads]) { fleet in
                let agent = try await fleet.enrol("one")
                try await fleet.process().stop()
                let refused = try await run(
                    .agent, "leave", "--config", agent.configuration, "--yes")
                #expect(refused.status == 1 && refused.errors.contains("nothing was erased"))
                #expect(FileManager.default.fileExists(atPath: agent.key))
                let finished = try await run(
                    .agent, "leave", "--config", agent.configuration, "--yes", "--offline"
                ).succeeded()
                #expect(finished.output.contains("tributary-coordinator agent revoke"))
                #expect(!FileManager.default.fileExists(atPath: agent.key))
            }
        }

        /// A command of the device's owner that succeeds.
        private func owner(_ agent: ExampleAgent, _ words: [String]) async throws -> Finished {
            try await run(
                Program.agent.located(), words + ["--config", agent.configuration, "--json"]
            ).succeeded()
        }

        private func status(of agent: ExampleAgent) async throws -> OwnerAnswer {
            try decoded(try await owner(agent, ["status"]).output)
        }

        private func awaitStatus(
            of agent: ExampleAgent, _ holds: (OwnerAnswer) -> Bool
        ) async throws {
            try await wait(for: "a status, see \(agent.log.path)", seconds: 20) {
                holds(try await status(of: agent))
            }
        }
    }
}
