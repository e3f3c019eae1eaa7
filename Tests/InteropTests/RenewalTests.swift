import Foundation
import Glibc
import Testing

extension InteropTests {
    @Suite("Certificates of a fleet at work")
    struct RenewalTests {
        /// A round of it needs as many updates as there are agents.
        private func plan(agents: Int) -> ExamplePlan {
            ExamplePlan(name: "mills", format: .csv, agents: agents)
        }

        private func lines(_ words: String, in agent: ExampleAgent) throws -> Int {
            try text(of: agent.log).split(separator: "\n").count { $0.contains(words) }
        }

        private func runRound(
            of plan: ExamplePlan, in fleet: ExampleFleet
        ) async throws -> JobAnswer {
            try await fleet.administer(["round", "start", plan.name, "--watch"])
        }

        @Test(
            "a daemon renews its certificate twice without a restart, then takes part in a round (NVFLARE 5248)"
        )
        func renewsTwice() async throws {
            let plan = plan(agents: 1)
            // Each lives for 26 seconds and is renewed after 17 to 20; a held check-in would outlast it.
            try await ExampleFleet.withFleet([plan], deviceDays: 0.0003, waitSeconds: 1) { fleet in
                let agent = try await fleet.enrol("one")
                let first = try text(of: URL(filePath: agent.key))
                try await fleet.startAgent("one")
                let process = try await fleet.process("one").identifier
                try await wait(for: "two renewals, see \(agent.log.path)", seconds: 90) {
                    try lines("certificate renewed", in: agent) >= 2
                }
                #expect(try text(of: URL(filePath: agent.key)) != first)
                #expect(try await fleet.process("one").identifier == process)
                #expect(try lines("refuse", in: agent) == 0)
                let job = try await runRound(of: plan, in: fleet)
                #expect(job.state == "finished" && job.rounds.first?.reported == 1)
                #expect(
                    try FileManager.default.attributesOfItem(atPath: agent.key)[.posixPermissions]
                        as? Int == 0o600)
            }
        }

        @Test(
            "an agent that is killed again and again while it renews always has a working identity")
        func killedWhileRenewing() async throws {
            let plan = plan(agents: 1)
            try await ExampleFleet.withFleet([plan], deviceDays: 0.0003, waitSeconds: 1) { fleet in
                let agent = try await fleet.enrol("one")
                let certificate = URL(filePath: agent.certificate)
                for _ in 0..<2 {
                    let before = try text(of: certificate)
                    try await fleet.startAgent("one")
                    try await wait(for: "a renewal, see \(agent.log.path)", seconds: 60) {
                        try text(of: certificate) != before
                    }
                    // Between the certificate and its key, or just after.
                    try await fleet.process("one").signal(SIGKILL)
                    #expect(try await fleet.process("one").end(within: 10) == -SIGKILL)
                }
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                #expect(try await runRound(of: plan, in: fleet).state == "finished")
            }
        }

        @Test("a revoked agent is refused on its next message")
        func revoked() async throws {
            let plan = plan(agents: 1)
            try await ExampleFleet.withFleet([plan]) { fleet in
                let agent = try await fleet.enrol("one")
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                let list: AgentsAnswer = try await fleet.administer(["agent", "list"])
                let name = try #require(list.agents.first).agent
                _ = try await fleet.attempt(["agent", "revoke", name, "--reason", "stolen"])
                    .succeeded()
                try await wait(for: "the refusal, see \(agent.log.path)", seconds: 10) {
                    try lines("was revoked", in: agent) > 0
                }
                #expect(try lines("enroll with --force", in: agent) > 0)
                let doctor = try await run(.agent, "doctor", "--config", agent.configuration)
                #expect(doctor.status == 1 && doctor.words.contains("was revoked"))
            }
        }

        @Test(
            "the fleet's authority is replaced under three agents without enrolling them again (MediSwarm PR 449)"
        )
        func rotation() async throws {
            let plan = plan(agents: 3)
            let names = ["one", "two", "three"]
            try await ExampleFleet.withFleet([plan]) { fleet in
                for name in names {
                    try await fleet.enrol(name)
                    try await fleet.startAgent(name)
                }
                let absent = try await fleet.enrol("absent")
                try await fleet.awaitReadiness(of: 3, plan: plan)
                try await offline(["authority", "rotate"], in: fleet)
                for name in names {
                    let agent = fleet.agent(name)
                    try await wait(for: "\(name) renews, see \(agent.log.path)") {
                        try lines("certificate renewed", in: agent) == 1
                    }
                }
                #expect(try await runRound(of: plan, in: fleet).state == "finished")

                try await fleet.process().stop()
                let refused = try await fleet.attempt(["authority", "retire"])
                #expect(refused.status != 0 && refused.words.contains("1 agent "), "\(refused)")
                try await offline(["authority", "retire", "--force"], in: fleet)
                #expect(try await runRound(of: plan, in: fleet).state == "finished")
                for name in names {
                    #expect(try lines("certificate renewed", in: fleet.agent(name)) == 1)
                }
                let doctor = try await run(.agent, "doctor", "--config", absent.configuration)
                #expect(doctor.status == 1)
                #expect(doctor.words.contains("its authority was replaced"), "\(doctor)")
                #expect(doctor.words.contains("enrol again"), "\(doctor)")
            }
        }

        /// Stops the coordinator, runs a command, and serves again.
        private func offline(_ words: [String], in fleet: ExampleFleet) async throws {
            try await fleet.process().stop()
            _ = try await fleet.attempt(words).succeeded()
            try await fleet.serve()
        }
    }

    @Suite("Agents that are shown what is wrong")
    struct RefusalTests {
        @Test("a coordinator that was set back is refused by its agents, and begins no round")
        func setBack() async throws {
            let plan = ExamplePlan(name: "mills", format: .csv, agents: 1)
            try await ExampleFleet.withFleet([plan]) { fleet in
                let agent = try await fleet.enrol("one")
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                let state = fleet.coordinatorDirectory
                let backup = fleet.directory.appending(path: "backup")
                try await fleet.process().stop()
                try FileManager.default.copyItem(at: state, to: backup)
                try await fleet.serve()
                try await fleet.awaitReadiness(of: 1, plan: plan)
                let job: JobAnswer = try await fleet.administer([
                    "round", "start", plan.name, "--watch",
                ])
                #expect(job.state == "finished")
                try await wait(for: "the new version, see \(agent.log.path)") {
                    try text(of: agent.log).contains("model adopted plan=mills version=1")
                }

                try await fleet.process().stop()
                try FileManager.default.removeItem(at: state)
                try FileManager.default.moveItem(at: backup, to: state)
                try await fleet.serve()
                try await wait(for: "the agent refuses, see \(agent.log.path)") {
                    try text(of: agent.log).contains("the coordinator was set back")
                }
                let status: StatusAnswer = try decoded(
                    try await run(.agent, "status", "--config", agent.configuration, "--json")
                        .succeeded().output)
                #expect(status.status.plans.first?.modelVersion == 1)
                let refused = try await fleet.attempt(["round", "start", plan.name])
                #expect(refused.status == 1)
                #expect(refused.words.contains("this state is not the newest"), "\(refused)")
                #expect(try text(of: fleet.coordinatorLog).contains("state was set back"))
                let doctor = try await fleet.attempt(["doctor"])
                #expect(doctor.status != 0 && doctor.words.contains("not the newest"), "\(doctor)")
            }
        }

        @Test(
            "a model with a wrong signature, a wrong proof or an older version is refused, reported once, and left",
            arguments: [
                ("signature", 0, "fails the check 'signature'"),
                ("proof", 0, "fails the check 'inclusion'"),
                ("older", 1, "this device holds version 1, which is newer"),
            ])
        func wrongModel(kind: String, held: UInt64, reason: String) async throws {
            let plan = ExamplePlan(name: "mills", format: .csv, agents: 1)
            try await ExampleFleet.withFleet([plan], waitSeconds: 1) { fleet in
                let agent = try await fleet.enrol("one")
                let double = try await startDouble(kind, for: agent, in: fleet)
                defer { double.signal(SIGKILL) }
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                if held > 0 {
                    let job: JobAnswer = try await fleet.administer([
                        "round", "start", plan.name, "--watch",
                    ])
                    #expect(job.state == "finished")
                }
                try await wait(for: "the refusal, see \(agent.log.path)") {
                    try text(of: agent.log).contains("refusal reported")
                }
                // Some more check-ins, at which it is not looked at again.
                try await Task.sleep(for: .seconds(5))
                let log = try text(of: agent.log)
                let refusals = log.split(separator: "\n").filter {
                    $0.contains("error model refused")
                }
                #expect(refusals.count == 1, "\(log)")
                #expect(refusals.first?.contains(reason) == true, "\(log)")
                let listed = try await fleet.attempt(["agent", "list"]).succeeded()
                #expect(listed.output.contains("is refused"), "\(listed)")
                let status: StatusAnswer = try decoded(
                    try await run(.agent, "status", "--config", agent.configuration, "--json")
                        .succeeded().output)
                #expect(status.running)
                #expect(status.status.plans.first?.modelVersion == (held > 0 ? held : nil))
                #expect(status.status.plans.first?.problem?.contains("is refused") == true)
            }
        }

        @Test("a coordinator whose log shrinks between two check-ins is refused")
        func shorterLog() async throws {
            let plan = ExamplePlan(name: "mills", format: .csv, agents: 1)
            try await ExampleFleet.withFleet([plan], waitSeconds: 1) { fleet in
                let agent = try await fleet.enrol("one")
                let double = try await startDouble("shorter", for: agent, in: fleet)
                defer { double.signal(SIGKILL) }
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                _ =
                    try await fleet.administer(["round", "start", plan.name, "--watch"])
                    as JobAnswer
                try await wait(for: "the refusal, see \(agent.log.path)") {
                    try text(of: agent.log).contains("the coordinator was set back")
                }
            }
        }

        /// Puts tampering.py between an agent that has not started and the coordinator.
        private func startDouble(
            _ kind: String, for agent: ExampleAgent, in fleet: ExampleFleet
        ) async throws -> RunningProgram {
            let output = fleet.directory.appending(path: "double.log")
            let double = try RunningProgram(
                Checkout.venv("python"),
                [
                    Checkout.script("tampering.py"), kind, "--proto", Checkout.protoDirectory,
                    "--coordinator", fleet.coordinatorDirectory.path, "--agent", agent.state,
                ], output: output, errors: fleet.directory.appending(path: "double.errors"))
            try await wait(for: "the double listens") {
                guard double.isRunning else { throw Unexpected("the double ended") }
                return try text(of: output).contains("\n")
            }
            let port = try #require(try text(of: output).split(separator: "\n").first)
            try Data("127.0.0.1:\(port)\n".utf8).write(
                to: URL(filePath: agent.state + "/coordinator"))
            return double
        }
    }
}
