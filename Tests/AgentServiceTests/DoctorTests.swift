import AgentService
import Configuration
import Federation
import Foundation
import Testing

@Suite("Doctor")
struct DoctorTests {
    let temporary: TemporaryDirectory
    let fleet: ExampleFleet

    init() throws {
        temporary = try TemporaryDirectory()
        fleet = try ExampleFleet()
    }

    private func findings(
        data: String, localNoiseFloor: Double = 0,
        participation: ParticipationRules = ParticipationRules(),
        limits: TrainingLimits = TrainingLimits()
    ) throws -> [String: Doctor.Finding] {
        let configuration = AgentConfiguration(
            stateDirectory: "\(temporary.path)/state", logLevel: "info",
            data: [(plan: try planID("pumps"), directory: data)],
            localNoiseFloor: localNoiseFloor, participation: participation, limits: limits)
        let doctor = Doctor(configuration, probe: DeviceProbe(root: temporary.path))
        return Dictionary(uniqueKeysWithValues: doctor.examine().map { ($0.check, $0) })
    }

    /// As the daemon leaves a plan that it has adopted.
    private func storePlan() throws {
        try StateDirectory(path: "\(temporary.path)/state").prepare()
        try temporary.write(fleet.planText, to: "state/plans/pumps.toml")
    }

    @Test("a state directory that does not exist fails, and is not created")
    func noStateDirectory() throws {
        let finding = try findings(data: temporary.path)["state directory"]
        #expect(finding?.passed == false)
        #expect(!FileManager.default.fileExists(atPath: "\(temporary.path)/state"))
    }

    @Test("a device that is not enrolled is told how to, and everything else is still looked at")
    func notEnrolled() throws {
        try StateDirectory(path: "\(temporary.path)/state").prepare()
        let found = try findings(data: temporary.folder("data"))
        #expect(found["enrolment"]?.passed == false)
        #expect(found["enrolment"]?.detail.contains("tributary-agent enroll") == true)
        #expect(found["state directory"]?.passed == true)
        #expect(found["OpenBLAS"]?.passed == true)
        #expect(found["int8 kernels"]?.passed == true)
        #expect(found["data of pumps"]?.passed == true)
    }

    @Test("a missing data directory fails, with or without the plan's text")
    func missingData() throws {
        let nowhere = "\(temporary.path)/nowhere"
        #expect(try findings(data: nowhere)["data of pumps"]?.passed == false)
        try storePlan()
        let finding = try findings(data: nowhere)["data of pumps"]
        #expect(finding?.passed == false)
        #expect(finding?.detail.contains(nowhere) == true)
    }

    @Test("good rows are counted")
    func goodRows() throws {
        try storePlan()
        let data = try temporary.folder("data")
        try temporary.write(Array("a,b,c,state\n1,2,3,0\n4,5,6,1\n".utf8), to: "data/rows.csv")
        let finding = try findings(data: data)["data of pumps"]
        #expect(finding?.passed == true)
        #expect(finding?.detail.hasPrefix("2 rows") == true)
        #expect(finding?.detail.hasSuffix("of each class 1 1") == true)
    }

    @Test("a plan whose agents add less noise than the device's floor is refused, and why")
    func floor() throws {
        try storePlan()
        let data = try temporary.folder("data")
        try temporary.write(Array("a,b,c,state\n1,2,3,0\n".utf8), to: "data/rows.csv")
        let found = try findings(data: data, localNoiseFloor: 0.5)
        let finding = found["noise of pumps"]
        #expect(finding?.passed == false)
        #expect(finding?.detail.contains("noise of multiplier 0.0") == true)
        #expect(finding?.detail.contains("floor is 0.5") == true)
        #expect(found["data of pumps"] == nil)
        #expect(try findings(data: data)["noise of pumps"] == nil)
    }

    @Test(
        "each of the owner's rules is shown as it stands, with the key to change when it does not hold"
    )
    func participation() throws {
        _ = try temporary.folder("proc")
        try temporary.write(Array("3.5 1 1 1/1 1\n".utf8), to: "proc/loadavg")
        let free = try findings(data: temporary.path)
        for rule in ["load", "memory", "power", "network", "time", "rounds", "limits"] {
            #expect(free[rule]?.passed == true, "\(rule)")
        }
        #expect(free["load"]?.detail == "the load is 3.5, and no limit is set")
        var rules = ParticipationRules()
        rules.maxLoad = 2
        let strict = try findings(data: temporary.path, participation: rules)
        #expect(strict["load"]?.passed == false)
        #expect(strict["load"]?.detail.contains("at most 2.0 is allowed") == true)
        #expect(strict["load"]?.detail.contains("max_load in [participation]") == true)
    }

    @Test("a plan that needs more memory than its owner gives is refused, with both numbers")
    func memory() throws {
        try storePlan()
        let data = try temporary.folder("data")
        let rows = (0..<2_000).map { "\($0 % 7),\($0 % 3),1,\($0 % 2)" }
        try temporary.write(
            Array("a,b,c,state\n\(rows.joined(separator: "\n"))\n".utf8), to: "data/rows.csv")
        let needed = try findings(data: data)["memory of pumps"]?.detail
        #expect(needed == "training allocates 1 MiB at most")
        var limits = TrainingLimits()
        limits.memoryMiB = 1
        #expect(try findings(data: data, limits: limits)["memory of pumps"]?.passed == true)
        limits.memoryMiB = 0
        let refused = try findings(data: data, limits: limits)["memory of pumps"]
        #expect(refused?.passed == false)
        #expect(
            refused?.detail.contains("allocates 1 MiB, and this device's limit is 0 MiB") == true)
        #expect(refused?.detail.contains("memory_mib in [limits]") == true)
    }

    @Test("a key that others may read, or a folder that they may write, fails with what to run")
    func permissions() throws {
        let state = StateDirectory(path: "\(temporary.path)/state")
        _ = try fleet.enrol(in: state)
        chmod(state.keyFile, 0o600)
        #expect(try findings(data: temporary.path)["permissions"]?.passed == true)
        chmod(state.keyFile, 0o640)
        let key = try findings(data: temporary.path)["permissions"]
        #expect(key?.passed == false)
        #expect(key?.detail.contains("agent.key can be read by others; run chmod 600") == true)
        chmod(state.keyFile, 0o600)
        chmod(state.path, 0o770)
        let folder = try findings(data: temporary.path)["permissions"]
        #expect(folder?.detail.contains("run chmod 700") == true)
    }

    @Test(
        "what another user made in the state directory fails: the agent could not use it",
        .enabled(if: geteuid() == 0, "only root can give files away"))
    func ownership() throws {
        let state = StateDirectory(path: "\(temporary.path)/state")
        _ = try fleet.enrol(in: state)
        chmod(state.keyFile, 0o600)
        chown(state.path, 65_534, 65_534)
        let found = try findings(data: temporary.path)["permissions"]
        #expect(found?.passed == false)
        #expect(found?.detail.contains("belongs to root, its directory to nobody") == true)
        #expect(found?.detail.contains("run chown -R nobody") == true)
    }

    @Test("the disk, the daemon and the metrics are looked at")
    func surroundings() throws {
        try StateDirectory(path: "\(temporary.path)/state").prepare()
        let found = try findings(data: temporary.path)
        #expect(found["disk"]?.detail.hasSuffix(" MiB free for models and updates") == true)
        #expect(found["daemon"]?.passed == true)
        #expect(found["daemon"]?.detail.contains("not running; start it") == true)
        #expect(found["metrics"] == nil)
    }

    @Test("an expired certificate, and one of the future, are told with both times")
    func certificateTimes() throws {
        let state = StateDirectory(path: "\(temporary.path)/state")
        _ = try fleet.enrol(in: state, issued: 1_000_000_000, seconds: 86_400)
        let expired = try findings(data: temporary.path)["certificate"]
        #expect(expired?.passed == false)
        #expect(expired?.detail.contains("expired on 2001-09-1") == true)
        #expect(expired?.detail.contains("this machine's clock says 20") == true)
        _ = try fleet.enrol(in: state, issued: unixNow() + 90 * 86_400)
        let early = try findings(data: temporary.path)["certificate"]
        #expect(early?.passed == false)
        #expect(early?.detail.contains("this machine's clock says 20") == true)
        #expect(early?.detail.hasSuffix("set the clock") == true)
    }

    @Test("rows that do not parse fail, and the first is named")
    func badRows() throws {
        try storePlan()
        let data = try temporary.folder("data")
        try temporary.write(
            Array("a,b,c,state\n1,2,3,0\n4,x,6,1\n4,5,6,9\n".utf8), to: "data/rows.csv")
        let finding = try findings(data: data)["data of pumps"]
        #expect(finding?.passed == false)
        #expect(finding?.detail.contains("of each class 1 0; 2 left out") == true)
        #expect(finding?.detail.contains("line 3") == true)
    }

    @Test("the findings are one JSON object, as the coordinator's are")
    func json() throws {
        let good = Doctor.Finding(check: "disk", passed: true, detail: "9 MiB")
        let bad = Doctor.Finding(check: "data", passed: false, detail: "no \"x\"")
        func document(_ findings: [Doctor.Finding]) throws -> NSDictionary {
            let text = Data(Doctor.json(findings).utf8)
            return try #require(try JSONSerialization.jsonObject(with: text) as? NSDictionary)
        }
        let disk: NSDictionary = ["check": "disk", "ok": true, "detail": "9 MiB"]
        let data: NSDictionary = ["check": "data", "ok": false, "detail": "no \"x\""]
        #expect(try document([good]) == ["ok": true, "checks": [disk]])
        #expect(try document([good, bad]) == ["ok": false, "checks": [disk, data]])
        #expect(good.text == "OK   disk: 9 MiB" && bad.text == "FAIL data: no \"x\"")
    }
}
