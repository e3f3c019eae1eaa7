import ArgumentParser
import Console
import Federation
import Glibc

/// Checks signed models and the log they are in, with nothing but a public key or a trust set.
///
/// Exit status: 0 verified, 1 not verified, 2 could not check.
@main
struct VerifyTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tributary-verify",
        abstract: "Checks what a Tributary fleet has signed.",
        discussion: """
            Nothing but the files that are named is believed, and no coordinator is asked.

            Exit status: 0 verified, 1 not verified, 2 could not check. coordinator-config/json.md \
            describes what --json prints.

            \(examples(
                "model export/fashion-15 --trust trust-set.json",
                "log export/log --trust trust-set.json"))
            """,
        version: softwareVersion,
        subcommands: [VerifyModel.self, VerifyLog.self])

    static func main() {
        // Whoever cannot read the verdict has none.
        OutputStream.answerForPrinting(status: Answer.couldNotCheck)
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let wrong = WrongUsage(VerifyTool.self, arguments) {
            // One of the ways in which nothing could be checked.
            wrong.end(status: Answer.couldNotCheck, document: Answer.document(of:))
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            let status = exitCode(for: error)
            if status == .success || error is ExitCode { exit(withError: error) }
            report(fullMessage(for: error))
            Glibc.exit(Answer.couldNotCheck)
        }
    }
}

/// Writes a line to standard error.
func report(_ message: String) {
    let line = Array((message + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
}

/// Commands of this program to start from, for the end of a discussion.
func examples(_ lines: String...) -> String { helpExamples("tributary-verify", lines) }
