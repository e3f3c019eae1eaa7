import Cryptography
package import Federation
import Foundation
import Glibc
import Provenance
import Registry

extension StateDirectory {
    /// Copies this fleet, as it is at one moment, into the new directory `output`, and checks the copy against its log.
    /// A coordinator that serves this directory goes on meanwhile.
    ///
    /// - Parameter withKeys: whether the private keys and the first admin's credential are copied too.
    /// - Throws: `conflict` when `output` exists, keys changed meanwhile, or an older version keeps the registry; `untrusted` when the copy does not agree with
    ///   its log; `storage`.
    package func backUp(to output: String, withKeys: Bool) async throws(Fault) -> Backup {
        let trust = try FleetTrust(directory: self)
        return try await StateDirectory.filling(output) { () throws(Fault) in
            // Before the registry: it may know more than the trust set, which follows it, but not less.
            let files = try smallFiles(withKeys: withKeys)
            let checkpoint = try await openRegistry(trust).copy(to: output)
            guard try smallFiles(withKeys: withKeys) == files else {
                throw Fault(
                    .conflict, "keys or the configuration of \(path) changed meanwhile",
                    remedy: "make the backup again")
            }
            for file in files { try file.write(in: output) }
            try StateDirectory.check(output, trust)
            let backup = Backup(
                fleet: trust.fleet, takenUnix: unixSeconds(), leaves: checkpoint.checkpoint.size,
                root: checkpoint.checkpoint.root, hasKeys: withKeys)
            try backup.write(in: output)
            return backup
        }
    }

    /// Makes the new state directory `path` of a backup, checks it against its log, and logs that it was restored. Its
    /// unfinished rounds end there, but for those whose result is stored.
    ///
    /// - Parameter keys: the folder with what the state directory had in `keys`, if the backup is without.
    /// - Throws: `invalid` when `backup` is none, or the keys are missing; `conflict` when `path` exists; `untrusted` when
    ///   it does not agree with its log; `storage`.
    package static func restore(
        _ backup: String, to path: String, keys: String?
    ) async throws(Fault) -> (StateDirectory, Backup) {
        let record = try Backup(in: backup)
        guard record.hasKeys || keys != nil else {
            throw Fault(
                .invalid, "the backup \(backup) is without private keys",
                remedy:
                    "name the folder with the files of the state directory's keys: --keys FOLDER")
        }
        let source = StateDirectory(fresh: backup)
        let directory = StateDirectory(fresh: path)
        return try await filling(path) { () throws(Fault) in
            try Registry.copyFiles(from: backup, to: path)
            var files = try source.smallFiles(withKeys: record.hasKeys)
            if let keys {
                files.removeAll { $0.name.hasPrefix("keys/") }
                files += try keyFiles(in: keys, folder: "")
            }
            let configuration = files.filter { $0.name == configurationName }
            for file in files where file.name != configurationName { try file.write(in: path) }
            let trust = try FleetTrust(directory: directory)
            // An older version's registry is brought up to date before it is compared.
            let registry = try directory.openRegistry(trust, migrating: true)
            try check(path, trust)
            try await registry.record(
                FleetEvent(
                    .stateRestored,
                    [("leaves", .number(record.leaves)), ("taken", .number(record.takenUnix))]),
                nowUnix: unixSeconds())
            try await abandonUnreleasedRounds(in: registry)
            // Written last: a directory with a configuration is a complete one.
            for file in configuration { try file.write(in: path) }
            return (directory, record)
        }
    }

    /// Ends every round that may since have been released where the backup was made: the same attempt, released once more
    /// with other noise, would tell what the noise hides.
    private static func abandonUnreleasedRounds(in registry: Registry) async throws(Fault) {
        let reason = "restored from a backup"
        for round in try await registry.unfinishedRounds() where round.phase != .sealing {
            try await registry.abandon(
                round.at, reason: reason, nowUnixMilliseconds: unixSeconds() * 1000,
                event: roundAbandoned(round.at, reason: reason))
        }
    }

    /// Runs `body`, which fills the new directory `path`; it goes again when that fails.
    private static func filling<Value>(
        _ path: String, _ body: () async throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        guard mkdir(path, 0o700) == 0 else {
            guard errno == EEXIST else { throw storageFault("create \(path)") }
            throw Fault(
                .conflict, "\(path) exists already", remedy: "name a directory that does not exist")
        }
        do throws(Fault) { return try await body() } catch {
            try? FileManager.default.removeItem(atPath: path)
            throw error
        }
    }

    private static func check(_ path: String, _ trust: FleetTrust) throws(Fault) {
        let report = try RegistryAudit.run(directory: path, log: trust.log.verifier)
        guard let first = report.findings.first else { return }
        throw Fault(
            .untrusted, "the copy does not agree with its log: \(first.subject): \(first.what)",
            remedy: "`tributary-coordinator audit verify` names everything that is wrong with the"
                + " original")
    }

    private static let configurationName = "coordinator.toml"

    /// Everything but the registry, its blobs and its log.
    private func smallFiles(withKeys: Bool) throws(Fault) -> [SmallFile] {
        var files: [SmallFile] = []
        for name in [Self.configurationName, "trust-set.json"] {
            files.append(
                SmallFile(
                    name: name, bytes: try CredentialFile.read(path + "/" + name), isSecret: false))
        }
        for folder in ["trust", "certificates"] {
            files += try SmallFile.all(of: folder, in: path) { _ in false }
        }
        guard withKeys else { return files }
        files += try StateDirectory.keyFiles(in: path, folder: "keys")
        files += try SmallFile.all(of: "admin", in: path) { $0.hasSuffix(".key") }
        return files
    }

    /// The files of a folder of private keys, for a directory's own. Where the last key was is not among them: it is a
    /// path of one machine.
    private static func keyFiles(
        in directory: String, folder: String
    ) throws(Fault) -> [SmallFile] {
        try SmallFile.all(of: folder, in: directory, named: "keys") { _ in true }
            .filter { !$0.name.hasSuffix(".location") }
    }
}
