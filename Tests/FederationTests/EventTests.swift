import Federation
import Foundation
import Testing

@Suite("Events of the audit log")
struct EventTests {
    @Test("a leaf is compact JSON in the order given, event and time first, the rows' digest last")
    func leaf() throws {
        let event = FleetEvent(
            .budgetCharged,
            [("plan", .text("fashion")), ("round", .number(.max)), ("epsilon", .decimal(0.1))])
        let text = String(decoding: event.leafBytes(unix: 7, rows: nil), as: UTF8.self)
        let fields =
            #"{"event":"budgetCharged","time":7,"plan":"fashion","round":18446744073709551615,"#
            + #""epsilon":"0.1""#
        #expect(text == fields + "}")
        let rows = try #require(Digest(bytes: [UInt8](repeating: 0xa5, count: 32)))
        let sealed = String(decoding: event.leafBytes(unix: 7, rows: rows), as: UTF8.self)
        #expect(sealed == fields + #","rows":"\#(rows.hex)"}"#)
    }

    @Test(
        "any text comes back from a JSON parser",
        arguments: [
            "", "plain", "a \"quoted\" word", "back\\slash", "line\nbreak\r\ttab",
            "\0\u{1}\u{1F}\u{7F}",
            "é, 漢, 😀", "\u{2028}</script>", "{\"a\":1}",
        ])
    func escaping(text: String) throws {
        let event = FleetEvent(.tokenIssued, [(text, .text(text))])
        let object = try JSONSerialization.jsonObject(
            with: Data(event.leafBytes(unix: 7, rows: nil)))
        var fields = try #require(object as? [String: Any])
        #expect(fields.removeValue(forKey: "time") as? Int == 7)
        #expect(fields as? [String: String] == ["event": "tokenIssued", text: text])
    }

    @Test("control characters have a fixed escape, so equal events have equal bytes")
    func controlCharacters() {
        #expect(jsonString("a\u{1}\u{1F}\n") == #""a\u0001\u001f\n""#)
    }

    @Test("events are equal when kind, fields and their order are")
    func equality() {
        let fields: [(name: String, value: FleetEvent.Value)] = [
            ("a", .number(1)), ("b", .text("1")),
        ]
        #expect(FleetEvent(.agentEnrolled, fields) == FleetEvent(.agentEnrolled, fields))
        #expect(FleetEvent(.agentEnrolled, fields) != FleetEvent(.agentRevoked, fields))
        #expect(FleetEvent(.agentEnrolled, fields) != FleetEvent(.agentEnrolled, fields.reversed()))
        #expect(
            FleetEvent(.agentEnrolled, [("a", .number(1))])
                != FleetEvent(.agentEnrolled, [("a", .text("1"))]))
    }
}
