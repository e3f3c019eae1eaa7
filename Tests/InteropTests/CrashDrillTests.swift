import Foundation
import Testing

extension InteropTests {
    @Suite("A coordinator killed again and again in private rounds")
    struct CrashDrillTests {
        @Test("after 100 kills the ledger never understated, and no round was released twice")
        func hundredKills() async throws {
            let plan = ExamplePlan(name: "secret", format: .csv, agents: 1, noiseMultiplier: 1)
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
            }
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
