import Configuration
import CoordinatorService
import Cryptography
import Federation
import Foundation
import Provenance
import Registry
import Testing
import Wire

@Suite("A state directory", .timeLimit(.minutes(10)))
struct StateDirectoryTests {
    private func initialise(_ path: String) async throws(Fault) -> StateDirectory {
        try await StateDirectory.initialise(
            path: path, fleet: "lab", addresses: ["127.0.0.1", "coordinator.example"], port: 7443)
    }

    private func serve(_ path: String) async -> Fault? {
        await refusal {
            try await Coordinator.serve(directory: path) { address in
                Issue.record("it listens on \(address)")
            }
        }
    }

    /// Every file below `path` with its content.
    private func contents(_ path: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            files[name] = FileManager.default.contents(atPath: path + "/" + name)
        }
        return files
    }

    @Test("holds keys that only their owner may read")
    func modes() async throws {
        let directory = try TemporaryDirectory()
        let state = try await initialise(directory.file("state"))
        let secrets = [
            "keys/fleet-ca.key", "keys/server.key", "keys/model-signing.key", "keys/log.key",
            "keys/submit-token.secret", "admin/admin.key",
        ]
        for name in secrets {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: state.path + "/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
        let keys = try FileManager.default.contentsOfDirectory(atPath: state.path + "/keys")
        #expect(keys.count == 5)
        for check in state.localChecks() { #expect(check.ok, "\(check)") }

        chmod(state.path + "/keys/log.key", 0o644)
        let line = state.localChecks().first { !$0.ok }
        #expect(line?.detail.contains("keys/log.key") == true)
        #expect(line?.detail.contains("chmod 600") == true)
    }

    @Test("names every address in the server's certificate, and the first for the admin")
    func addresses() async throws {
        let directory = try TemporaryDirectory()
        let state = try await initialise(directory.file("state"))
        let server = try Certificate(pemFile: state.path + "/certificates/server.crt")
        #expect(Set(server.hostNames) == ["127.0.0.1", "coordinator.example"])
        let address = try String(contentsOfFile: state.adminFolder + "/address", encoding: .utf8)
        #expect(address == "127.0.0.1:7443\n")
        let configuration = try state.configuration()
        #expect(configuration.addresses == ["127.0.0.1", "coordinator.example"])
        #expect(configuration.port == 7443)
    }

    @Test("is commanded at the port that its configuration says now")
    func movedPort() async throws {
        let directory = try TemporaryDirectory()
        let state = try await initialise(directory.file("state"))
        let text = try String(contentsOfFile: state.configurationFile, encoding: .utf8)
        try Data(text.replacing("port = 7443", with: "port = 7444").utf8)
            .write(to: URL(fileURLWithPath: state.configurationFile))
        try state.updateOwnAddress()
        let address = try String(contentsOfFile: state.adminFolder + "/address", encoding: .utf8)
        #expect(address == "127.0.0.1:7444\n")
    }

    @Test("begins its log with the fleet and the key that signs models, on the curve asked for")
    func firstLeaves() async throws {
        let directory = try TemporaryDirectory()
        let state = try await StateDirectory.initialise(
            path: directory.file("state"), fleet: "lab", addresses: ["127.0.0.1"], port: 7443,
            curve: .p384)
        let log = try LogSigner(
            name: "tributary/lab", key: PrivateKey(pemFile: state.path + "/keys/log.key"))
        let registry = try Registry.open(directory: state.path, log: log, nowUnix: 1)
        let leaves = try await registry.events(from: 0, limit: 10).compactMap {
            LeafFields($0.leaf)
        }
        #expect(
            leaves.map(\.event) == [
                "fleetCreated", "keyAdded", "trustSetSigned", "serverCertificateIssued",
                "adminIssued",
            ])
        let set = try TrustSet(document: CredentialFile.read(state.trustSetFile))
        let key = try #require(set.modelKeys.first)
        #expect(leaves[0].text("log") == set.log.vkey && set.log == log.verifier)
        #expect(leaves[1].text("key") == key.key.spkiDigest.hex)
        #expect(leaves[1].text("curve") == "P-384" && key.key.kind == .p384 && key.from == 1)
        #expect(leaves[2].text("digest") == SHA256.digest(of: set.document).hex)
    }

    @Test("is made once: a second time nothing is overwritten")
    func twice() async throws {
        let directory = try TemporaryDirectory()
        let state = try await initialise(directory.file("state"))
        let before = try contents(state.path)
        let fault = await refusal { _ = try await initialise(state.path) }
        #expect(fault?.code == .conflict)
        #expect(fault?.message.contains(state.path) == true)
        #expect(try contents(state.path) == before)

        // Nor are keys that an interrupted attempt left.
        try FileManager.default.removeItem(atPath: state.configurationFile)
        let interrupted = await refusal { _ = try await initialise(state.path) }
        #expect(interrupted?.code == .conflict)
        let key = "keys/fleet-ca.key"
        #expect(try contents(state.path)[key] == before[key])
    }

    @Test("is not made among other files; one that is empty is closed to others")
    func existing() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("home/notes.txt", "mine")
        let fault = await refusal { _ = try await initialise(directory.file("home")) }
        #expect(fault?.code == .conflict)
        #expect(fault?.message.contains("notes.txt") == true)
        #expect(fault?.remedy.contains("empty") == true)
        #expect(try contents(directory.file("home")).keys.sorted() == ["notes.txt"])

        let empty = directory.file("empty")
        try FileManager.default.createDirectory(
            atPath: empty + "/lost+found", withIntermediateDirectories: true)
        chmod(empty, 0o755)
        _ = try await initialise(empty)
        let mode = try FileManager.default.attributesOfItem(atPath: empty)[.posixPermissions]
        #expect(mode as? Int == 0o700)
    }

    @Test(
        "cannot be made for ports that are none, and the fault names the one",
        arguments: [
            (0, 7480, 7481, "--port"), (99_999, 7480, 7481, "--port"),
            (7443, -1, 7481, "--http-port"), (7443, 0, 65_536, "--dashboard-port"),
        ])
    func ports(port: Int, httpPort: Int, dashboardPort: Int, option: String) async throws {
        let directory = try TemporaryDirectory()
        let fault = await refusal {
            _ = try await StateDirectory.initialise(
                path: directory.file("state"), fleet: "lab", addresses: ["127.0.0.1"], port: port,
                httpPort: httpPort, dashboardPort: dashboardPort)
        }
        #expect(fault?.code == .invalid)
        #expect(fault?.message.hasSuffix(" is no port") == true)
        #expect(fault?.remedy.hasPrefix("set \(option) to one from ") == true)
        #expect(!FileManager.default.fileExists(atPath: directory.file("state")))
    }

    @Test(
        "whose configuration has a mistake is told so by one check, and the others look elsewhere")
    func oneMistake() async throws {
        let directory = try TemporaryDirectory()
        let state = try await initialise(directory.file("state"))
        let good = await state.localChecks() + state.nameChecks() + state.offlineChecks()
        try Data("[server]\nprot = 1\n".utf8)
            .write(to: URL(fileURLWithPath: state.configurationFile))
        let checks = await state.localChecks() + state.nameChecks() + state.offlineChecks()
        #expect(checks.map(\.check) == good.map(\.check))
        #expect(checks.filter { !$0.ok }.map(\.check) == ["configuration"])
        #expect(
            checks.filter { $0.detail == "not looked at: coordinator.toml" }.map(\.check)
                == ["keys", "disk", "memory", "certificate's names", "port free"])
    }

    @Test("cannot be made where nothing can be written, or of names that are none")
    func impossible() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("file", "in the way")
        let fault = await refusal { _ = try await initialise(directory.file("file/state")) }
        #expect(fault?.code == .storage)
        #expect(fault?.message.contains(directory.file("file/state")) == true)
        #expect(fault?.remedy.isEmpty == false)
        for (fleet, addresses, port) in [
            ("Lab 1", ["127.0.0.1"], 7443), ("lab", [], 7443), ("lab", ["127.0.0.1"], 0),
            ("lab", ["not a host"], 7443),
        ] {
            let path = directory.file(UUID().uuidString)
            let fault = await refusal {
                _ = try await StateDirectory.initialise(
                    path: path, fleet: fleet, addresses: addresses, port: port)
            }
            #expect(fault?.code == .invalid)
        }
    }

    @Test("issues credentials offline, each into a folder of its own")
    func credentials() async throws {
        let directory = try TemporaryDirectory()
        let state = try await initialise(directory.file("state"))
        let folder = directory.file("eve")
        try await state.issueCredential(name: "eve", role: .auditor, output: folder)
        let certificate = try Certificate(pemFile: folder + "/admin.crt")
        #expect(certificate.identity == Identity(fleet: "lab", role: .auditor, id: "eve"))
        let again = await refusal {
            try await state.issueCredential(name: "eve", role: .admin, output: folder)
        }
        #expect(again?.code == .conflict)
        #expect(try Certificate(pemFile: folder + "/admin.crt") == certificate)
        for (name, role) in [("Eve!", Role.admin), ("device", .agent)] {
            let fault = await refusal {
                try await state.issueCredential(
                    name: name, role: role, output: directory.file("other"))
            }
            #expect(fault?.code == .invalid)
        }
    }

    @Test(
        "that is missing, damaged or not a directory is not served, and the fault says what to do")
    func unserved() async throws {
        let directory = try TemporaryDirectory()
        let missing = await serve(directory.file("nowhere"))
        #expect(missing?.code == .storage)
        #expect(missing?.message.contains(directory.file("nowhere")) == true)
        #expect(missing?.remedy.contains("tributary-coordinator init") == true)

        let state = try await initialise(directory.file("state"))
        for (name, content) in [
            ("keys/submit-token.secret", "short"), ("trust-set.json", "{}"),
            ("keys/model-signing.key", "no key"), ("coordinator.toml", "[server]\nport = 99999\n"),
        ] {
            let file = state.path + "/" + name
            let good = try Data(contentsOf: URL(fileURLWithPath: file))
            try content.write(toFile: file, atomically: false, encoding: .utf8)
            let fault = await serve(state.path)
            #expect(fault != nil)
            #expect(
                fault?.message.contains(name) == true || name == "trust-set.json",
                "\(fault?.description ?? "")")
            try good.write(to: URL(fileURLWithPath: file))
        }
    }

    @Test("whose registry cannot be written is not served")
    func unwritable() async throws {
        let directory = try TemporaryDirectory()
        let state = try await initialise(directory.file("state"))
        try FileManager.default.removeItem(atPath: state.path + "/blobs")
        try directory.write("state/blobs", "in the way")
        let fault = await serve(state.path)
        #expect(fault?.code == .storage)
        #expect(fault?.message.contains(state.path + "/blobs") == true)
        #expect(fault?.remedy.isEmpty == false)
    }

    @Test("is served by one daemon at a time, and the second does not disturb the first")
    func twoDaemons() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let job = try await admin.start("tiny")
            try await submitFromAll([agents[0]])
            let fault = await serve(fleet.state.path)
            #expect(fault?.code == .conflict)
            #expect(fault?.message.contains(fleet.state.path) == true)
            try await submitFromAll([agents[1]])
            #expect(try await admin.watchToEnd(job).state == "finished")
        }
    }

    @Test("with a port in use, or an address that is not this machine's, is not served")
    func portInUse() async throws {
        try await FleetUnderTest.run { fleet in
            let second = try TemporaryDirectory()
            try await FleetUnderTest.initialise(second)
            let file = second.file("state/coordinator.toml")
            let text = try String(contentsOfFile: file, encoding: .utf8)
            for (listen, port, words) in [
                ("127.0.0.1", Int(fleet.address.port), "127.0.0.1:\(fleet.address.port)"),
                ("192.0.2.1", 0, "192.0.2.1"), ("no.such.host.invalid", 0, "no.such.host.invalid"),
            ] {
                try text.replacingOccurrences(
                    of: "listen = \"127.0.0.1\"\nport = 0",
                    with: "listen = \"\(listen)\"\nport = \(port)"
                ).write(toFile: file, atomically: false, encoding: .utf8)
                let fault = await serve(second.file("state"))
                #expect(fault?.code == .unavailable)
                #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "")")
                #expect(fault?.remedy.contains("coordinator.toml") == true)
            }
            #expect(try await fleet.admin().agents().isEmpty)
        }
    }
}
