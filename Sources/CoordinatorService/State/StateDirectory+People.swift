import Configuration
import Cryptography
package import Federation
import Glibc
import Provenance
package import Registry

// Who may administer the fleet. All of it works offline and beside a running coordinator, which asks the registry
// before every request.
extension StateDirectory {
    /// Days a person's certificate is valid.
    static let adminDays = 365

    /// Issues a certificate for a person, into a folder that works as `--dir` anywhere. One with the same name stops
    /// working.
    ///
    /// - Throws: `conflict` when `output` already holds a credential, or the person was revoked.
    package func issueCredential(name: String, role: Role, output: String) async throws(Fault) {
        guard isName(name, atMost: 64), role != .agent else {
            throw Fault(
                .invalid, "'\(name)' cannot be the name of an admin credential",
                remedy: "use a-z, 0-9 and -, beginning with a letter")
        }
        let configuration = try configuration()
        guard let host = configuration.addresses.first else {
            throw Fault(
                .invalid, "\(configurationFile) names no address",
                remedy: "set addresses in [server]")
        }
        let trust = try FleetTrust(directory: self)
        let registry = try openRegistry(trust)
        if try await registry.person(name)?.isRevoked == true {
            throw Fault(
                .conflict, "\(name) was revoked", remedy: "issue a credential of another name")
        }
        try createDirectory(output)
        let certificate = try writeCredential(
            Identity(fleet: trust.fleet, role: role, id: name), trust: trust, folder: output,
            address: NetworkAddress(host: host, port: UInt16(clamping: configuration.port)))
        try await register(name, role, certificate, in: registry)
    }

    /// Brings the address in the directory's own credential up to date: whoever moves the coordinator to another port goes
    /// on commanding it from here.
    ///
    /// - Throws: `Fault.storage` when it cannot be read or written.
    package func updateOwnAddress() throws(Fault) {
        let configuration = try configuration()
        let file = adminFolder + "/address"
        guard configuration.port != 0, let host = configuration.addresses.first,
            access(file, F_OK) == 0
        else { return }
        let address = NetworkAddress(host: host, port: UInt16(clamping: configuration.port))
        let line = Array("\(address)\n".utf8)
        guard try CredentialFile.read(file) != line else { return }
        try CredentialFile.replace(file, line, mode: CredentialFile.publicMode)
    }

    /// Ends a person's access at once.
    ///
    /// - Parameter leavesNobody: even if nobody is left who may administer the fleet.
    /// - Throws: `notFound`; `conflict` when it was ended before, or nobody would be left.
    package func revokeCredential(
        name: String, reason: String, leavesNobody: Bool = false
    ) async throws(Fault) {
        let registry = try openRegistry()
        let admins = try await registry.people().filter {
            $0.role == .admin && !$0.isRevoked && $0.certificateExpiresUnix > unixSeconds()
        }
        guard leavesNobody || admins.map(\.name) != [name] else {
            throw Fault(
                .conflict, "'\(name)' is the last who may administer this fleet",
                remedy: "first issue another credential: `tributary-coordinator admin issue --dir"
                    + " \(path) --name NAME --output FOLDER`; or say --force")
        }
        try await registry.revokePerson(
            name, reason: reason, nowUnix: unixSeconds(),
            event: FleetEvent(.adminRevoked, [("name", .text(name)), ("reason", .text(reason))]))
    }

    /// Everybody who was ever given a credential, ordered by name.
    package func people() async throws(Fault) -> [StoredPerson] {
        try await openRegistry().people()
    }

    private func openRegistry() throws(Fault) -> Registry {
        try openRegistry(try FleetTrust(directory: self))
    }

    /// - Parameter migrating: brings an older version's registry up to date; only where no daemon serves it, which may be
    ///   that version.
    func openRegistry(
        _ trust: FleetTrust, migrating: Bool = false
    ) throws(Fault) -> Registry {
        try Registry.open(
            directory: path, log: trust.log, migrating: migrating, nowUnix: unixSeconds())
    }

    /// Makes `certificate` the one with which `name` may connect.
    func register(
        _ name: String, _ role: Role, _ certificate: Certificate, in registry: Registry
    ) async throws(Fault) {
        let digest = SHA256.digest(of: certificate.der)
        let record = (
            serial: certificate.serial, digest: digest,
            expiresUnix: UInt64(max(0, certificate.notAfterUnix))
        )
        let issued = FleetEvent(
            .adminIssued,
            [
                ("name", .text(name)), ("role", .text(role.rawValue)),
                ("certificate", .text(digest.hex)),
            ])
        guard let person = try await registry.person(name) else {
            return try await registry.addPerson(
                name, role: role, certificate: record, nowUnix: unixSeconds(), event: issued)
        }
        let changed = FleetEvent(
            .roleChanged,
            [
                ("name", .text(name)), ("role", .text(role.rawValue)),
                ("previous", .text(person.role.rawValue)), ("certificate", .text(digest.hex)),
            ])
        try await registry.setRole(
            name, role: role, certificate: record, nowUnix: unixSeconds(),
            event: person.role == role ? issued : changed)
    }

    /// Writes a new key and its certificate, the authorities to trust, and the coordinator's address.
    func writeCredential(
        _ identity: Identity, trust: FleetTrust, folder: String, address: NetworkAddress
    ) throws(Fault) -> Certificate {
        guard access(folder + "/admin.key", F_OK) != 0 else {
            throw Fault(
                .conflict, "\(folder) already holds a credential",
                remedy: "choose another output folder")
        }
        let key = try PrivateKey.generate(.p256)
        let certificate = try trust.authority.issue(
            identity: identity, publicKey: key.publicKey, days: Self.adminDays,
            nowUnix: Int64(unixSeconds()))
        try key.write(pemFile: folder + "/admin.key")
        try certificate.write(pemFile: folder + "/admin.crt")
        try CredentialFile.create(
            folder + "/fleet-ca.crt", Array(trust.trustSet.authorities.map(\.pem).joined().utf8),
            mode: CredentialFile.publicMode)
        try CredentialFile.create(
            folder + "/address", Array("\(address)\n".utf8), mode: CredentialFile.publicMode)
        return certificate
    }
}
