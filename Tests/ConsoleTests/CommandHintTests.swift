import Console
import Testing

@Suite("A command or option that there is not")
struct CommandHintTests {
    private func hint(_ words: String) -> String? {
        CommandHint(ExampleTool.self, words.split(separator: " ").map(String.init))?.text
    }

    @Test("the nearest command is named, with the path to it")
    func commands() {
        #expect(
            hint("rond start") == """
                error: 'rond' is no command of `tool`
                  did you mean `tool round`? `tool --help` lists what there is

                """)
        #expect(hint("round strat x")?.contains("did you mean `tool round start`?") == true)
        #expect(hint("status") == nil && hint("round start fashion") == nil)
    }

    @Test("a word that is near none is only told to be none")
    func farCommand() {
        #expect(
            hint("xyzzyplugh") == """
                error: 'xyzzyplugh' is no command of `tool`
                  `tool --help` lists what there is

                """)
    }

    @Test("the nearest option is named, with or without its value")
    func options() {
        #expect(
            hint("round start p --wacth")
                == "error: `tool round start` has no option --wacth\n  did you mean --watch?"
                + " `tool round start --help` lists what there is\n")
        #expect(hint("round start p --round=3")?.contains("did you mean --rounds?") == true)
        #expect(hint("round start p --rounds=3 --watch") == nil)
    }

    @Test("options that every command has, and what comes after --, are left alone")
    func commonOptions() {
        for words in [
            "--help", "round --help", "round start --help", "help round", "--version",
            "round start --generate-completion-script", "round start -- --wacth", "",
        ] { #expect(hint(words) == nil, "\(words)") }
    }
}
