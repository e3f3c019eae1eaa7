import Foundation
import Testing

/// What `--experimental-dump-help` prints.
private struct Dump: Decodable {
    let command: Command

    struct Command: Decodable {
        let commandName: String
        let discussion: String?
        let subcommands: [Command]?
        let arguments: [Argument]?
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
        }

        let kind: String
        let names: [Name]?
    }
}

/// What `--json` prints of a call in a wrong way: an error, or the verifier's report.
private struct WrongCall: Decodable {
    struct Fault: Decodable {
        let code: String
        let remedy: String
    }

    let error: Fault?
    let problem: String?
}

extension InteropTests {
    /// Help teaches by example, so the examples have to be right.
    @Suite("The programs' help")
    struct HelpTests {
        private static let programs = [Program.coordinator, .agent, .verifier]

        private func commands(of program: Program) async throws -> Dump.Command {
            let help = try await run(program.located(), ["--experimental-dump-help"]).succeeded()
            return try JSONDecoder().decode(Dump.self, from: Data(help.output.utf8)).command
        }

        @Test(
            "every command has one to five examples, of commands and options that there are",
            arguments: programs)
        func examples(program: Program) async throws {
            let root = try await commands(of: program)
            var count = 0
            visit(root, path: []) { command, path in
                guard command.commandName != "help" else { return }
                let lines = examples(in: command)
                #expect(
                    (1...5).contains(lines.count), "\(path.joined(separator: " ")): \(lines)")
                for line in lines {
                    count += 1
                    let problem = problem(with: line, in: root)
                    #expect(problem == nil, "\(line)")
                }
            }
            #expect(count > 3)
        }

        @Test(
            "exit statuses are in the first help, and every command that answers takes --json",
            arguments: programs)
        func answers(program: Program) async throws {
            let root = try await commands(of: program)
            #expect(root.discussion?.contains("Exit status") == true)
            visit(root, path: []) { command, path in
                guard command.subcommands?.isEmpty ?? true, command.commandName != "help" else {
                    return
                }
                #expect(options(of: command).contains("json"), "\(path.joined(separator: " "))")
            }
        }

        @Test("a mistyped command or option is answered with the one that was probably meant")
        func meant() async throws {
            for (program, words, meant, status) in [
                (Program.coordinator, ["rond"], "`tributary-coordinator round`", Int32(64)),
                (.coordinator, ["round", "strat"], "`tributary-coordinator round start`", 64),
                (.coordinator, ["round", "start", "p", "--wacth"], "--watch", 64),
                (.agent, ["statsu"], "`tributary-agent status`", 64),
                (.agent, ["status", "--confg", "x"], "--config", 64),
                (.verifier, ["modl"], "`tributary-verify model`", 2),
                (.daemon, ["--confg", "x"], "--config", 64),
            ] {
                let finished = try await run(program.located(), words)
                #expect(finished.status == status, "\(finished)")
                #expect(finished.errors.contains("did you mean \(meant)?"), "\(finished)")
            }
        }

        @Test("a call in a wrong way is answered with a document, too, and the same exit status")
        func wrongUsage() async throws {
            for (program, words, status) in [
                (Program.coordinator, ["plan", "show", "p"], Int32(64)),
                (.coordinator, ["plan", "shwo"], 64), (.coordinator, ["job", "show", "x"], 64),
                (.agent, ["enroll"], 64), (.agent, ["pause", "--fro", "1h"], 64),
                (.verifier, ["model"], 2), (.verifier, ["log", "x", "--vkye", "k"], 2),
            ] {
                let finished = try await run(program.located(), words + ["--json"])
                #expect(finished.status == status, "\(finished)")
                #expect(finished.errors.lowercased().hasPrefix("error: "), "\(finished)")
                let wrong: WrongCall = try decoded(finished.output)
                let remedy = wrong.error?.remedy ?? wrong.problem
                #expect(
                    remedy?.hasSuffix("--help` lists what there is") == true, "\(finished)")
                #expect(wrong.error == nil || wrong.error?.code == "invalid", "\(finished)")
            }
        }

        @Test(
            "output that cannot be written is a failure, and says why",
            arguments: [
                ("tributary-coordinator --help", Int32(1)),
                ("tributary-coordinator runs list --runs /none --json", 1),
                ("tributary-agent --version", 1), ("tributary-agent doctor --config /none", 1),
                ("tributary-agentd --help", 1), ("tributary-verify --help", 2),
                ("tributary-verify model /none --trust /none", 2),
            ])
        func fullDisk(command: String, status: Int32) async throws {
            let programs = try Program.agent.located().deletingLastPathComponent().path
            let words = ["-c", "PATH=\(programs):$PATH; \(command) >/dev/full"]
            let finished = try await run(URL(filePath: "/bin/sh"), words)
            #expect(finished.status == status, "\(finished)")
            #expect(
                finished.errors.contains("cannot write the output: No space left on device"),
                "\(finished)")
        }

        private func visit(
            _ command: Dump.Command, path: [String], _ body: (Dump.Command, [String]) -> Void
        ) {
            let path = path + [command.commandName]
            body(command, path)
            for next in command.subcommands ?? [] { visit(next, path: path, body) }
        }

        /// The lines that the end of the discussion gives.
        private func examples(in command: Dump.Command) -> [String] {
            let lines = (command.discussion ?? "").split(separator: "\n").map(String.init)
            guard let start = lines.lastIndex(where: { ["Example:", "Examples:"].contains($0) })
            else { return [] }
            return lines[(start + 1)...].map { $0.trimmingCharacters(in: .whitespaces) }
        }

        private func options(of command: Dump.Command) -> Set<String> {
            Set((command.arguments ?? []).flatMap { $0.names ?? [] }.map(\.name))
        }

        /// What in an example is no command or option; nil when all of it is.
        private func problem(with line: String, in root: Dump.Command) -> String? {
            var words = line.split(separator: " ").map(String.init)
            guard words.first == root.commandName else { return "another program" }
            words.removeFirst()
            var command = root
            while let next = command.subcommands?.first(where: { $0.commandName == words.first }) {
                command = next
                words.removeFirst()
            }
            guard command.subcommands?.isEmpty ?? true else { return "no such command" }
            let known = options(of: command)
            for word in words
            where word.hasPrefix("--") && !known.contains(String(word.dropFirst(2))) {
                return word
            }
            return nil
        }
    }
}
