import Console
import Testing

@Suite("Colours")
struct ColourTests {
    @Test(
        "are wanted unless NO_COLOR says something or the terminal is dumb",
        arguments: [
            ([:], true), (["NO_COLOR": ""], true), (["NO_COLOR": "1"], false),
            (["NO_COLOR": "0"], false), (["TERM": "dumb"], false), (["TERM": "xterm"], true),
        ] as [([String: String], Bool)])
    func wanted(environment: [String: String], isWanted: Bool) {
        #expect(Colour.areWanted { environment[$0] } == isWanted)
    }

    @Test("a word of state is good, waiting or bad, whatever follows it")
    func states() {
        #expect(Colour.of(state: "published") == .green)
        #expect(Colour.of(state: "paused") == .yellow)
        #expect(Colour.of(state: "failed: too few agents") == .red)
        #expect(Colour.of(state: "selecting") == nil && Colour.of(state: "") == nil)
    }

    @Test("paint ends with the colour's end, and nothing is painted on nothing")
    func paint() {
        #expect(Colour.red.paint("no") == "\u{1B}[31mno\u{1B}[0m")
        #expect(Colour.red.paint("") == "")
    }

    @Test("examples of commands stand on lines of their own, with the program's name")
    func examples() {
        #expect(helpExamples("tool", ["a"]) == "Example:\n  tool a")
        #expect(helpExamples("tool", ["a", "b"]) == "Examples:\n  tool a\n  tool b")
    }
}
