import AdminConsole
import Federation
import Foundation
import Testing

@Suite("JSON")
struct JSONValueTests {
    @Test("members keep their order and nothing is added")
    func order() {
        let value = JSONValue.object([
            ("z", .number(.max)), ("a", .array([.bool(true), .bool(false), .null])),
            ("m", .object([])),
        ])
        #expect(value.text == #"{"z":18446744073709551615,"a":[true,false,null],"m":{}}"#)
    }

    @Test(
        "strings are escaped so that a parser reads them back",
        arguments: [
            "plain", "quote \" backslash \\ slash /", "new\nline\ttab\r", "\u{1}\u{1F}", "é 中 🙂",
            "",
        ])
    func strings(text: String) throws {
        let document = JSONValue.object([(text, .string(text))]).text
        let parsed = try JSONSerialization.jsonObject(with: Data(document.utf8))
        #expect(parsed as? [String: String] == [text: text])
    }

    @Test("decimals read back exactly; what JSON cannot say is null")
    func decimals() throws {
        for number in [0.1, 1e-5, 12345.678, .leastNonzeroMagnitude, 1.7e308, 0, 1.0 / 3] {
            #expect(Double(JSONValue.decimal(number).text) == number)
        }
        #expect(JSONValue.decimal(.infinity).text == "null")
        #expect(JSONValue.decimal(.nan).text == "null")
    }

    @Test("a measurement that was not made is null")
    func measured() {
        #expect(JSONValue.measured(-1) == .null)
        #expect(JSONValue.measured(0) == .decimal(0))
        #expect(JSONValue.measured(.infinity).text == "null")
    }
}
