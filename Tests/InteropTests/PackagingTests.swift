import Federation
import Foundation
import Testing

extension InteropTests {
    /// What can be seen of packages and services without making any; `make test-packages` installs them.
    @Suite("Packages and services")
    struct PackagingTests {
        static let units = [
            "agent-config/tributary-agentd.service",
            "coordinator-config/tributary-coordinator.service",
        ]
        private static let analyse = URL(filePath: "/usr/bin/systemd-analyze")

        @Test(
            "a service is exposed 2.0 of 10 at most, as systemd counts; without its sandbox it is not",
            arguments: units)
        func exposure(of unit: String) async throws {
            try await withTemporaryDirectory { directory in
                let words = ["security", "--offline=true", "--no-pager", "--threshold=20"]
                let whole = Checkout.root.appending(path: unit)
                let safe = try await run(Self.analyse, words + [whole.path])
                #expect(safe.status == 0, "\(safe)")
                let open = directory.appending(path: whole.lastPathComponent)
                let lines = try text(of: whole).split(separator: "\n")
                let without = lines.filter { !$0.hasPrefix("SystemCall") && !$0.hasPrefix("P") }
                try Data(without.joined(separator: "\n").utf8).write(to: open)
                let unsafe = try await run(Self.analyse, words + [open.path])
                #expect(unsafe.status != 0, "\(unsafe)")
            }
        }

        @Test("systemd understands every line of a unit", arguments: units)
        func understood(unit: String) async throws {
            try await withTemporaryDirectory { directory in
                let whole = Checkout.root.appending(path: unit)
                let copy = directory.appending(path: whole.lastPathComponent)
                for (addition, isUnderstood) in [
                    ("", true), ("\n[Service]\nProtectAll=yes\n", false),
                ] {
                    // The program is not installed here.
                    let lines = try text(of: whole).replacing(
                        /(?m)^ExecStart=.*$/, with: "ExecStart=/bin/true")
                    try Data((lines + addition).utf8).write(to: copy)
                    let said = try await run(
                        Self.analyse, ["verify", "--man=no", copy.path])
                    #expect(said.words.isEmpty == isUnderstood, "\(said)")
                }
            }
        }

        @Test("the packages have the programs' version")
        func version() throws {
            let changelog = try text(of: Checkout.root.appending(path: ".ci/debian/changelog"))
            #expect(changelog.hasPrefix("tributary (\(softwareVersion)) "))
        }

        @Test("every command and subcommand has a manual page and is completed")
        func pages() async throws {
            try await withTemporaryDirectory { directory in
                let programs = try Program.coordinator.located().deletingLastPathComponent()
                _ = try await run(
                    Checkout.root.appending(path: ".ci/manuals"),
                    ["--programs", programs.path, "--output", directory.path]
                ).succeeded()
                for program in [Program.coordinator, .agent, .verifier] {
                    let name = program.rawValue
                    let completions = try text(
                        of: directory.appending(path: "bash-completion/completions/\(name)"))
                    let commands = try await subcommands(of: program, [])
                    #expect(commands.count > 1)
                    for command in commands {
                        let page = ([name] + command).joined(separator: "-")
                        let text = try text(of: directory.appending(path: "man/man1/\(page).1"))
                        #expect(text.contains(".SH SYNOPSIS") && text.contains(".SH EXIT STATUS"))
                        let word = try #require(command.last)
                        #expect(completions.contains(word), "\(page)")
                    }
                }
            }
        }

        @Test("every link of an installed document leads to something that is installed")
        func documents() async throws {
            try await withTemporaryDirectory { directory in
                let programs = try Program.coordinator.located().deletingLastPathComponent()
                _ = try await run(
                    Checkout.root.appending(path: ".ci/install"), [],
                    environment: [
                        "DESTDIR": directory.path, "PREFIX": "/usr", "PROGRAMS": programs.path,
                    ]
                ).succeeded()
                let documents = directory.appending(path: "usr/share/doc").path
                let pages = try FileManager.default.subpathsOfDirectory(atPath: documents)
                    .filter { $0.hasSuffix(".md") }
                for page in [
                    "tributary-coordinator/README.md", "tributary-agent/device-owner.md",
                    "tributary-verify/auditor.md",
                ] { #expect(pages.contains(page)) }
                var count = 0
                for page in pages {
                    let file = URL(filePath: documents).appending(path: page)
                    for link in try text(of: file).matches(of: /\]\(([^)#\s]+)(#[^)]*)?\)/)
                    where !link.1.contains("://") {
                        let place =
                            link.1.hasPrefix("/")
                            ? directory.path : file.deletingLastPathComponent().path + "/"
                        #expect(
                            FileManager.default.fileExists(atPath: place + link.1),
                            "\(page) leads to \(link.1)")
                        count += 1
                    }
                }
                #expect(count > 10)
            }
        }

        /// The words of every command below `command`, as its help lists them.
        private func subcommands(of program: Program, _ command: [String]) async throws
            -> [[String]]
        {
            let help = try await run(program.located(), command + ["--help"]).succeeded().output
            guard let list = help.components(separatedBy: "SUBCOMMANDS:\n").dropFirst().first else {
                return []
            }
            var found: [[String]] = []
            for line in list.split(separator: "\n") {
                guard let name = line.firstMatch(of: /^  ([a-z][a-z-]*)( |$)/)?.1, name != "help"
                else { continue }
                let below = command + [String(name)]
                found.append(below)
                found += try await subcommands(of: program, below)
            }
            return found
        }

        @Test(
            "the coordinator tells systemd when agents can connect, that it lives, and that it stops"
        )
        func notifications() async throws {
            try await withTemporaryDirectory { directory in
                let fleet = directory.appending(path: "fleet")
                _ = try await run(
                    .coordinator, "init", "--dir", fleet.path, "--address", "127.0.0.1"
                ).succeeded()
                try Data(
                    "[server]\nlisten = \"127.0.0.1\"\nport = 0\naddresses = [\"127.0.0.1\"]\n".utf8
                )
                .write(to: fleet.appending(path: "coordinator.toml"))
                let manager = try NotifySocket(directory.appending(path: "notify").path)
                let log = directory.appending(path: "log")
                let program = try RunningProgram(
                    Program.coordinator.located(), ["serve", "--dir", fleet.path],
                    environment: ["NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000"],
                    output: log, errors: log)
                defer { program.signal(SIGKILL) }
                try await wait(for: "readiness, see \(log.path)") {
                    manager.messages.contains("READY=1")
                }
                #expect(
                    manager.messages.contains {
                        $0.hasPrefix("STATUS=serving agents at 127.0.0.1:")
                    })
                try await wait(for: "signs of life") {
                    manager.messages.count { $0 == "WATCHDOG=1" } > 2
                }
                #expect(!manager.messages.contains("STOPPING=1"))
                #expect(try await program.stop() == 0)
                #expect(manager.messages.contains("STOPPING=1"))
            }
        }
    }
}
