import Foundation
import Glibc
import Testing

extension InteropTests {
    @Suite("A fleet that is restored from a backup")
    struct RestoredFleetTests {
        @Test(
            "starts no round on an older state once a device shows what it saw; the newest goes on")
        func older() async throws {
            let plan = ExamplePlan(name: "kept", format: .csv, agents: 1)
            try await ExampleFleet.withFleet([plan]) { fleet in
                let agent = try await fleet.enrol("one")
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                let backup = fleet.directory.appending(path: "backup").path
                let made: BackupAnswer = try await fleet.administer(["backup", backup])
                #expect(made.leaves > 0 && !made.keys)
                try await publish(plan, in: fleet)
                // Before that it has seen no more of the log than the backup has.
                try await wait(for: "the device holds what was published since") {
                    try await status(of: agent)?.status.plans.first?.modelVersion == 1
                }

                try await replaceState(of: fleet, keeping: "newest") { newest in
                    _ = try await run(
                        .coordinator, "restore", backup, "--into", fleet.coordinatorDirectory.path,
                        "--keys", newest.path + "/keys"
                    ).succeeded()
                    // The first admin's credential is a secret, and was not in the backup.
                    try FileManager.default.copyItem(
                        at: newest.appending(path: "admin"),
                        to: fleet.coordinatorDirectory.appending(path: "admin"))
                }
                try await wait(for: "the device shows what it has seen of the log") {
                    try await fleet.attempt(["doctor"]).output.contains("not the newest")
                }
                let refused = try await fleet.attempt(["round", "start", plan.name])
                #expect(refused.status == 1)
                #expect(refused.errors.contains("older backup"), "\(refused)")

                try await replaceState(of: fleet, keeping: "refused") { refused in
                    try FileManager.default.moveItem(
                        at: refused.deletingLastPathComponent().appending(path: "newest"),
                        to: fleet.coordinatorDirectory)
                }
                try await publish(plan, in: fleet)
                _ = try await run(
                    .coordinator, "audit", "verify", "--dir", fleet.coordinatorDirectory.path
                ).succeeded()
            }
        }

        /// Stops the coordinator, moves its directory aside, and serves what `body` puts in its place.
        private func replaceState(
            of fleet: ExampleFleet, keeping name: String, _ body: (URL) async throws -> Void
        ) async throws {
            try await fleet.process().stop()
            let aside = fleet.directory.appending(path: name)
            try FileManager.default.moveItem(at: fleet.coordinatorDirectory, to: aside)
            try await body(aside)
            try await fleet.serve()
        }

        private func publish(_ plan: ExamplePlan, in fleet: ExampleFleet) async throws {
            let before: RoundsAnswer = try await fleet.administer(["round", "list", plan.name])
            let _: JobAnswer = try await fleet.administer(["round", "start", plan.name])
            try await wait(for: "a round of \(plan.name) is published") {
                let list: RoundsAnswer = try await fleet.administer(["round", "list", plan.name])
                return list.rounds.count(where: \.published)
                    > before.rounds.count(where: \.published)
            }
        }
    }
}

/// What `backup` says.
private struct BackupAnswer: Decodable {
    let leaves: UInt64
    let keys: Bool
}
