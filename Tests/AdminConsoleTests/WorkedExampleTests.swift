import AdminConsole
import Testing

@Suite("The worked example of AdminConsole")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        var table = Table([("PLAN", .left), ("ROUNDS", .right)])
        table.add(["fashion", "15"])
        let text = table.text(width: 40)
        let fields: [(String, JSONValue)] = [("plan", .string("fashion")), ("rounds", .number(15))]
        let document = JSONValue.object(fields).text

        #expect(text == "PLAN     ROUNDS\nfashion      15\n")
        #expect(document == "{\"plan\":\"fashion\",\"rounds\":15}")
    }
}
