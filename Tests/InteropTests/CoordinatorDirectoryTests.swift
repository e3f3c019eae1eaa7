import Foundation
import Testing

extension InteropTests {
    @Suite("A coordinator's directory")
    struct CoordinatorDirectoryTests {
        @Test("that cannot be made leaves nothing and says why")
        func unwritable() async throws {
            try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "file")
                try Data("x".utf8).write(to: file)
                let result = try await initialise("\(file.path)/fleet", "--address", "127.0.0.1")
                #expect(result.status == 1)
                #expect(result.errors.contains("\(file.path)/fleet: Not a directory"), "\(result)")
                #expect(result.errors.contains("name a directory, not a file"), "\(result)")
                #expect(try text(of: file) == "x")
            }
        }

        @Test("is made whole or not at all, so that a mistake can be corrected and tried again")
        func wholeOrNothing() async throws {
            try await withTemporaryDirectory { directory in
                let path = directory.appending(path: "fleet").path
                let mistakes = [
                    ["--address", "https://example.org"], ["--address", ""],
                    ["--address", "127.0.0.1", "--fleet", "No Name"],
                    ["--address", "127.0.0.1", "--port", "70000"],
                ]
                for mistake in mistakes {
                    let result = try await initialise(path, mistake)
                    #expect(result.status == 1, "\(result)")
                    #expect(result.errors.split(separator: "\n").count == 2, "\(result)")
                    let left = FileManager.default.subpaths(atPath: path) ?? []
                    #expect(left.isEmpty, "after \(mistake): \(left)")
                }
                let corrected = try await initialise(path, "--address", "127.0.0.1")
                #expect(corrected.status == 0, "\(corrected)")
            }
        }

        @Test("loses its last admin only by force, and gets another from who has the directory")
        func lastAdmin() async throws {
            try await withTemporaryDirectory { directory in
                let path = directory.appending(path: "fleet").path
                _ = try await initialise(path, "--address", "127.0.0.1").succeeded()
                let revoke = [
                    "admin", "revoke", "admin", "--reason", "left", "--dir", path,
                ]
                let refused = try await run(Program.coordinator.located(), revoke)
                #expect(refused.status == 1, "\(refused)")
                #expect(
                    refused.errors.contains("admin issue --dir \(path) --name NAME"), "\(refused)")
                let forced = try await run(Program.coordinator.located(), revoke + ["--force"])
                #expect(forced.status == 0, "\(forced)")
                #expect(forced.output.contains("mv \(path)/admin \(path)/admin.revoked"))
                try FileManager.default.moveItem(
                    atPath: path + "/admin", toPath: path + "/admin.revoked")
                _ = try await run(
                    .coordinator, "admin", "issue", "--name", "ann", "--output", path + "/admin",
                    "--dir", path
                ).succeeded()
            }
        }

        @Test("restored from a backup without keys wants a credential, and says how to get one")
        func restored() async throws {
            try await withTemporaryDirectory { directory in
                let path = directory.appending(path: "fleet").path
                _ = try await initialise(path, "--address", "127.0.0.1").succeeded()
                let backups: [(String, flags: [String], isAsked: Bool)] = [
                    ("keyless", [], true), ("whole", ["--with-keys"], false),
                ]
                for (name, flags, isAsked) in backups {
                    let backup = directory.appending(path: name).path
                    _ = try await run(
                        Program.coordinator.located(), ["backup", backup, "--dir", path] + flags
                    ).succeeded()
                    let into = backup + "-restored"
                    let answer = try await run(
                        .coordinator, "restore", backup, "--into", into, "--keys", path + "/keys"
                    ).succeeded()
                    let command = "admin issue --dir \(into) --name admin --output \(into)/admin"
                    #expect(answer.output.contains(command) == isAsked, "\(answer)")
                    guard isAsked else { continue }
                    _ = try await run(
                        Program.coordinator.located(),
                        command.split(separator: " ").map(String.init)
                    ).succeeded()
                }
            }
        }

        @Test("is never overwritten")
        func notTwice() async throws {
            try await withTemporaryDirectory { directory in
                let path = directory.appending(path: "fleet").path
                _ = try await initialise(path, "--address", "127.0.0.1").succeeded()
                let key = URL(filePath: "\(path)/keys/fleet-ca.key")
                let before = try text(of: key)
                let again = try await initialise(path, "--address", "127.0.0.1")
                #expect(again.status == 1)
                #expect(again.errors.contains("already holds a coordinator"), "\(again)")
                #expect(again.errors.contains("choose another directory"), "\(again)")
                #expect(try text(of: key) == before)
            }
        }

        @Test("that holds no coordinator is no place to serve or administer from")
        func noCoordinator() async throws {
            try await withTemporaryDirectory { directory in
                let serve = try await run(.coordinator, "serve", "--dir", directory.path)
                #expect(serve.status == 1)
                #expect(serve.errors.contains("holds no coordinator"), "\(serve)")
                #expect(serve.errors.contains("tributary-coordinator init"), "\(serve)")

                let list = try await run(.coordinator, "plan", "list", "--dir", directory.path)
                #expect(list.status == 1)
                #expect(list.errors.contains("holds no admin credential"), "\(list)")
                #expect(list.errors.contains("admin issue"), "\(list)")
                #expect(try FileManager.default.subpathsOfDirectory(atPath: directory.path) == [])
            }
        }

        @Test("of which somebody changed a row is not served, until it is as its log says again")
        func changedRegistry() async throws {
            try await withTemporaryDirectory { directory in
                let path = directory.appending(path: "fleet").path
                _ = try await initialise(path, "--address", "127.0.0.1").succeeded()
                let registry = path + "/registry.sqlite"
                try await changeRegistry(registry, "UPDATE people SET role = 'auditor'")
                for command in [["serve"], ["key", "rotate"]] {
                    let result = try await run(
                        Program.coordinator.located(), command + ["--dir", path])
                    #expect(result.status == 1, "\(result)")
                    #expect(result.errors.contains("people admin"), "\(result)")
                    #expect(result.errors.contains("audit verify --dir"), "\(result)")
                }
                try await changeRegistry(registry, "UPDATE people SET role = 'admin'")
                _ = try await run(.coordinator, "key", "rotate", "--dir", path).succeeded()
                _ = try await run(.coordinator, "audit", "verify", "--dir", path).succeeded()
            }
        }

        @Test("with a broken configuration is refused with line and column")
        func brokenConfiguration() async throws {
            try await withTemporaryDirectory { directory in
                let path = directory.appending(path: "fleet").path
                _ = try await initialise(path, "--address", "127.0.0.1").succeeded()
                let file = URL(filePath: "\(path)/coordinator.toml")
                try Data("[server]\naddresses = [\"localhost\"]\nprot = 1\n".utf8).write(to: file)
                let serve = try await run(.coordinator, "serve", "--dir", path)
                #expect(serve.status == 1)
                #expect(
                    serve.errors.contains("coordinator.toml:3:1: unknown key 'prot'"), "\(serve)")
                #expect(serve.errors.contains("did you mean 'port'?"), "\(serve)")
            }
        }

        @Test("whose coordinator does not run is told from one that cannot be reached")
        func notRunning() async throws {
            try await withTemporaryDirectory { directory in
                let path = directory.appending(path: "fleet").path
                _ = try await initialise(
                    path, "--address", "127.0.0.1", "--port", "\(unusedPort())"
                ).succeeded()
                let list = try await run(.coordinator, "plan", "list", "--dir", path)
                #expect(list.status == 1)
                #expect(list.errors.contains("nothing listens there"), "\(list)")
                #expect(list.errors.contains("check that the coordinator runs"), "\(list)")
            }
        }

        private func initialise(_ path: String, _ arguments: String...) async throws -> Finished {
            try await initialise(path, arguments)
        }

        private func initialise(_ path: String, _ arguments: [String]) async throws -> Finished {
            try await run(Program.coordinator.located(), ["init", "--dir", path] + arguments)
        }
    }
}
