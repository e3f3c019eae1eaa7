import AgentService
import AgentSession
import Configuration
import Federation
import Foundation
import Testing

@Suite("Status")
struct StatusReportTests {
    let temporary: TemporaryDirectory
    private let directory: StateDirectory
    private let configuration: AgentConfiguration

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StateDirectory(path: "\(temporary.path)/state")
        configuration = AgentConfiguration(
            stateDirectory: directory.path, logLevel: "info",
            data: [(plan: try planID("pumps"), directory: try temporary.folder("data"))])
    }

    private func report() throws(Fault) -> StatusReport {
        try StatusReport(
            configuration,
            conditions: WorkConditions(
                ParticipationRules(), of: directory, probe: DeviceProbe(root: temporary.path)))
    }

    private func members(_ report: StatusReport) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
    }

    @Test("a device that is not enrolled is told how to")
    func notEnrolled() {
        let refusal = fault { () throws(Fault) in _ = try report() }
        #expect(refusal?.code == .notFound)
        #expect(refusal?.remedy.contains("tributary-agent enroll") == true)
    }

    @Test("a fresh device holds a key and data, and has sent nothing")
    func fresh() throws {
        _ = try ExampleFleet().enrol(in: directory)
        let report = try report()
        for part in [
            "running      no", "no daemon has run yet", directory.keyFile,
            "data: not counted yet in \(temporary.path)/data; they never leave this device",
            "model: none yet", "update waiting: none", "nothing yet",
        ] { #expect(report.text.contains(part), "\(part)\n\(report.text)") }
        let members = try members(report)
        #expect(members["status"] is NSNull && members["paused"] is NSNull)
        #expect((members["sent"] as? [Any])?.isEmpty == true)
        let holds = try #require(members["holds"] as? [String: Any])
        let plans = try #require(holds["plans"] as? [[String: Any]])
        #expect(plans[0]["data_directory"] as? String == "\(temporary.path)/data")
        #expect(plans[0]["examples"] is NSNull)
    }

    @Test("what was sent is told with its size, its norm, its noise, when and to whom")
    func sent() throws {
        let fleet = try ExampleFleet()
        _ = try fleet.enrol(in: directory)
        try temporary.write(fleet.planText, to: "state/plans/pumps.toml")
        let digest = try #require(Digest(bytes: [UInt8](repeating: 1, count: 32)))
        let update = PendingUpdate(
            plan: try planID("pumps"), at: RoundAttempt(round: RoundID(9), attempt: 2),
            baseVersion: 1, latticeID: digest, submitToken: [], examples: 1, withinClip: false,
            size: 1_024, digest: digest)
        let sent = SentUpdates(directory: directory.sentDirectory)
        try sent.made(
            update,
            SentUpdate.Protection(
                norm: 2.5, clippingNorm: 1.5, ownNoise: 0, addedNoiseMultiplier: 0.5))
        try sent.sent(
            update, to: NetworkAddress(host: "10.0.0.1", port: 7443), unixSeconds: 1_772_368_200)
        try sent.settled(update, "accepted")
        try OwnerPause(sinceUnix: 1, untilUnix: nil, reason: "holidays").write(directory)
        let report = try report()
        for part in [
            "2026-03-01 12:30 UTC to 10.0.0.1:7443: 1.0 KiB for round 9.2, accepted",
            "the change had the norm 2.5 and was scaled down to 1.5",
            "this device added none; the coordinator adds 0.75 to each value of a round's sum",
            "1 update, 1.0 KiB since it enrolled",
            "paused       until it is resumed: holidays",
        ] { #expect(report.text.contains(part), "\(part)\n\(report.text)") }
        let told = try #require((try members(report)["sent"] as? [[String: Any]])?.first)
        #expect(told["clipped"] as? Bool == true && told["norm"] as? Double == 2.5)
        #expect(told["sent_unix"] as? Int == 1_772_368_200)
    }
}
