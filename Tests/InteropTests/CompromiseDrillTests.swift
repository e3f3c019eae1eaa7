import Foundation
import Testing

extension InteropTests {
    /// coordinator-config/compromise-drill.md, the part about the model-signing key.
    @Suite("The compromise drill")
    struct CompromiseDrillTests {
        private let plan = ExamplePlan(name: "mills", format: .csv, agents: 1)

        @Test("a stolen model-signing key is replaced and revoked: what it signed later is refused")
        func modelKey() async throws {
            try await ExampleFleet.withFleet([plan]) { fleet in
                let agent = try await fleet.enrol("one")
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                let good = try await republish(0, in: fleet)
                let (theft, bad) = try await stolen(from: good, in: fleet)
                try await wait(for: "the agent adopts the thief's model, see \(agent.log.path)") {
                    try text(of: agent.log).contains("version=\(bad.version)")
                }

                // What to run.
                try await fleet.process().stop()
                let key = try #require(try await keys(of: fleet).first).key
                _ = try await fleet.attempt(["key", "rotate"]).succeeded()
                let revoked = try await fleet.attempt([
                    "key", "revoke", String(key.prefix(12)), "--since", theft, "--reason", "stolen",
                ]).succeeded()
                let answer: RevocationAnswer = try decoded(revoked.output)
                #expect(answer.untrusted.map(\.version) == [bad.version], "\(revoked)")
                try await fleet.serve()

                // How to see that it worked.
                let states = try await keys(of: fleet).map(\.state)
                #expect(states == ["revoked", "active"])
                let trust = fleet.directory.appending(path: "new-trust.json").path
                _ = try await fleet.attempt(["trust", "export", "--output", trust]).succeeded()
                try await expect(good, verifies: true, with: trust)
                try await expect(bad, verifies: false, with: trust)
                try await wait(for: "the agent takes the new trust set, see \(agent.log.path)") {
                    try text(of: agent.log).contains("trust set updated")
                }
                let newcomer = try await fleet.enrol("two")
                try await fleet.startAgent("two")
                try await wait(for: "a new agent refuses it, see \(newcomer.log.path)") {
                    try text(of: newcomer.log).contains("model refused")
                }

                let healed = try await republish(good.version, in: fleet)
                try await expect(healed, verifies: true, with: healed.trust)
                for device in [agent, newcomer] {
                    try await wait(for: "it adopts the good model, see \(device.log.path)") {
                        try text(of: device.log).contains("version=\(healed.version)")
                    }
                }
                let audit = try await fleet.attempt(["audit", "verify"])
                #expect(audit.status == 0, "\(audit)")
                let log = fleet.coordinatorDirectory.path + "/log"
                let checked = try await run(.verifier, "log", log, "--trust", trust)
                #expect(checked.status == 0, "\(checked)")
            }
        }

        /// What the thief makes the coordinator publish, and a time before it, in UTC.
        private func stolen(
            from good: ExportAnswer, in fleet: ExampleFleet
        ) async throws -> (theft: String, model: ExportAnswer) {
            // The log counts in seconds.
            try await Task.sleep(for: .seconds(1.1))
            let theft = Date().ISO8601Format()
            try await Task.sleep(for: .seconds(1.1))
            let bad = try await republish(0, in: fleet)
            #expect(bad.version == good.version + 1)
            for model in [good, bad] { try await expect(model, verifies: true, with: bad.trust) }
            return (theft, bad)
        }

        /// Makes the weights of a version the newest and exports that.
        private func republish(
            _ version: UInt64, in fleet: ExampleFleet
        ) async throws -> ExportAnswer {
            _ = try await fleet.attempt([
                "model", "republish", plan.name, "--version", "\(version)",
            ]).succeeded()
            return try await fleet.export(plan)
        }

        private func keys(of fleet: ExampleFleet) async throws -> [KeyAnswer] {
            let listed = try await fleet.attempt(["key", "list"]).succeeded()
            let keys: [KeyAnswer] = try decoded(listed.output)
            return keys.filter { $0.use == "model-signing" }
        }

        private func expect(
            _ model: ExportAnswer, verifies: Bool, with trust: String
        ) async throws {
            let checked = try await run(.verifier, "model", model.modelDir, "--trust", trust)
            #expect(checked.status == (verifies ? 0 : 1), "\(checked)")
        }
    }
}

/// `key revoke --json`.
private struct RevocationAnswer: Decodable {
    struct Model: Decodable { let version: UInt64 }

    let untrusted: [Model]
}
