import Federation
import Foundation
import Testing

@Suite("Events of the audit log")
struct EventTests {
    @Test("a leaf is compact JSON in the order given, the event first")
    func leaf() {
        let event = FleetEvent(
            .budgetCharged,
            [("plan", .text("fashion")), ("round", .number(.max)), ("epsilon", .decimal(0.1))])
        let text = String(decoding: event.leafBytes, as: UTF8.self)
        #expect(
            text == #"{"event":"budgetCharged","plan":"fashion","round":18446744073709551615,"#
                + #""epsilon":"0.1"}"#)
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
        let object = try JSONSerialization.jsonObject(with: Data(event.leafBytes))
        let fields = try #require(object as? [String: String])
        #expect(fields == ["event": "tokenIssued", text: text])
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
