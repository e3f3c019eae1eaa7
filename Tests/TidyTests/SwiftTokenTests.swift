import Testing

/// Every rule over code stands on these tokens.
@Suite("The tokens of Swift code")
struct SwiftTokenTests {
    private func words(_ text: String) -> [String] {
        SwiftToken.tokens(of: Array(text.utf8)).map(\.text)
    }

    @Test("are words and punctuation, with their lines")
    func wordsAndLines() {
        let tokens = SwiftToken.tokens(of: Array("let a = b\n  -> {\n}".utf8))
        #expect(tokens.map(\.text) == ["let", "a", "=", "b", "->", "{", "}"])
        #expect(tokens.map(\.line) == [1, 1, 1, 1, 2, 2, 3])
    }

    @Test("tell a forced try from the try of a negation")
    func forcedTry() {
        #expect(
            words("try! a, try !b, retry!") == [
                "try!", "a", ",", "try", "!", "b", ",", "retry", "!",
            ])
    }

    @Test("leave out comments, nested ones too")
    func comments() {
        #expect(words("a // try! {\nb /* { /* { */ { */ c") == ["a", "b", "c"])
        #expect(words("/* open") == [])
    }

    @Test("leave out what strings say")
    func strings() {
        #expect(words(#"f("{ \" } try!", "x") + g"#) == ["f", "(", ",", ")", "+", "g"])
        #expect(words("a = \"\"\"\n{ \" {\n\"\"\"\nb") == ["a", "=", "b"])
        #expect(words(##"a(#"{"\n"#)b"##) == ["a", "(", ")", "b"])
        #expect(words(##"#if x"##) == ["#", "if", "x"])
    }

    @Test("keep what strings interpolate")
    func interpolation() {
        #expect(
            words(#""a \(b("}\(c)", (d))) e" f"#) == ["b", "(", "c", ",", "(", "d", ")", ")", "f"])
        #expect(words(##"#"\(x) \#(y)"# z"##) == ["y", "z"])
    }

    @Test("end a string of one line with its line")
    func strayQuote() {
        #expect(words("a \" b\nc") == ["a", "c"])
    }
}
