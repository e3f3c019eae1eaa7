import AgentService
import AgentSession
import Federation
import Foundation
import Testing

@Suite("The owner's pause")
struct OwnerPauseTests {
    let temporary: TemporaryDirectory
    private let directory: StateDirectory

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StateDirectory(path: temporary.path)
    }

    @Test("is read as it was written, until it is over or ended")
    func lasts() throws {
        #expect(OwnerPause.read(directory, unixSeconds: 100) == nil)
        let pause = OwnerPause(sinceUnix: 100, untilUnix: 160, reason: "two\nlines")
        try pause.write(directory)
        #expect(OwnerPause.read(directory, unixSeconds: 159) == pause)
        #expect(pause.reason == "two lines")
        #expect(OwnerPause.read(directory, unixSeconds: 160) == nil)
        let endless = OwnerPause(sinceUnix: 100, untilUnix: nil, reason: "")
        try endless.write(directory)
        #expect(OwnerPause.read(directory, unixSeconds: .max) == endless)
        try OwnerPause.end(directory)
        try OwnerPause.end(directory)
        #expect(OwnerPause.read(directory, unixSeconds: 100) == nil)
    }

    @Test(
        "a damaged one holds: the owner has said something", arguments: ["", "x", "\u{0}\n\u{0}"])
    func damaged(text: String) throws {
        try directory.prepare()
        try temporary.write(Array(text.utf8), to: "control/pause")
        #expect(OwnerPause.read(directory, unixSeconds: 100)?.untilUnix == nil)
        #expect(OwnerPause.read(directory, unixSeconds: 100) != nil)
    }

    @Test(
        "its length is written with units",
        arguments: [("90s", 90), ("45m", 2_700), ("2h", 7_200), ("1d12h", 129_600)])
    func lengths(text: String, seconds: UInt64) throws {
        #expect(try OwnerPause.seconds(text) == seconds)
    }

    @Test(
        "what is no length of time is refused with how to write one",
        arguments: ["", "2", "h", "0h", "-1h", "2h30", "1w", "2 h", "99999999999h", "٢h"])
    func noLength(text: String) {
        let fault = fault { () throws(Fault) in _ = try OwnerPause.seconds(text) }
        #expect(fault?.code == .invalid && fault?.remedy.contains("1d12h") == true)
    }

    @Test("while it lasts a device takes no work and sends nothing large; the reason stays here")
    func refuses() throws {
        var conditions = WorkConditions(
            ParticipationRules(), of: directory, probe: DeviceProbe(root: temporary.path))
        #expect(conditions.refusal(with: nil, plannedMiB: 0) == nil)
        #expect(conditions.networkRefusal() == nil)
        try OwnerPause(sinceUnix: 1, untilUnix: nil, reason: "holidays").write(directory)
        conditions = WorkConditions(
            ParticipationRules(), of: directory, probe: DeviceProbe(root: temporary.path))
        for refusal in [
            conditions.refusal(with: nil, plannedMiB: 0), conditions.networkRefusal(),
            conditions.refusalWhileTraining(plannedMiB: 0),
        ] {
            #expect(refusal?.message == "its owner has paused this device")
            #expect(refusal?.description.contains("holidays") == false)
        }
        let shown = conditions.examine().first
        #expect(shown?.subject == "owner" && shown?.holds == false)
        #expect(shown?.detail.contains("until it is resumed: holidays") == true)
        #expect(shown?.fault.remedy.contains("resume") == true)
    }
}
