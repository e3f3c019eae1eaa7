import Foundation
import Testing

extension InteropTests {
    @Suite("A coordinator killed again and again in private rounds")
    struct CrashDrillTests {
        @Test(
            "after 100 kills the ledger never understated, no round was released twice, and none given up"
        )
        func hundredKills() async throws {
            let plan = ExamplePlan(name: "secret", format: .csv, agents: 1, noiseMultiplier: 4)
            try await ExampleFleet.withFleet([plan]) { fleet in
                let token = try await fleet.newToken()
                try await fleet.process().stop()
                let finished = try await run(
                    Checkout.venv("python"),
                    [
                        Checkout.script("crash_drill.py"), "--proto", Checkout.protoDirectory,
                        "--token", token, "--plan", plan.name,
                        "--state", fleet.directory.appending(path: "python").path,
                        "--program", try Program.coordinator.located().path,
                        "--coordinator", fleet.coordinatorDirectory.path, "--kills", "100",
                    ], seconds: 600
                ).succeeded()
                let drill: DrillAnswer = try decoded(finished.output)
                #expect(drill.kills == 100)
                #expect(drill.noticesALostCharge)
                // Deaths in the middle of the mechanism itself, between charge and publication.
                #expect(drill.releases > 0)
                #expect(drill.charges > drill.releases, "\(finished.output)")
                try await audit(fleet, plan: plan.name, atLeast: drill.charges)
            }
        }

        /// dp-accounting computes from the exported ledger what the coordinator says was spent.
        private func audit(
            _ fleet: ExampleFleet, plan: String, atLeast charges: Int
        ) async throws {
            try await fleet.serve()
            let ledger = fleet.directory.appending(path: "ledger.json").path
            let export = ["privacy", "export", plan, "--output", ledger]
            _ = try await fleet.attempt(export).succeeded()
            let again = try await fleet.attempt(export)
            #expect(again.status == 1 && again.errors.contains("exists already"))
            let shown: OutlookAnswer = try await fleet.administer(["privacy", "show", plan])
            let audited: AuditAnswer = try decoded(
                try await run(script: "audit_ledger.py", ledger).succeeded().output)
            #expect(audited.charges >= charges && audited.charges == shown.charges)
            #expect(abs(audited.epsilon - shown.epsilon) <= max(1e-3, 0.005 * audited.epsilon))
            // The plan has no limit; the curve begins above what is spent.
            #expect(shown.roundsLeft == nil && shown.maxEpsilon == nil)
            #expect(try #require(shown.curve.first).epsilon > shown.epsilon)
        }
    }
}

/// What crash_drill.py saw.
private struct DrillAnswer: Decodable {
    let kills: Int
    let charges: Int
    let releases: Int
    let noticesALostCharge: Bool
}

/// What `privacy show` says, as far as this test reads it.
private struct OutlookAnswer: Decodable {
    struct Point: Decodable {
        let rounds: Int
        let epsilon: Double
    }

    let charges: Int
    let epsilon: Double
    let maxEpsilon: Double?
    let roundsLeft: Int?
    let curve: [Point]
}

/// What audit_ledger.py computed.
private struct AuditAnswer: Decodable {
    let charges: Int
    let epsilon: Double
}
