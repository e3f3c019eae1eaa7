import Cryptography
import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing
import Verification

@Suite("Verifying a log")
struct VerificationOfLogTests {
    private let fleet: LoggedFleet

    init() throws {
        fleet = try LoggedFleet()
        for _ in 0..<3 { try fleet.addVersion() }
    }

    private func report(byKeyAlone: Bool = false) throws -> VerificationReport {
        try fleet.exportLog()
        return try fleet.logVerification(byKeyAlone: byKeyAlone)
    }

    /// The only failure.
    private func failure(byKeyAlone: Bool = false) throws -> String {
        let report = try report(byKeyAlone: byKeyAlone)
        #expect(report.verdict == .notVerified)
        #expect(report.failures.count == 1, "\(report.failures)")
        return report.failures.first ?? ""
    }

    @Test("makes every check, and counts the events", arguments: [false, true])
    func accepted(byKeyAlone: Bool) throws {
        let report = try report(byKeyAlone: byKeyAlone)
        #expect(report.verdict == .verified, "\(report.failures)")
        #expect(
            report.checks.map(\.name) == [
                "log checkpoint", "consistency", "log", "leaves", "times", "keys",
                "models of fashion", "budget of fashion-devices", "charged rounds",
            ])
        #expect(report.check("keys")?.result == (byKeyAlone ? .skipped : .passed))
        let counts = try #require(try members(report.encoded())["events"] as? [String: Int])
        #expect(counts["modelSigned"] == 3 && counts["budgetCharged"] == 2)
    }

    @Test("covers more than a tile, over HTTP paths and directories alike")
    func long() throws {
        for _ in 0..<300 { fleet.add(.tokenIssued, []) }
        try fleet.addVersion()
        try fleet.exportModel(3)
        #expect(try report().verdict == .verified)
        #expect(try fleet.verification(of: 3).verdict == .verified)
        try fleet.write([1], to: fleet.logDirectory + "/tile/entries/000")
        #expect(try fleet.logVerification().failed == ["log"])
    }

    @Test("must go on from a checkpoint that is given")
    func since() throws {
        let older = try fleet.checkpoint()
        try fleet.addVersion()
        try fleet.exportLog()
        #expect(try fleet.logVerification(since: older.note).verdict == .verified)
        let other = try LoggedFleet(extending: fleet, to: 5)
        other.add(.tokenIssued, [])
        let forked = try fleet.logVerification(since: other.checkpoint().note)
        #expect(forked.failed == ["since"])
        let foreign = try fleet.logVerification(since: LoggedFleet(name: "x").checkpoint().note)
        #expect(foreign.failed == ["since"])
        let newer = try LoggedFleet(extending: fleet, to: Int(fleet.log.size))
        newer.add(.tokenIssued, [])
        let rolledBack = try fleet.logVerification(since: newer.checkpoint().note)
        #expect(rolledBack.failures.first?.contains("rolled back") == true)
    }

    @Test("remembers the checkpoint, and fails once the log is rolled back")
    func remembers() throws {
        #expect(try report().verdict == .verified)
        let shorter = try LoggedFleet(extending: fleet, to: Int(fleet.log.size) - 1)
        try shorter.exportLog()
        #expect(try shorter.logVerification().failed == ["consistency"])
        fleet.add(.tokenIssued, [])
        #expect(try report().verdict == .verified)
    }

    @Test("names a charge that claims less than what follows")
    func understatedCharge() throws {
        fleet.forgery = ["epsilon": .decimal(fleet.epsilon(3) * 0.999)]
        fleet.addRound(3)
        fleet.forgery = [:]
        #expect(try failure().hasPrefix("budget of fashion-devices: leaf \(fleet.log.size - 2)"))
    }

    @Test("names a charge that claims less than the one before it")
    func fallingCharge() throws {
        fleet.forgery = ["epsilon": .decimal(0.1)]
        fleet.addRound(3)
        fleet.forgery = [:]
        #expect(try failure().contains("less than the"))
    }

    @Test("accepts a charge that claims more")
    func overstatedCharge() throws {
        fleet.forgery = ["epsilon": .decimal(99)]
        fleet.addRound(3)
        fleet.forgery = [:]
        #expect(try report().verdict == .verified)
    }

    @Test("names a round of a private plan that was not charged")
    func unchargedRound() throws {
        fleet.addRound(3, isCharged: false)
        #expect(try failure().hasPrefix("charged rounds: leaf \(fleet.log.size - 1) seals round 3"))
    }

    @Test("names a round that was charged twice for one attempt, and takes another attempt")
    func chargedTwice() throws {
        fleet.addRound(2, attempt: 2)
        #expect(try report().verdict == .verified)
        fleet.addRound(2, attempt: 2)
        #expect(try failure().hasSuffix("charges round 2.2 once more"))
    }

    @Test("names a version out of order, of another parent or without one")
    func chains() throws {
        fleet.forgery = ["version": .number(5)]
        try fleet.addVersion()
        #expect(try failure().contains("comes where version 3 belongs"))
    }

    @Test("names a version of another parent")
    func anotherParent() throws {
        fleet.forgery = ["parent": .text(SampleFacts.digest("other").hex)]
        try fleet.addVersion()
        #expect(try failure().contains("models of fashion: fashion version 3"))
    }

    @Test("accepts a version made from an earlier one than the last")
    func earlierParent() throws {
        try fleet.addVersion(parent: 1)
        #expect(try report().verdict == .verified)
    }

    @Test("names a version signed with a key that did not count", arguments: [false, true])
    func foreignKey(byKeyAlone: Bool) throws {
        let old = fleet.modelKey
        try fleet.addVersion(key: PrivateKey.generate(.p256))
        #expect(try failure(byKeyAlone: byKeyAlone).contains("unknown key"))
        try fleet.rotate()
        try fleet.addVersion(key: old)
        #expect(try failure(byKeyAlone: byKeyAlone).contains("did not count there"))
    }

    @Test("follows keys through rotation and revocation", arguments: [false, true])
    func rotation(byKeyAlone: Bool) throws {
        try fleet.rotate()
        try fleet.addVersion()
        #expect(try report(byKeyAlone: byKeyAlone).verdict == .verified)
        try fleet.rotate(revokedFrom: fleet.models[3].position)
        let revoked = try report(byKeyAlone: byKeyAlone)
        #expect(revoked.verdict == .verified, "the log says what became of it")
        let words = "revoked later: fashion version 3 (leaf \(fleet.models[3].position))"
        #expect(revoked.check("models of fashion")?.detail.contains(words) == true)
        try fleet.exportModel(3)
        #expect(try fleet.verification(of: 3).verdict == .notVerified)
        // A version made from it by a key that counts answers for it.
        try fleet.addVersion()
        try fleet.exportModel(4)
        let healed = try report(byKeyAlone: byKeyAlone)
        #expect(healed.verdict == .verified, "\(healed.failures)")
        #expect(healed.check("models of fashion")?.detail.contains(words) == true)
        #expect(try fleet.verification(of: 4).verdict == .verified)
    }

    @Test("could not be checked with a trust set from before the key that signs now")
    func oldTrustSet() throws {
        let before = fleet.trust
        try fleet.rotate()
        try fleet.addVersion()
        try fleet.exportLog()
        let report = LogVerification(
            log: try LogLocation(fleet.logDirectory), trust: .set(before), remembered: nil
        ).run()
        #expect(report.verdict == .couldNotCheck)
        #expect(report.check("keys")?.detail.contains("ask for a newer trust set") == true)
        #expect(report.obstacle?.remedy == "get the fleet's newest trust set")
    }

    @Test("is not verified with a trust set of another version that the log holds")
    func otherTrustSet() throws {
        let other = try LoggedFleet(extending: fleet, to: Int(fleet.log.size))
        try other.rotate()
        try fleet.rotate()
        try fleet.exportLog()
        let report = LogVerification(
            log: try LogLocation(fleet.logDirectory), trust: .set(other.trust), remembered: nil
        ).run()
        #expect(report.failed == ["keys"])
    }

    @Test(
        "names keys on which log and trust set do not agree",
        arguments: [
            ("key", FleetEvent.Value.text(SampleFacts.digest("other").hex), "no leaf says"),
            ("from", .number(2), "ended at leaf"), ("since", .number(7), "does not revoke"),
            ("digest", .text(SampleFacts.digest("other").hex), "another trust set of version 2"),
        ])
    func keys(field: String, value: FleetEvent.Value, words: String) throws {
        fleet.forgery = [field: value]
        try fleet.rotate(revokedFrom: fleet.models[2].position)
        fleet.forgery = [:]
        let report = try report()
        let failure = try #require(report.failures.first { $0.hasPrefix("keys: ") })
        #expect(failure.contains(words), "\(failure)")
    }

    @Test("names a first leaf of another fleet")
    func anotherFleet() throws {
        let fleet = try LoggedFleet(forgery: ["fleet": .text("other")])
        try fleet.exportLog()
        #expect(try fleet.logVerification().failures == ["keys: leaf 0 is of the fleet \"other\""])
    }

    @Test("reports a clock that was set back, and does not fail")
    func clock() throws {
        fleet.setClock(back: 5000)
        fleet.add(.tokenIssued, [])
        let report = try report()
        #expect(report.verdict == .verified)
        #expect(report.check("times")?.detail.contains("by up to 4990 s") == true)
    }

    @Test("names a leaf that is no event, and lets kinds pass that it does not know")
    func leaves() throws {
        fleet.addRaw("{\"event\":\"tomorrow\",\"time\":1}")
        #expect(try report().verdict == .verified)
        fleet.addRaw("nonsense")
        #expect(try failure() == "leaves: leaf \(fleet.log.size - 1) is not an event")
    }

    @Test("names a charge that no accountant would take", arguments: ["delta", "samplingRate"])
    func impossibleCharge(field: String) throws {
        fleet.forgery = [field: .decimal(1.5)]
        fleet.addRound(3)
        let report = try report()
        #expect(report.failures.first?.hasSuffix("is no proper budgetCharged") == true)
    }

    @Test("could not be checked where there is none")
    func nothingThere() throws {
        let report = try fleet.logVerification()
        #expect(report.verdict == .couldNotCheck)
        #expect(report.obstacle?.message.contains("no checkpoint") == true)
    }
}
