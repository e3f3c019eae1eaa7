import Cryptography
import Federation
import Foundation
import Privacy
import Provenance
import ProvenanceSamples
import Testing

@Suite("Verifying an exported model")
struct VerificationOfModelTests {
    private let fleet: LoggedFleet

    init() throws {
        fleet = try LoggedFleet()
        for _ in 0..<3 { try fleet.addVersion() }
        for version in 0..<3 { try fleet.exportModel(version) }
        try fleet.exportLog()
    }

    private func failed(_ version: Int = 2, withLog: Bool = true) throws -> [String] {
        let report = try fleet.verification(of: version, withLog: withLog)
        #expect(report.verdict == .notVerified, "\(report.checks)")
        return report.failed
    }

    @Test("makes every check, and names it", arguments: 0..<3)
    func accepted(version: Int) throws {
        let report = try fleet.verification(of: version)
        #expect(report.verdict == .verified, "\(report.failures)")
        #expect(
            report.checks.map(\.name) == [
                "signature", "file MODEL_CARD.md", "file bom.cdx.json", "file model.onnx",
                "file provenance.json", "proof", "checkpoint signature", "inclusion", "leaf",
                "signing key", "card", "bill of materials", "provenance", "log checkpoint",
                "consistency", "consistency with the proof", "log", "parent chain", "budget",
                "provenance in the log",
            ])
        #expect(report.checks.allSatisfy { $0.result == .passed })
    }

    @Test("of a plan without privacy asks for no charges")
    func withoutPrivacy() throws {
        let fleet = try LoggedFleet(privacy: nil)
        for _ in 0..<2 { try fleet.addVersion() }
        try fleet.exportModel(1)
        try fleet.exportLog()
        let report = try fleet.verification(of: 1)
        #expect(report.verdict == .verified, "\(report.failures)")
        #expect(report.check("budget")?.detail == "\(fleet.plan.population): no charges")
    }

    @Test("agrees on an epsilon so large that the coordinator asks the fast accountant alone")
    func largeEpsilon() throws {
        let little = PrivacyPlan(
            noiseMultiplier: 0.05, delta: 1e-5, sampling: .everyone, agents: 12, maxEpsilon: nil)
        let fleet = try LoggedFleet(privacy: little)
        for _ in 0..<7 { try fleet.addVersion() }
        #expect(fleet.epsilon(6) > PrivacyBudget.largestTightEpsilon)
        try fleet.exportModel(6)
        try fleet.exportLog()
        let report = try fleet.verification(of: 6)
        #expect(report.verdict == .verified, "\(report.failures)")
    }

    @Test("without a log lists what was not checked, and how to check it")
    func withoutLog() throws {
        let report = try fleet.verification(of: 2, withLog: false)
        #expect(report.verdict == .verified)
        for name in ["parent chain", "budget", "provenance in the log"] {
            let check = try #require(report.check(name))
            #expect(check.result == .skipped && check.detail.contains("--log"))
        }
        #expect(report.check("consistency")?.result == .passed)
    }

    @Test("fails for one byte changed in any file, an extra and a missing file")
    func files() throws {
        for file in fleet.models[2].files {
            var changed = file.bytes
            changed[changed.count / 2] ^= 1
            try fleet.write(changed, to: "\(fleet.directory(2))/\(file.name)")
            #expect(try failed().contains("file \(file.name)"))
            try fleet.exportModel(2)
        }
        try fleet.write([], to: fleet.directory(2) + "/extra")
        #expect(try failed() == ["file extra"])
        try FileManager.default.removeItem(atPath: fleet.directory(2) + "/extra")
        try FileManager.default.removeItem(atPath: fleet.directory(2) + "/model.onnx")
        #expect(try failed() == ["file model.onnx"])
        #expect(!FileManager.default.fileExists(atPath: fleet.state), "no checkpoint was kept")
    }

    @Test("fails for another version's signature or proof, and another fleet's trust set")
    func swapped() throws {
        try fleet.write(fleet.models[1].bundle, to: fleet.directory(2) + ".sig")
        #expect(try failed().contains("file model.onnx"))
        try fleet.exportModel(2)
        try fleet.write(fleet.proof(of: 1), to: fleet.directory(2) + ".tlog-proof")
        #expect(try failed() == ["leaf"])
        try fleet.exportModel(2)
        let other = try LoggedFleet(name: "other")
        let report = try fleet.verification(of: 2, trust: other.trust)
        #expect(report.failed == ["signature"])
    }

    @Test("fails when provenance, card or bill of materials tell of another model")
    func documents() throws {
        let other = Digest(bytes: [UInt8](repeating: 7, count: 32))
        try fleet.addVersion(edit: { $0.changing(model: other) })
        try fleet.exportModel(3)
        try fleet.exportLog()
        #expect(try failed(3) == ["card", "bill of materials", "provenance"])
        try fleet.addVersion(edit: { $0.changing(version: 9) })
        try fleet.exportModel(4)
        try fleet.exportLog()
        #expect(try failed(4) == ["card", "bill of materials", "provenance"])
        let parent = ModelFacts.Parent(version: 4, model: SampleFacts.digest("other"))
        try fleet.addVersion(edit: { $0.changing(parent: parent) })
        try fleet.exportModel(5)
        try fleet.exportLog()
        #expect(try failed(5) == ["card", "bill of materials", "provenance"])
        try fleet.addVersion(edit: { $0.changing(fleet: "other") })
        try fleet.exportModel(6)
        try fleet.exportLog()
        #expect(try failed(6) == ["provenance"])
    }

    @Test(
        "fails when provenance claims less privacy spent than the log, or another round's updates")
    func privacyClaim() throws {
        try fleet.addVersion(edit: { $0.changing(epsilon: 0.9 * (fleet.epsilon(3))) })
        try fleet.exportModel(3)
        try fleet.exportLog()
        #expect(try failed(3) == ["provenance in the log"])
        try fleet.addVersion(edit: { $0.changing(planDigest: SampleFacts.digest("other")) })
        try fleet.exportModel(4)
        try fleet.exportLog()
        #expect(try failed(4) == ["provenance in the log"])
        let updates = SampleFacts.digest("other updates")
        try fleet.addVersion(edit: { $0.changing(updates: updates) })
        try fleet.exportModel(5)
        try fleet.exportLog()
        #expect(try failed(5) == ["provenance in the log"])
    }

    @Test("fails when provenance claims no privacy for a round that the log charges")
    func noPrivacyClaim() throws {
        let open = try #require(SampleFacts.plan())
        try fleet.addVersion(edit: { $0.changing(plan: open) })
        try fleet.exportModel(3)
        try fleet.exportLog()
        #expect(try failed(3) == ["provenance in the log"])
    }

    @Test("fails when the log revokes its key, though the trust set does not know of it yet")
    func laterRevocation() throws {
        let before = fleet.trust
        try fleet.rotate(revokedFrom: fleet.models[2].position)
        try fleet.exportLog()
        #expect(try fleet.verification(of: 1, trust: before).verdict == .verified)
        #expect(try fleet.verification(of: 2, trust: before).failed == ["parent chain"])
        #expect(try fleet.verification(of: 2).failed == ["signing key"])
    }

    @Test("needs the log when the checkpoint last seen has another size")
    func otherSizeWithoutLog() throws {
        #expect(try fleet.verification(of: 2).verdict == .verified)
        #expect(try fleet.verification(of: 2, withLog: false).verdict == .verified)
        try fleet.addVersion()
        try fleet.exportModel(3)
        let report = try fleet.verification(of: 3, withLog: false)
        #expect(report.verdict == .couldNotCheck)
        #expect(report.obstacle?.remedy.contains("--log") == true)
        #expect(report.failed.isEmpty)
        try fleet.exportLog()
        #expect(try fleet.verification(of: 3).verdict == .verified)
        #expect(try fleet.verification(of: 3, withLog: false).verdict == .verified)
        let older = try fleet.verification(of: 2)
        #expect(older.verdict == .verified, "an older proof is fine with the newer log")
    }

    @Test("fails for a log that was rolled back or forked since the last time")
    func rollbackAndFork() throws {
        #expect(try fleet.verification(of: 2).verdict == .verified)
        let seen = try Data(contentsOf: URL(fileURLWithPath: fleet.state))
        #expect(Array(seen) == (try fleet.checkpoint().note))
        // An earlier state of the same log, with the proof that it had.
        let shorter = try LoggedFleet(extending: fleet, to: Int(fleet.models[1].position) + 1)
        try shorter.exportModel(1)
        try shorter.exportLog()
        let rolledBack = try shorter.verification(of: 1)
        #expect(rolledBack.failed == ["consistency"])
        #expect(rolledBack.check("consistency")?.detail.contains("rolled back") == true)
        // Another continuation of it.
        let forked = try LoggedFleet(extending: fleet, to: Int(fleet.models[1].position) + 1)
        for _ in 0..<3 { try forked.addVersion(contents: "forked") }
        try forked.exportModel(2)
        try forked.exportLog()
        let fork = try forked.verification(of: 2)
        #expect(fork.failed == ["consistency"])
        #expect(fork.check("consistency")?.detail.contains("forked") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: fleet.state)) == seen)
    }

    @Test("fails without a log for another root of the size last seen")
    func forkOfTheSameSize() throws {
        #expect(try fleet.verification(of: 2, withLog: false).verdict == .verified)
        let forked = try LoggedFleet(extending: fleet, to: Int(fleet.models[1].position) + 1)
        try forked.addVersion(contents: "forked")
        try forked.exportModel(2)
        let fork = try forked.verification(of: 2, withLog: false)
        #expect(fork.failed == ["consistency"])
    }

    @Test("could not be checked when the kept checkpoint is damaged or another log's")
    func damagedState() throws {
        for bytes in [[UInt8](), Array("x".utf8), try LoggedFleet(name: "other").checkpoint().note]
        {
            try fleet.write(bytes, to: fleet.state)
            let report = try fleet.verification(of: 2)
            #expect(report.verdict == .couldNotCheck)
            #expect(report.obstacle?.message.contains(fleet.state) == true)
        }
    }

    @Test("asks for a witness's cosignature when told to")
    func witness() throws {
        let witness = try WitnessSigner(name: "watch", key: PrivateKey.generate(.ed25519))
        #expect(
            try fleet.verification(of: 2, witness: witness.verifier).failed == ["witness"])
        let cosigned = try witness.cosign(fleet.checkpoint(), unix: 1_800_000_500)
        try fleet.write(cosigned.note, to: fleet.logDirectory + "/checkpoint")
        #expect(
            try fleet.verification(of: 2, witness: witness.verifier).verdict == .verified)
    }

    @Test("stays quiet about bytes of any kind: a verdict, never a crash")
    func hostile() throws {
        var dice = Dice(seed: 5)
        let files = [
            fleet.directory(2) + ".sig", fleet.directory(2) + ".tlog-proof",
            fleet.logDirectory + "/checkpoint",
            fleet.logDirectory + "/tile/0/000.p/\(fleet.log.size)",
            fleet.logDirectory + "/tile/entries/000.p/\(fleet.log.size)",
        ]
        for file in files {
            let honest = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
            for _ in 0..<12 {
                var bytes = honest
                switch Int.random(in: 0..<3, using: &dice) {
                case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &dice))
                case 1:
                    let index = Int.random(in: 0..<bytes.count, using: &dice)
                    bytes[index] ^= UInt8.random(in: 1...255, using: &dice)
                default:
                    bytes = (0..<200).map { _ in UInt8.random(in: 0...255, using: &dice) }
                }
                try fleet.write(bytes, to: file)
                let verdict = try fleet.verification(of: 2).verdict
                #expect(verdict != .verified, "\(file)")
            }
            try fleet.write(honest, to: file)
        }
        #expect(try fleet.verification(of: 2).verdict == .verified)
    }

    @Test("gives a report that machines can read")
    func json() throws {
        let report = try members(fleet.verification(of: 2).encoded())
        #expect(report["verified"] as? Bool == true)
        #expect(report["plan"] as? String == "fashion" && report["version"] as? Int == 2)
        #expect(report["position"] as? UInt64 == fleet.models[2].position)
        let checkpoint = try #require(report["checkpoint"] as? [String: Any])
        #expect(checkpoint["origin"] as? String == "tributary/lab")
        #expect(checkpoint["root"] as? String == fleet.log.root(fleet.log.size).hex)
    }
}
