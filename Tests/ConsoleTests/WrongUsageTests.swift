import Console
import Testing

@Suite("A call in a wrong way")
struct WrongUsageTests {
    private func call(_ words: String) -> WrongUsage? {
        WrongUsage(ExampleTool.self, words.split(separator: " ").map(String.init))
    }

    @Test(
        "says in a fault what it says to a person, and which help to read",
        arguments: [
            ("round start --json", "Missing expected argument '<plan>'"),
            ("round start p --rounds x --json", "The value 'x' is invalid for '--rounds <rounds>'"),
            ("round start p --rounds 0 --json", "--rounds must be at least 1"),
            ("round start p q --json", "Unexpected argument 'q'"),
        ])
    func parsed(words: String, message: String) throws {
        let wrong = try #require(call(words))
        #expect(wrong.wantsJSON)
        #expect("\(wrong.fault)" == "\(message); `tool round start --help` lists what there is")
        #expect(wrong.text.hasPrefix("Error: \(message)") && wrong.text.hasSuffix("\n"))
    }

    @Test("with a command or an option that there is not is the same in both")
    func hinted() throws {
        let command = try #require(call("rond start --json"))
        let (mistake, meant) = ("'rond' is no command of `tool`", "did you mean `tool round`?")
        let help = "`tool --help` lists what there is"
        #expect("\(command.fault)" == "\(mistake); \(meant) \(help)" && command.wantsJSON)
        #expect(command.text == "error: \(mistake)\n  \(meant) \(help)\n")
        #expect(call("round start p --wacth")?.wantsJSON == false)
    }

    @Test("is none where a command is called, or help or the version is asked for")
    func right() {
        for words in [
            "round start p", "round start p --json", "--help", "help round", "round start --help",
            "--version", "",
        ] { #expect(call(words) == nil, "\(words)") }
    }

    @Test("asks for a document only before --, after which nothing is an option")
    func literal() {
        #expect(call("round start p -- --json")?.wantsJSON == false)
    }
}
