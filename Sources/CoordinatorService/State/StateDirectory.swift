package import Configuration
import Cryptography
package import Federation
import Glibc
import Kernels
import Provenance
import Registry

/// The coordinator's state directory: where each file of a fleet lives.
package struct StateDirectory: Sendable {
    package let path: String

    /// Opens a state directory made by `initialise`.
    ///
    /// - Throws: `Fault.storage` when `path` holds no fleet.
    package init(path: String) throws(Fault) {
        self.path = path
        guard access(configurationFile, F_OK) == 0 else {
            throw Fault(
                .storage, "\(path) holds no coordinator",
                remedy: "make one with `tributary-coordinator init --dir \(path) --address HOST`")
        }
    }

    private init(fresh path: String) { self.path = path }

    package var configurationFile: String { path + "/coordinator.toml" }
    package var submitSecretFile: String { path + "/keys/submit-token.secret" }
    package var trustSetFile: String { path + "/trust-set.json" }
    package var adminFolder: String { path + "/admin" }

    /// Makes the caller the one daemon of this directory until it closes the file descriptor or ends, however it ends:
    /// a second one would take the rounds of the first for left-overs.
    ///
    /// - Throws: `conflict` when another daemon serves the directory.
    func lock() throws(Fault) -> CInt {
        let name = path + "/serve.lock"
        let file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw storageFault("write \(name)") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw Fault(
                .conflict, "another coordinator is already serving \(path)",
                remedy: "stop that one first")
        }
        return file
    }

    func keyFile(_ key: FleetKey) -> String { "\(path)/keys/\(key.rawValue).key" }
    func certificateFile(_ key: FleetKey) -> String { "\(path)/certificates/\(key.rawValue).crt" }

    /// The daemon's configuration, read anew.
    package func configuration() throws(Fault) -> CoordinatorConfiguration {
        try CoordinatorConfiguration.load(file: configurationFile)
    }
}

/// The keys a fleet has; the raw value is the file's name without its ending.
enum FleetKey: String, CaseIterable {
    case authority = "fleet-ca"
    case server
    case modelSigning = "model-signing"
    case log
}

extension StateDirectory {
    /// Days a person's certificate is valid.
    private static let adminDays = 365

    /// Makes a new fleet: its authority, server certificate, model-signing key, log key, first admin credential,
    /// registry and configuration.
    ///
    /// - Parameters:
    ///   - fleet: the fleet's name, in every identity.
    ///   - addresses: DNS names or IP addresses under which agents reach the coordinator; the first goes into tokens.
    /// - Throws: `conflict` when `path` already holds a fleet; `storage` when it cannot be written.
    package static func initialise(
        path: String, fleet: String, addresses: [String], port: Int
    ) async throws(Fault) -> StateDirectory {
        guard let first = addresses.first, isName(fleet, atMost: 64), (1...65535).contains(port)
        else {
            throw Fault(
                .invalid, "a fleet needs a name of a-z, 0-9 and -, an address and a port",
                remedy: "for example --fleet lab --address 192.0.2.1 --port 7443")
        }
        let directory = StateDirectory(fresh: path)
        guard access(directory.configurationFile, F_OK) != 0 else {
            throw Fault(
                .conflict, "\(path) already holds a coordinator",
                remedy: "choose another directory; a fleet's keys are never overwritten")
        }
        let new = try NewFleet(
            name: fleet, addresses: addresses, nowUnix: Int64(unixSeconds()))
        try new.write(to: directory)
        try directory.writeCredential(
            Identity(fleet: fleet, role: .admin, id: "admin"), authority: new.authority,
            folder: directory.adminFolder,
            address: NetworkAddress(host: first, port: UInt16(port)))
        let registry = try Registry.open(directory: path)
        try await registry.record(
            FleetEvent(
                .fleetCreated,
                [
                    ("fleet", .text(fleet)),
                    ("authority", .text(new.authority.certificate.publicKey.spkiDigest.hex)),
                ]), nowUnix: unixSeconds())
        try await registry.record(adminIssued("admin", role: .admin), nowUnix: unixSeconds())
        // Written last: a directory with a configuration is a complete one.
        try CredentialFile.create(
            directory.configurationFile,
            Array(configurationText(addresses: addresses, port: port).utf8),
            mode: CredentialFile.publicMode)
        return directory
    }

    /// Issues a certificate for a person, offline, into a folder that works as `--dir` anywhere.
    ///
    /// - Throws: `conflict` when `output` already holds a credential.
    package func issueCredential(name: String, role: Role, output: String) async throws(Fault) {
        guard isName(name, atMost: 64), role != .agent else {
            throw Fault(
                .invalid, "'\(name)' cannot be the name of an admin credential",
                remedy: "use a-z, 0-9 and -, beginning with a letter")
        }
        let keys = try FleetKeys(directory: self)
        let configuration = try configuration()
        guard let host = configuration.addresses.first else {
            throw Fault(
                .invalid, "\(configurationFile) names no address",
                remedy: "set addresses in [server]")
        }
        try createDirectory(output)
        try writeCredential(
            Identity(fleet: keys.fleet, role: role, id: name), authority: keys.authority,
            folder: output,
            address: NetworkAddress(host: host, port: UInt16(clamping: configuration.port)))
        let registry = try Registry.open(directory: path)
        try await registry.record(adminIssued(name, role: role), nowUnix: unixSeconds())
    }

    private func writeCredential(
        _ identity: Identity, authority: CertificateAuthority, folder: String,
        address: NetworkAddress
    ) throws(Fault) {
        guard access(folder + "/admin.key", F_OK) != 0 else {
            throw Fault(
                .conflict, "\(folder) already holds a credential",
                remedy: "choose another output folder")
        }
        let key = try PrivateKey.generate(.p256)
        let certificate = try authority.issue(
            identity: identity, publicKey: key.publicKey, days: Self.adminDays,
            nowUnix: Int64(unixSeconds()))
        try key.write(pemFile: folder + "/admin.key")
        try certificate.write(pemFile: folder + "/admin.crt")
        try authority.certificate.write(pemFile: folder + "/fleet-ca.crt")
        try CredentialFile.create(
            folder + "/address", Array("\(address)\n".utf8), mode: CredentialFile.publicMode)
    }

    /// What can be checked without a running coordinator.
    package func localChecks() -> [(check: String, ok: Bool, detail: String)] {
        var lines: [(check: String, ok: Bool, detail: String)] = []
        func add(_ check: String, _ body: () throws(Fault) -> String) {
            do throws(Fault) {
                lines.append((check, true, try body()))
            } catch { lines.append((check, false, error.description)) }
        }
        add("configuration") { () throws(Fault) in
            "listens on \(try configuration().listen):\(try configuration().port)"
        }
        add("keys") { () throws(Fault) in
            _ = try FleetKeys(directory: self)
            for key in FleetKey.allCases where try fileMode(keyFile(key)) & 0o077 != 0 {
                throw Fault(
                    .storage, "others may read \(keyFile(key))",
                    remedy: "run chmod 600 on it")
            }
            return "present, readable by the owner only"
        }
        add("disk") { () throws(Fault) in try freeSpace(path) }
        return lines
    }
}

private func configurationText(addresses: [String], port: Int) -> String {
    let hosts = addresses.map { "\"\($0)\"" }.joined(separator: ", ")
    let listen = addresses == ["127.0.0.1"] || addresses == ["localhost"] ? "127.0.0.1" : "0.0.0.0"
    return """
        # Written by `tributary-coordinator init`. coordinator-config/coordinator.toml explains every key.
        [server]
        listen = "\(listen)"
        port = \(port)
        addresses = [\(hosts)]

        # For each plan, the labelled examples the coordinator itself holds:
        # [data.fashion]
        # public = "data/public"
        # test = "data/test"

        """
}

private func adminIssued(_ name: String, role: Role) -> FleetEvent {
    FleetEvent(.adminIssued, [("name", .text(name)), ("role", .text(role.rawValue))])
}
