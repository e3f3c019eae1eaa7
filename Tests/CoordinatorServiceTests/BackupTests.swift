import CoordinatorService
import Cryptography
import Federation
import Foundation
import Provenance
import Registry
import Testing
import Wire

@Suite("A backup", .timeLimit(.minutes(10)))
struct BackupTests {
    private func findings(_ path: String) throws -> [RegistryAudit.Finding] {
        let trust = try TrustSet(document: try CredentialFile.read(path + "/trust-set.json"))
        return try RegistryAudit.run(directory: path, log: trust.log).findings
    }

    /// Puts the directory `name` where the coordinator's state was, which becomes `aside`.
    private func swap(
        _ directory: TemporaryDirectory, aside: String, for name: String
    ) async throws {
        let files = FileManager.default
        // A registry of this process that is just closing removes its journal, which must not be the other's by then.
        for _ in 0..<400 where files.fileExists(atPath: directory.file("state/registry.sqlite-wal"))
        {
            try await Task.sleep(for: .milliseconds(25))
        }
        try files.moveItem(atPath: directory.file("state"), toPath: directory.file(aside))
        try files.moveItem(atPath: directory.file(name), toPath: directory.file("state"))
    }

    private func runRound(
        _ admin: Admin, _ agents: [ScriptedAgent]
    ) async throws -> JobRecord {
        let job = try await admin.start("tiny")
        try await submitFromAll(agents)
        return try await admin.watchToEnd(job)
    }

    @Test(
        "is made beside the daemon, and its fleet goes on where it stood (Flower 599, OpenFL 1367)")
    func goesOn() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let backup = directory.file("backup")
            let (agents, seen) = try await FleetUnderTest.serve(directory) { fleet in
                // Long enough for agents to come back to it on a slow machine.
                let patient = TinyPlan(selectionSeconds: 60, reportSeconds: 60)
                let (admin, agents) = try await fleet.prepare(patient, agents: 3)
                #expect(try await runRound(admin, agents).state == "finished")
                let made = try await fleet.state.backUp(to: backup, withKeys: true)
                let seen = try await fleet.checkpoint()
                #expect(made.leaves == seen.checkpoint.size && made.root == seen.checkpoint.root)
                #expect(made.fleet == "lab" && made.hasKeys)
                #expect(try Backup(in: backup) == made)
                return (agents, seen)
            }
            #expect(try findings(backup) == [])
            let (restored, record) = try await StateDirectory.restore(
                backup, to: directory.file("restored"), keys: nil)
            #expect(try findings(restored.path) == [])
            let events = try await restored.registry().events(from: record.leaves, limit: 9)
            #expect(events.compactMap { LeafFields($0.leaf)?.event } == ["stateRestored"])
            try await swap(directory, aside: "lost", for: "restored")
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                var back: [ScriptedAgent] = []
                for agent in agents { back.append(try await agent.reconnected(to: fleet)) }
                // The log they saw is the beginning of this one.
                _ = try await back[0].checkIn([], logCheckpoint: seen.note)
                #expect(try await runRound(admin, back).state == "finished")
                #expect(try await admin.latestModel(of: "tiny").model?.version == 2)
                #expect(try await admin.plan("tiny").epsilon > 0)
            }
        }
    }

    @Test("that is older than what an agent has seen starts no round and says why; the newest does")
    func older() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let (agents, seen) = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
                _ = try await fleet.state.backUp(to: directory.file("backup"), withKeys: true)
                // Its charge is not in the backup.
                #expect(try await runRound(admin, agents).state == "finished")
                return (agents, try await fleet.checkpoint())
            }
            _ = try await StateDirectory.restore(
                directory.file("backup"), to: directory.file("restored"), keys: nil)
            try await swap(directory, aside: "newest", for: "restored")
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                let agent = try await agents[0].reconnected(to: fleet)
                _ = try await agent.checkIn([], logCheckpoint: seen.note)
                let fault = await refusal { _ = try await admin.start("tiny") }
                #expect(fault?.code == .conflict)
                #expect(fault?.message.contains("not the newest") == true)
                guard case .doctor(let report) = try await admin.ask(.doctorRun(DoctorRun()))
                else { throw Fault(.internal, "not a doctor's answer") }
                #expect(report.items.contains { !$0.ok && $0.detail.contains(agent.name) })
            }
            try await swap(directory, aside: "refused", for: "newest")
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                var back: [ScriptedAgent] = []
                for agent in agents { back.append(try await agent.reconnected(to: fleet)) }
                _ = try await back[0].checkIn([], logCheckpoint: seen.note)
                #expect(try await runRound(admin, back).state == "finished")
            }
        }
    }

    @Test(
        "of a fleet in the middle of a round ends that round, which may be released where it began")
    func midRound() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let agents = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
                _ = try await admin.start("tiny")
                _ = try await agents[0].assignment()
                _ = try await fleet.state.backUp(to: directory.file("backup"), withKeys: true)
                return agents
            }
            let (restored, record) = try await StateDirectory.restore(
                directory.file("backup"), to: directory.file("restored"), keys: nil)
            // Before anybody serves it.
            #expect(try findings(restored.path) == [])
            let events = try await restored.registry().events(from: record.leaves, limit: 9)
            #expect(
                events.compactMap { LeafFields($0.leaf)?.event }
                    == ["stateRestored", "roundAbandoned"])
            try await swap(directory, aside: "lost", for: "restored")
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                var back: [ScriptedAgent] = []
                for agent in agents { back.append(try await agent.reconnected(to: fleet)) }
                let job = try await admin.watchToEnd(try await admin.job(1))
                #expect(job.state == "failed" && job.detail == "restored from a backup")
                #expect(try await runRound(admin, back).state == "finished")
                #expect(try await admin.rounds(of: "tiny").map(\.published) == [false, true])
            }
        }
    }

    @Test("is of one moment, whatever is published and collected while it is made")
    func concurrent() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            try await admin.apply(TinyPlan().text + "[retention]\nversions = 1\n")
            for agent in agents { try await agent.follow("tiny") }
            let backups = Task {
                var sizes: [UInt64] = []
                for number in 0..<5 {
                    let made = try await fleet.state.backUp(
                        to: fleet.directory.file("backup-\(number)"), withKeys: true)
                    sizes.append(made.leaves)
                }
                return sizes
            }
            for _ in 0..<4 { #expect(try await runRound(admin, agents).state == "finished") }
            // Each was checked against its log as it was made.
            let sizes = try await backups.value
            #expect(sizes == sizes.sorted())
        }
    }

    @Test("without keys holds no secret, and is restored with the keys folder kept elsewhere")
    func withoutKeys() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let state = try StateDirectory(path: directory.file("state"))
            let backup = directory.file("backup")
            _ = try await state.backUp(to: backup, withKeys: false)
            let names = try FileManager.default.subpathsOfDirectory(atPath: backup)
            #expect(!names.contains { $0.hasSuffix(".key") || $0.hasSuffix(".secret") })
            let mode = try FileManager.default.attributesOfItem(atPath: backup)[.posixPermissions]
            #expect(mode as? Int == 0o700)
            let target = directory.file("restored")
            let refused = await refusal {
                _ = try await StateDirectory.restore(backup, to: target, keys: nil)
            }
            #expect(refused?.code == .invalid && refused?.remedy.contains("--keys") == true)
            #expect(!FileManager.default.fileExists(atPath: target))
            let stranger = directory.file("stranger")
            _ = try await StateDirectory.initialise(
                path: stranger, fleet: "lab", addresses: ["127.0.0.1"], port: 7443)
            let wrong = await refusal {
                _ = try await StateDirectory.restore(
                    backup, to: target, keys: stranger + "/keys")
            }
            #expect(wrong?.code == .storage || wrong?.code == .invalid)
            #expect(!FileManager.default.fileExists(atPath: target))
            let (restored, record) = try await StateDirectory.restore(
                backup, to: target, keys: state.path + "/keys")
            #expect(!record.hasKeys)
            #expect(try findings(restored.path) == [])
            let log = restored.path + "/keys/log.key"
            let ofKey = try FileManager.default.attributesOfItem(atPath: log)[.posixPermissions]
            #expect(ofKey as? Int == 0o600)
        }
    }

    @Test("that is incomplete, damaged or in the way is refused, and leaves nothing behind")
    func refused() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let state = try StateDirectory(path: directory.file("state"))
            try await FleetUnderTest.serve(directory) { fleet in
                _ = try await fleet.prepare(TinyPlan(), agents: 0)
            }
            let backup = directory.file("backup")
            _ = try await state.backUp(to: backup, withKeys: true)
            let again = await refusal { _ = try await state.backUp(to: backup, withKeys: true) }
            #expect(again?.code == .conflict)
            let onto = await refusal {
                _ = try await StateDirectory.restore(backup, to: state.path, keys: nil)
            }
            #expect(onto?.code == .conflict)
            let target = directory.file("restored")
            let blobs = try FileManager.default.subpathsOfDirectory(atPath: backup + "/blobs")
            let blob = try #require(blobs.first { $0.count > 60 })
            try Data([1]).write(to: URL(filePath: "\(backup)/blobs/\(blob)"))
            let damaged = await refusal {
                _ = try await StateDirectory.restore(backup, to: target, keys: nil)
            }
            #expect(damaged?.code == .untrusted && damaged?.message.contains("blob") == true)
            try FileManager.default.removeItem(atPath: backup + "/backup")
            let incomplete = await refusal {
                _ = try await StateDirectory.restore(backup, to: target, keys: nil)
            }
            #expect(incomplete?.code == .invalid)
            #expect(!FileManager.default.fileExists(atPath: target))
            try Data([1]).write(to: URL(filePath: "\(state.path)/blobs/\(blob)"))
            let source = await refusal {
                _ = try await state.backUp(to: target, withKeys: true)
            }
            #expect(source?.code == .storage && source?.message.contains("damaged") == true)
            #expect(!FileManager.default.fileExists(atPath: target))
        }
    }
}
