import Configuration
import Federation
import Testing

@Suite struct PlanCardTests {
    @Test("a plan says what its models are for, in paragraphs, or nothing")
    func texts() throws {
        #expect(try parse(validPlan).card == ModelCardPlan())
        let both = """
            [model_card]
            intended_use = "Counts beads."
            limitations = \"""
            Not for pearls.

            Nor for marbles.\"""

            """
        #expect(
            try parse(validPlan + both).card
                == ModelCardPlan(
                    intendedUse: "Counts beads.",
                    limitations: "Not for pearls.\n\nNor for marbles."))
        let one = try parse(validPlan + "[model_card]\nintended_use = \"Perles, größer\"\n").card
        #expect(one == ModelCardPlan(intendedUse: "Perles, größer"))
    }

    @Test(
        "what would hide or reorder a card's text is refused, and so is too much of it",
        arguments: [
            ("", #"is """#), ("a\\tb", #"is "a\tb""#), ("a\\u0000", #"is "a\u0000""#),
            ("a\\u202eb", "is \"a\u{202e}b\""), ("a\\u200bb", "is \"a\u{200b}b\""),
            (
                String(repeating: "x", count: 4001),
                "is \"" + String(repeating: "x", count: 80) + "...\""
            ),
        ])
    func refused(text: String, found: String) {
        let written = "[model_card]\nlimitations = \"\(text)\"\n"
        #expect(
            refusal(of: validPlan + written)
                == "tiny.toml:54:15: limitations in [model_card] \(found); write 1 to 4000 bytes of"
                + " plain text, without control characters")
    }

    @Test("a key that no card has is refused with the nearest that one has")
    func unknownKey() {
        #expect(
            refusal(of: validPlan + "[model_card]\nlimitation = \"x\"\n")
                == "tiny.toml:54:1: unknown key 'limitation' in [model_card]; did you mean"
                + " 'limitations'?")
    }
}
