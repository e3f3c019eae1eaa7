package import Configuration
package import Cryptography
package import Federation
import Foundation
import Glibc
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
            try Ownership.checkAccess(to: path)
            throw Fault(
                .storage, "\(path) holds no coordinator",
                remedy: "make one with `tributary-coordinator init --dir \(path) --address HOST`")
        }
    }

    /// One that is still to be made.
    init(fresh path: String) { self.path = path }

    /// Makes the caller the one process that serves this directory or changes its keys, until it calls `unlock` or ends,
    /// however it ends: a second daemon would take the rounds of the first for left-overs.
    ///
    /// - Throws: `conflict` when there is another.
    func lock() throws(Fault) -> CInt {
        let name = path + "/serve.lock"
        let file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw storageFault("write \(name)") }
        Ownership.inherit(file, name)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw Fault(
                .conflict, "another coordinator is already serving \(path)",
                remedy: "stop that one first; keys and certificates change while nobody serves")
        }
        return file
    }

    /// Gives up what `lock` returned.
    ///
    /// Closing would not do: a child process has the file too until it executes its program.
    static func unlock(_ file: CInt) {
        flock(file, LOCK_UN)
        close(file)
    }

    /// The daemon's configuration, read anew.
    package func configuration() throws(Fault) -> CoordinatorConfiguration {
        try CoordinatorConfiguration.load(file: configurationFile)
    }
}

extension StateDirectory {
    /// Makes a new fleet: its authority, server certificate, model-signing key, log key, first admin credential,
    /// registry and configuration.
    ///
    /// - Parameters:
    ///   - fleet: the fleet's name, in every identity.
    ///   - addresses: DNS names or IP addresses under which agents reach the coordinator; the first goes into tokens.
    ///   - curve: of the key that signs models, P-256 or P-384.
    /// - Throws: `invalid` naming what cannot be; `conflict` when `path` already holds a fleet, or other files; `storage`
    ///   when it cannot be written.
    package static func initialise(
        path: String, fleet: String, addresses: [String], port: Int, httpPort: Int = 7480,
        dashboardPort: Int = DashboardTable.standardPort, curve: KeyKind = .p256
    ) async throws(Fault) -> StateDirectory {
        guard isName(fleet, atMost: 64) else {
            throw Fault(
                .invalid, "'\(fleet)' cannot be the name of a fleet",
                remedy: "use a-z, 0-9 and -, beginning with a letter, at most 64: --fleet lab")
        }
        guard let first = addresses.first else {
            throw Fault(
                .invalid, "a fleet needs an address under which agents reach the coordinator",
                remedy: "for example --address 192.0.2.1")
        }
        try check(port: port, of: "--port", in: 1...65535)
        try check(port: httpPort, of: "--http-port", in: 0...65535)
        try check(port: dashboardPort, of: "--dashboard-port", in: 0...65535)
        let directory = StateDirectory(fresh: path)
        guard access(directory.configurationFile, F_OK) != 0 else {
            throw Fault(
                .conflict, "\(path) already holds a coordinator",
                remedy: "choose another directory; a fleet's keys are never overwritten")
        }
        let new = try NewFleet(
            name: fleet, addresses: addresses, curve: curve, nowUnix: Int64(unixSeconds()))
        try directory.takeOver()
        try new.write(to: directory)
        let trust = try FleetTrust(directory: directory)
        let registry = try directory.openRegistry(trust, migrating: true)
        try await new.log(to: registry)
        let certificate = try directory.writeCredential(
            Identity(fleet: fleet, role: .admin, id: "admin"), trust: trust,
            folder: directory.adminFolder,
            address: NetworkAddress(host: first, port: UInt16(port)))
        try await directory.register("admin", .admin, certificate, in: registry)
        // Written last: a directory with a configuration is a complete one.
        try CredentialFile.create(
            directory.configurationFile,
            Array(
                configurationText(
                    addresses: addresses, port: port, httpPort: httpPort,
                    dashboardPort: dashboardPort
                ).utf8),
            mode: CredentialFile.publicMode)
        return directory
    }
}

extension StateDirectory {
    private static func check(
        port: Int, of option: String, in ports: ClosedRange<Int>
    ) throws(Fault) {
        guard !ports.contains(port) else { return }
        throw Fault(
            .invalid, "\(port) is no port",
            remedy: "set \(option) to one from \(ports.lowerBound) to \(ports.upperBound)"
                + (ports.contains(0) ? "; 0 takes any that is free" : ""))
    }

    /// Makes a directory that is there already, and empty, one that only its owner can look into.
    ///
    /// - Throws: `conflict` when there is anything in it; `storage` when it is another's.
    private func takeOver() throws(Fault) {
        // What else may be wrong with it, whoever writes there will say.
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return }
        // A file system of its own has that from the beginning.
        if let name = names.sorted().first(where: { $0 != "lost+found" }) {
            throw Fault(
                .conflict, "\(path) is not empty: it holds \(name)",
                remedy: "name a directory that is empty, or that does not exist yet")
        }
        guard chmod(path, 0o700) == 0 else { throw storageFault("keep others out of \(path)") }
    }
}

private func configurationText(
    addresses: [String], port: Int, httpPort: Int, dashboardPort: Int
) -> String {
    let hosts = addresses.map { "\"\($0)\"" }.joined(separator: ", ")
    let listen = addresses == ["127.0.0.1"] || addresses == ["localhost"] ? "127.0.0.1" : "0.0.0.0"
    return """
        # Written by `tributary-coordinator init`. coordinator-config/coordinator.toml explains every key.
        [server]
        listen = "\(listen)"
        port = \(port)
        addresses = [\(hosts)]

        # The transparency log, for auditors without a credential; on this machine only until listen says more.
        [http]
        listen = "127.0.0.1"
        port = \(httpPort)

        # Pages about the fleet and /metrics, for the people who run it; on this machine only.
        [dashboard]
        listen = "127.0.0.1"
        port = \(dashboardPort)

        # For each plan, the labelled examples the coordinator itself holds:
        # [data.fashion]
        # public = "data/public"
        # test = "data/test"

        """
}
