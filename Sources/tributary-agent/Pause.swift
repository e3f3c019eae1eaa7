import AgentService
import ArgumentParser
import Configuration
import Federation

struct Pause: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Has this device take no part for a while.",
        discussion: """
            A running daemon obeys within a second, in the middle of training too: it gives its place in \
            the round back. It stays paused over restarts. It keeps checking in, and tells the \
            coordinator that it is paused, not why; models and updates wait until it is resumed.

            \(examples(
                "pause --config agent.toml",
                "pause --config agent.toml --for 2h --reason 'backup runs'"))
            """)

    @OptionGroup var config: ConfigurationOption

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "How long: 45m, 2h, 1d12h (default: until `resume`).", valueName: "time"))
    var length: String?

    @Option(help: "Why, for whoever asks for the status here; it is not sent.")
    var reason = ""

    @OptionGroup var output: OutputOptions

    func run() throws {
        try output.answering { () throws(Fault) in
            let directory = StateDirectory(path: try config.load().stateDirectory)
            try directory.check()
            let now = SystemClock().unixSeconds
            let seconds = try length.map { (text) throws(Fault) in try OwnerPause.seconds(text) }
            let pause = OwnerPause(
                sinceUnix: now, untilUnix: seconds.map { now + $0 }, reason: reason)
            try pause.write(directory)
            output.show(
                pause.answer,
                "paused \(pause.words)\n"
                    + "tributary-agent resume --config \(config.file) ends the pause\n")
        }
    }
}

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Ends a pause: this device takes part again, within the rules of its configuration.",
        discussion: examples("resume --config agent.toml"))

    @OptionGroup var config: ConfigurationOption
    @OptionGroup var output: OutputOptions

    func run() throws {
        try output.answering { () throws(Fault) in
            let directory = StateDirectory(path: try config.load().stateDirectory)
            try directory.check()
            let was = OwnerPause.read(directory, unixSeconds: SystemClock().unixSeconds)
            try OwnerPause.end(directory)
            output.show(
                OwnerPause.resumedAnswer, was == nil ? "it was not paused\n" : "resumed\n")
        }
    }
}
