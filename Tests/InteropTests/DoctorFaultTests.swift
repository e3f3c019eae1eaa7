import Cryptography
import Federation
import Foundation
import Testing

extension InteropTests {
    /// Each thing that can be wrong on the way to a coordinator, brought about for real: both sides' doctors must name it.
    @Suite("Doctor")
    struct DoctorFaultTests {
        /// What a server shows, and what is then to be read.
        private struct Wrong {
            let name: String
            var hosts = ["127.0.0.1"]
            var issuedUnix = Int64(Date().timeIntervalSince1970)
            var isStranger = false
            let words: [String]
        }

        private static let day: Int64 = 86_400

        private static var wrongs: [Wrong] {
            let now = Int64(Date().timeIntervalSince1970)
            return [
                Wrong(
                    name: "another authority", isStranger: true,
                    words: [
                        "belongs to another fleet: its certificate is signed by another authority"
                    ]),
                Wrong(
                    name: "an expired certificate", issuedUnix: now - 400 * day,
                    words: ["expired on 20", "this machine's clock says 20"]),
                Wrong(
                    name: "a certificate of the future, or a slow clock",
                    issuedUnix: now + 30 * day,
                    words: [
                        "is not valid before 20", "this machine's clock says 20", "set the clock",
                    ]),
                Wrong(
                    name: "another name", hosts: ["fleet.example.org"],
                    words: ["is not for '127.0.0.1', only for fleet.example.org"]),
            ]
        }

        @Test("on both sides names what is wrong with the server's certificate")
        func certificates() async throws {
            try await ExampleFleet.withFleet([]) { fleet in
                let agent = try await fleet.enrol("one")
                let credential = fleet.coordinatorDirectory.appending(path: "admin")
                let files = [
                    URL(filePath: agent.state + "/coordinator"),
                    credential.appending(path: "address"),
                ]
                let address = try fleet.address
                for wrong in Self.wrongs {
                    try await withServer(wrong, of: fleet) { port in
                        for file in files { try Data("127.0.0.1:\(port)\n".utf8).write(to: file) }
                        try await expect(wrong.words, for: wrong.name, from: agent)
                        let here = try await run(
                            .coordinator, "doctor", "--dir", credential.path, "--json")
                        #expect(here.status == 1)
                        let answer: DoctorAnswer = try decoded(here.output)
                        #expect(
                            answer.checks.map(\.check) == ["name", "port", "TLS"], "\(wrong.name)")
                        for word in wrong.words {
                            #expect(answer.checks.last?.detail.contains(word) == true, "\(here)")
                        }
                    }
                }
                for file in files { try Data("\(address)\n".utf8).write(to: file) }
                let healed = try await run(.agent, "doctor", "--config", agent.configuration)
                for check in ["name", "port", "TLS", "coordinator"] {
                    #expect(healed.output.contains("OK   \(check): "), "\(healed)")
                }
            }
        }

        /// The agent's doctor gets as far as TLS, and says this there.
        private func expect(_ words: [String], for name: String, from agent: ExampleAgent)
            async throws
        {
            let found = try await run(.agent, "doctor", "--config", agent.configuration)
            #expect(found.status == 1)
            let lines = found.output.split(separator: "\n").map(String.init)
            #expect(lines.contains { $0.hasPrefix("OK   port: ") }, "\(name): \(found)")
            let line = try #require(lines.first { $0.hasPrefix("FAIL TLS: ") }, "\(name): \(found)")
            for word in words { #expect(line.contains(word), "\(name): \(line)") }
            #expect(!lines.contains { $0.contains(" coordinator: ") }, "\(name)")
        }

        @Test("says what is wrong with the name, the port and the identity")
        func steps() async throws {
            try await ExampleFleet.withFleet([]) { fleet in
                let agent = try await fleet.enrol("one")
                let file = URL(filePath: agent.state + "/coordinator")
                let address = try fleet.address
                let unused = try unusedPort()
                for (place, line, words) in [
                    (
                        "nowhere.invalid:7443", "FAIL name: ",
                        "cannot find the address of 'nowhere.invalid'"
                    ),
                    ("127.0.0.1:\(unused)", "FAIL port: ", "nothing listens there"),
                ] {
                    try Data("\(place)\n".utf8).write(to: file)
                    let found = try await run(.agent, "doctor", "--config", agent.configuration)
                    #expect(found.status == 1)
                    let said = found.output.split(separator: "\n").first { $0.hasPrefix(line) }
                    #expect(said?.contains(words) == true, "\(found)")
                    #expect(!found.output.contains(" TLS: "), "\(found)")
                }
                try Data("\(address)\n".utf8).write(to: file)
                let list: AgentsAnswer = try await fleet.administer(["agent", "list"])
                let name = try #require(list.agents.first?.agent)
                _ = try await fleet.administer(["agent", "revoke", name]) as AgentAnswer
                let revoked = try await run(.agent, "doctor", "--config", agent.configuration)
                #expect(revoked.status == 1)
                #expect(revoked.output.contains("OK   TLS: TLSv1.3"), "\(revoked)")
                let line = revoked.output.split(separator: "\n")
                    .first { $0.hasPrefix("FAIL coordinator: ") }
                #expect(line?.contains("was revoked") == true, "\(revoked)")
            }
        }

        @Test("of a coordinator that is down says so, and what the next start would find")
        func down() async throws {
            try await ExampleFleet.withFleet([.stripes]) { fleet in
                let running = try await fleet.attempt(["doctor"])
                #expect(running.status == 0, "\(running)")
                try await fleet.process().stop()
                let found = try await fleet.attempt(["doctor"])
                #expect(found.status == 1)
                let answer: DoctorAnswer = try decoded(found.output)
                #expect(!answer.ok && answer.tlsVersion == nil && answer.dashboard == nil)
                let checks = Dictionary(
                    answer.checks.map { ($0.check, $0) }, uniquingKeysWith: { $1 })
                #expect(checks["port"]?.detail.contains("nothing listens there") == true)
                #expect(checks["daemon"]?.ok == false)
                #expect(
                    checks["daemon"]?.detail.contains("tributary-coordinator serve --dir") == true)
                for check in [
                    "configuration", "permissions", "keys", "certificates", "disk", "memory",
                    "data of stripes", "certificate's names", "port free", "log", "arithmetic",
                ] {
                    #expect(checks[check]?.ok == true, "\(check): \(found)")
                }

                try FileManager.default.removeItem(at: fleet.testData(of: .stripes))
                let other: DoctorAnswer = try decoded(try await fleet.attempt(["doctor"]).output)
                let data = other.checks.first { $0.check == "data of stripes" }
                #expect(data?.ok == false)
                #expect(data?.detail.contains("cannot read") == true, "\(other)")
            }
        }

        @Test(
            "run as root, sees what the user sees that the coordinator's directory belongs to",
            .enabled(if: geteuid() == 0, "only root can be another user"))
        func asOwner() async throws {
            try await ExampleFleet.withFleet([.stripes]) { fleet in
                let (nobody, state) = ("65534", fleet.coordinatorDirectory.path)
                for place in [fleet.directory.path, state] {
                    _ = try await run(
                        URL(filePath: "/bin/chown"),
                        ["-R", place == state ? nobody : "0", place]
                    ).succeeded()
                }
                chmod(fleet.directory.path, 0o755)
                let data = fleet.testData(of: .stripes).path
                chmod(data, 0o700)
                let found: DoctorAnswer = try decoded(try await fleet.attempt(["doctor"]).output)
                let line = found.checks.first { $0.check == "data of stripes" }
                #expect(line?.ok == false)
                #expect(line?.detail.contains("Permission denied") == true, "\(found)")
                #expect(found.checks.first { $0.check == "permissions" }?.ok == true, "\(found)")
                chmod(data, 0o755)
                let mended: DoctorAnswer = try decoded(try await fleet.attempt(["doctor"]).output)
                #expect(mended.ok, "\(mended)")

                _ = try await run(
                    URL(filePath: "/bin/chown"), ["0", state + "/keys"]
                ).succeeded()
                let stolen: DoctorAnswer = try decoded(try await fleet.attempt(["doctor"]).output)
                let keys = stolen.checks.first { $0.check == "permissions" }
                #expect(
                    keys?.detail.contains("/keys belongs to root, its directory to nobody") == true)
                #expect(keys?.detail.contains("chown -R nobody") == true, "\(stolen)")
            }
        }

        /// Runs `body` beside a TLS server of loopback that shows such a certificate.
        private func withServer(
            _ wrong: Wrong, of fleet: ExampleFleet, _ body: (Int) async throws -> Void
        ) async throws {
            let state = fleet.coordinatorDirectory
            let authority =
                wrong.isStranger
                ? try CertificateAuthority.create(fleet: "stranger", nowUnix: wrong.issuedUnix)
                : try CertificateAuthority(
                    certificate: Certificate(
                        pemFile: state.appending(path: "certificates/fleet-ca.crt").path),
                    key: PrivateKey(pemFile: state.appending(path: "keys/fleet-ca.key").path))
            let key = try PrivateKey.generate(.p256)
            let certificate = try authority.issueServer(
                hosts: wrong.hosts, key: key.publicKey, days: 365,
                nowUnix: wrong.issuedUnix)
            try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "server.crt").path
                try certificate.write(pemFile: file)
                let keyFile = directory.appending(path: "server.key").path
                try key.write(pemFile: keyFile)
                let port = try unusedPort()
                let log = directory.appending(path: "log")
                let server = try RunningProgram(
                    URL(filePath: "/usr/bin/openssl"),
                    [
                        "s_server", "-accept", "127.0.0.1:\(port)", "-cert", file, "-key", keyFile,
                        "-alpn", "tributary/1", "-no-CAfile", "-no-CApath", "-quiet",
                    ], output: log, errors: log)
                defer { server.signal(SIGKILL) }
                try await wait(for: "the server listens") { Self.listens(port) }
                try await body(port)
            }
        }

        /// Whether the kernel has a listening socket at this port of IPv4.
        private static func listens(_ port: Int) -> Bool {
            let sockets = (try? text(of: URL(filePath: "/proc/net/tcp"))) ?? ""
            let address = "0100007F:" + String(format: "%04X", port)
            return sockets.split(separator: "\n").contains { line in
                let fields = line.split(separator: " ")
                return fields.count > 3 && fields[1] == address && fields[3] == "0A"
            }
        }
    }
}
