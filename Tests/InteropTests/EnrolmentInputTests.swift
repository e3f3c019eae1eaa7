import Foundation
import Testing

extension InteropTests.WithFleet {
    @Suite("Who may not take part")
    struct EnrolmentInputTests {
        @Test("a token that is wrong is refused, and nothing of an identity is left")
        func wrongToken() async throws {
            let fleet = try ExampleFleet.current
            let token = try await ExampleToken(fleet.newToken())
            let none = String(repeating: "0", count: 64)
            let cases = [
                (token.with(.secret, none), "does not know the enrolment token", "new token"),
                (token.with(.authority, none), "belongs to another fleet", "check the address"),
                (token.with(.kind, "tributary9"), "not an enrolment token", "the whole line"),
                ("nonsense", "not an enrolment token", "the whole line"),
                (
                    token.with(.address, "127.0.0.1:\(try unusedPort())"), "nothing listens there",
                    "check that the coordinator runs"
                ),
            ]
            for (text, reason, remedy) in cases {
                let refused = try await enrol("wrong", token: text, in: fleet)
                #expect(refused.status == 1, "\(refused)")
                #expect(refused.errors.contains(reason), "\(refused)")
                #expect(refused.errors.contains(remedy), "\(refused)")
            }
            let files = try FileManager.default.subpathsOfDirectory(
                atPath: fleet.agent("wrong").state)
            #expect(files.allSatisfy { !$0.contains(".") && $0 != "coordinator" }, "\(files)")
            #expect(try await fleet.isServing())
        }

        @Test("a token that expired is refused by the coordinator, and by a device that can tell")
        func expiredToken() async throws {
            let fleet = try ExampleFleet.current
            let token = try await fleet.newToken()
            // The shortest token lives for a minute; this is what the coordinator remembers of it after that.
            try await changeTokens(of: fleet, "expiresUnix = expiresUnix - 100000000")
            let refused = try await enrol("late", token: token, in: fleet)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("expired"), "\(refused)")
            #expect(refused.errors.contains("agent token"), "\(refused)")
            // Nor can it be made to last longer: the log says for how long it was made.
            try await changeTokens(of: fleet, "expiresUnix = expiresUnix + 200000000")
            let prolonged = try await enrol("late", token: token, in: fleet)
            #expect(prolonged.status == 1)
            #expect(prolonged.errors.contains("changed from outside"), "\(prolonged)")
            try await changeTokens(of: fleet, "expiresUnix = expiresUnix - 100000000")

            let old = try ExampleToken(token).with(.expiry, "1000000000")
            let unasked = try await enrol("late", token: old, in: fleet)
            #expect(unasked.status == 1)
            #expect(unasked.errors.contains("expired on 2001-09-09"), "\(unasked)")
            #expect(!fleet.agent("late").isEnrolled)
        }

        private func changeTokens(of fleet: ExampleFleet, _ change: String) async throws {
            try await changeRegistry(fleet.registry, "UPDATE tokens SET \(change)")
        }

        @Test("a token serves one device, and an enrolled device keeps its identity")
        func usedToken() async throws {
            let fleet = try ExampleFleet.current
            let token = try await fleet.newToken()
            _ = try await enrol("first", token: token, in: fleet).succeeded()
            let certificate = try text(of: URL(filePath: fleet.agent("first").certificate))

            let second = try await enrol("second", token: token, in: fleet)
            #expect(second.status == 1)
            #expect(second.errors.contains("already used"), "\(second)")
            #expect(second.errors.contains("new token"), "\(second)")
            #expect(!fleet.agent("second").isEnrolled)

            let again = try await enrol("first", token: fleet.newToken(), in: fleet)
            #expect(again.status == 1)
            #expect(again.errors.contains("enrolled already"), "\(again)")
            #expect(again.errors.contains("--force"), "\(again)")
            #expect(try text(of: URL(filePath: fleet.agent("first").certificate)) == certificate)
        }

        @Test("an agent of one fleet and the coordinator of another refuse each other")
        func anotherFleet() async throws {
            let fleet = try ExampleFleet.current
            let stray = try await fleet.enrol("stray", for: [.beads])
            try await ExampleFleet.withFleet([]) { other in
                try Data("\(other.address)\n".utf8)
                    .write(to: URL(filePath: stray.state + "/coordinator"))
                let refusing = try await run(.agent, "doctor", "--config", stray.configuration)
                #expect(refusing.status == 1)
                #expect(refusing.output.contains("belongs to another fleet"), "\(refusing)")
                #expect(refusing.output.contains("check the address"), "\(refusing)")

                // A device that was told to believe the other fleet still has the wrong certificate.
                let trust = other.coordinatorDirectory.appending(path: "trust-set.json")
                try Data(contentsOf: trust)
                    .write(to: URL(filePath: stray.state + "/trust-set.json"))
                let refused = try await run(.agent, "doctor", "--config", stray.configuration)
                #expect(refused.status == 1)
                #expect(refused.output.contains("refused our certificate"), "\(refused)")
                #expect(refused.output.contains("enrol again"), "\(refused)")

                try await fleet.startAgent("stray")
                try await wait(for: "the daemon says that it is refused") {
                    try text(of: stray.log).contains("refused our certificate")
                }
                #expect(try await fleet.process("stray").stop() == 0)
                #expect(try await other.isServing())
            }
        }

        @Test("a revoked agent is told what to do, and its daemon lives on")
        func revokedAgent() async throws {
            let fleet = try ExampleFleet.current
            let revoked = try await fleet.enrol("revoked", for: [.beads])
            try await fleet.startAgent("revoked")
            try await wait(for: "the agent is idle") {
                try await status(of: revoked)?.status.state == "idle"
            }
            let identity = try text(of: revoked.log).firstMatch(of: /agent=(agent-[0-9a-f]+)/)?.1
            let name = String(try #require(identity))
            let record: AgentAnswer = try await fleet.administer([
                "agent", "revoke", name, "--reason", "stolen",
            ])
            #expect(record.state == "revoked")

            try await wait(for: "the daemon says that it was revoked") {
                try text(of: revoked.log).contains("was revoked")
            }
            #expect(try text(of: revoked.log).contains("get a token from the admin"))
            #expect(try await fleet.process("revoked").isRunning)
            let doctor = try await run(.agent, "doctor", "--config", revoked.configuration)
            #expect(doctor.status == 1)
            #expect(doctor.output.contains("was revoked; ask the fleet's admin"), "\(doctor)")

            let twice = try await fleet.attempt(["agent", "revoke", name])
            #expect(twice.status == 1)
            #expect(try await fleet.isServing())
        }

        private func enrol(
            _ name: String, token: String, in fleet: ExampleFleet
        ) async throws -> Finished {
            try fleet.agent(name).writeConfiguration(plans: [])
            return try await run(
                .agent, "enroll", "--config", fleet.agent(name).configuration, "--token", token)
        }
    }
}

/// What the daemon last said of itself; nil before it has said anything.
func status(of agent: ExampleAgent) async throws -> StatusAnswer? {
    let finished = try await run(.agent, "status", "--config", agent.configuration, "--json")
    guard finished.status == 0, !finished.output.contains(#""status":null"#) else { return nil }
    return try decoded(finished.output)
}

/// An enrolment token, taken apart to be spoilt.
private struct ExampleToken {
    enum Field: Int { case kind, address, authority, secret, expiry }

    private let fields: [String]

    init(_ text: String) throws {
        fields = text.split(separator: ";").map(String.init)
        guard fields.count == 5 else { throw Unexpected("not a token: \(text)") }
    }

    func with(_ field: Field, _ value: String) -> String {
        var changed = fields
        changed[field.rawValue] = value
        return changed.joined(separator: ";")
    }
}

extension ExampleAgent {
    fileprivate var isEnrolled: Bool { FileManager.default.fileExists(atPath: certificate) }
}
