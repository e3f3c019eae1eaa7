import Foundation
import Testing

extension Checkout {
    /// Every document with commands that a reader may type: the README and the guides.
    static let documents: [String] = {
        let folders = ["agent-config", "coordinator-config", "Sources"]
        let guides = folders.flatMap { folder in
            (FileManager.default.subpaths(atPath: root.appending(path: folder).path) ?? [])
                .filter { $0.hasSuffix(".md") && !$0.contains(".docc/") }.map { "\(folder)/\($0)" }
        }
        return ["README.md"] + guides.sorted()
    }()
}

extension InteropTests {
    @Suite("The commands in the documents")
    struct DocumentedCommandTests {
        private func finish(_ document: URL) async throws -> Finished {
            let runner = Checkout.root.appending(path: "Tests/InteropTests/documents")
                .appending(path: "run_document.py")
            let programs = try Program.coordinator.located().deletingLastPathComponent()
            return try await run(
                Checkout.venv("python"),
                [runner.path, "--programs", programs.path, document.path], seconds: 300)
        }

        @Test("do what the document says", arguments: Checkout.documents)
        func documents(path: String) async throws {
            let finished = try await finish(Checkout.root.appending(path: path))
            #expect(finished.status == 0, "\(finished)")
        }

        /// A document, and what is said of it.
        private static let wrong: [(text: String, says: String)] = [
            ("```sh\ntrue\nfalse\n```", "document.md:1: failed"),
            ("\n\n```sh\necho one\n```\n```text\ntwo\n```", "it does not print: two"),
            ("```sh\necho a b\n```\n```text\na ...\nb\n```", "it does not print: b"),
            ("<!-- test: status 1 -->\n```sh\ntrue\n```", "it ended with 0"),
            ("<!-- test: keep A \"[0-9]+\" -->\n```sh\necho a\n```", "nothing like [0-9]+"),
            ("<!-- test: daemon a \"up\" -->\n```sh\ntrue\n```", "a never said: up"),
            ("<!-- test: sing -->", "what is this to mean?"),
            ("<!-- test: status 1 -->", "nothing follows the note status"),
            ("```\ntributary-agent status\n```", "commands are `sh`"),
            ("    tributary-agent status", "commands go into a block"),
            ("see `tributary-agent dance --fast`", "has no command 'dance'"),
            ("`tributary-coordinator round start PLAN --fast`", "has no option '--fast'"),
            (
                "<!-- test: not run: no fleet -->\n```sh\ntributary-verify model D --fast\n```",
                "has no option '--fast'"
            ),
        ]

        @Test("fail when the document is wrong", arguments: wrong)
        func wrongDocument(text: String, says: String) async throws {
            try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "document.md")
                try Data((text + "\n").utf8).write(to: file)
                let finished = try await finish(file)
                #expect(finished.status == 1)
                #expect(finished.words.contains(says), "\(finished)")
            }
        }

        @Test("read the machine's configuration where they name none")
        func configuration() async throws {
            for command in ["enroll", "status", "doctor", "pause", "resume", "leave"] {
                let help = try await run(Program.agent.located(), [command, "--help"])
                let words = help.output.split { $0.isWhitespace }.joined(separator: " ")
                #expect(words.contains("(default: /etc/tributary/agent.toml)"), "\(help)")
            }
        }

        @Test("see replaced words, files and what was kept; daemons end with the document")
        func rightDocument() async throws {
            let text = """
                <!-- test: replace "/etc/" by "{here}/etc/" -->
                <!-- test: file "/etc/a/b.toml" -->
                ```toml
                name = "/etc/c"
                ```
                <!-- test: keep NAME "/[^ ]*/etc/c" -->
                ```sh
                cat /etc/a/b.toml
                ```
                ```text
                name = "/.../etc/c"
                ```
                <!-- test: daemon sleeper "ready" -->
                ```sh
                echo ready
                exec sleep 1000
                ```
                <!-- test: until "done" -->
                ```sh
                test -f second && echo "done with $NAME" || touch second
                ```
                ```text
                done with /.../etc/c
                ```
                """
            try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "document.md")
                try Data(text.utf8).write(to: file)
                let finished = try await finish(file)
                #expect(finished.status == 0, "\(finished)")
            }
        }
    }
}
