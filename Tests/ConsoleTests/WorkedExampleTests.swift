import Console
import Testing

@Suite("The worked example of Console")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let word = "published"
        let isWanted = Colour.areWanted { name in name == "NO_COLOR" ? "1" : nil }
        let shown = isWanted ? Colour.of(state: word)?.paint(word) ?? word : word

        #expect(shown == "published")
        #expect(Colour.of(state: word) == .green)
    }
}
