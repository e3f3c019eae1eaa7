import ArgumentParser
import Glibc

/// Checks signed models and the log they are in, with nothing but a public key or a trust set.
///
/// Exit status: 0 verified, 1 not verified, 2 could not check.
@main
struct VerifyTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tributary-verify",
        abstract: "Checks what a Tributary fleet has signed.",
        discussion: "Exit status: 0 verified, 1 not verified, 2 could not check.",
        subcommands: [VerifyModel.self, VerifyLog.self])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let status = exitCode(for: error)
            if status == .success || error is ExitCode { exit(withError: error) }
            // Wrong usage is one of the ways in which nothing could be checked.
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
