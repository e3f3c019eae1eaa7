import Federation
import Provenance
import Testing

@Suite("The fields of a leaf")
struct LogLeafFieldsTests {
    @Test("are what the event was made of")
    func roundTrip() throws {
        let digest = Merkle.emptyRoot
        let event = FleetEvent(
            .budgetCharged,
            [
                ("plan", .text("fashion \"é\"\n")), ("round", .number(7)),
                ("epsilon", .decimal(0.1)),
            ])
        let leaf = try #require(LeafFields(event.leafBytes(unix: 1_800_000_000, rows: digest)))
        #expect(leaf.event == "budgetCharged")
        #expect(leaf.time == 1_800_000_000)
        #expect(leaf.text("plan") == "fashion \"é\"\n")
        #expect(leaf.number("round") == 7)
        #expect(leaf.decimal("epsilon") == 0.1)
        #expect(leaf.text("rows") == digest.hex)
    }

    @Test("of another kind, or missing, are nil")
    func kinds() throws {
        let leaf = try #require(
            LeafFields(
                Array(
                    "{\"event\":\"e\",\"time\":0,\"n\":-1,\"t\":\"1\",\"d\":\"0x1p3\",\"s\":\"1\"}"
                        .utf8)))
        #expect(leaf.number("n") == nil)
        #expect(leaf.number("t") == nil)
        #expect(leaf.text("n") == nil)
        #expect(leaf.text("none") == nil)
        #expect(leaf.decimal("d") == nil)
        #expect(leaf.decimal("s") == nil)
        #expect(leaf.decimal("n") == nil)
    }

    @Test(
        "are not read from what is no leaf",
        arguments: [
            "", "{}", "[]", "{\"event\":\"e\"}", "{\"time\":1}", "{\"event\":1,\"time\":1}",
            "{\"event\":\"e\",\"time\":-1}", "{\"event\":\"e\",\"time\":\"1\"}",
            "{\"event\":\"e\",\"time\":1,\"time\":2}", "{\"event\":\"e\",\"time\":1}}",
            "{\"event\":\"e\",\"time\":1.5}",
        ])
    func noLeaf(text: String) { #expect(LeafFields(Array(text.utf8)) == nil) }
}
