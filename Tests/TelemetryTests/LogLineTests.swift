import Foundation
import Logging
import Telemetry
import Testing

@Suite("Log lines")
struct LogLineTests {
    private let line = LogLine(
        unixMilliseconds: 1_700_000_000_042, level: .warning, message: "update rejected",
        fields: ["round": "5.1", "agent": "agent-7", "reason": "not \"it\"", "time": "never"])

    @Test("text names time, level and message, and quotes only what needs it")
    func text() {
        #expect(
            line.written(.text)
                == "2023-11-14T22:13:20Z warning update rejected agent=agent-7"
                + " reason=\"not \\\"it\\\"\" round=5.1 time=never")
    }

    @Test("JSON has round and agent as members of their own, and its own members cannot be taken")
    func json() throws {
        let text = line.written(.json)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String])
        #expect(
            object == [
                "time": "2023-11-14T22:13:20.042Z", "level": "warning",
                "message": "update rejected", "round": "5.1", "agent": "agent-7",
                "reason": "not \"it\"",
            ])
        #expect(text.hasPrefix("{\"time\":"))
    }

    @Test("for the journal a line begins with its priority, and leaves the time to the journal")
    func journal() {
        #expect(line.written(.text, forJournal: true).hasPrefix("<4>warning update rejected"))
        #expect(line.written(.json, forJournal: true).hasPrefix("<4>{\"time\":"))
        let priorities = Logger.Level.allCases.map { level in
            LogLine(unixMilliseconds: 0, level: level, message: "", fields: [:])
                .written(.text, forJournal: true).prefix(3)
        }
        #expect(priorities == ["<7>", "<7>", "<6>", "<5>", "<4>", "<3>", "<2>"])
    }

    @Test("a message of several lines stays one line")
    func oneLine() {
        let line = LogLine(
            unixMilliseconds: 0, level: .info, message: "a\nb", fields: ["x": "c\nd"])
        #expect(!line.written(.text).contains("\n"))
        #expect(!line.written(.json).contains("\n"))
    }
}
