import ArgumentParser

/// A program with commands, to be called in wrong ways.
struct ExampleTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tool", version: "1", subcommands: [Round.self, Status.self])

    private struct Round: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "round", subcommands: [Start.self])
    }

    private struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "start")
        @Option var rounds = 1
        @Flag var watch = false
        @Flag var json = false
        @Argument var plan: String

        func validate() throws {
            if rounds == 0 { throw ValidationError("--rounds must be at least 1.") }
        }
    }

    private struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "status")
    }
}
