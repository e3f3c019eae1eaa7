import Configuration
import Cryptography
import Federation
import Glibc
import Provenance
import Registry

/// The fleet's keys in the hands of one process, the daemon or a command, which may replace them.
///
/// Whatever it changes it logs first; then the trust set follows the log. Both can be repeated after a crash.
struct KeyCustody {
    let directory: StateDirectory
    let configuration: CoordinatorConfiguration
    let registry: Registry
    private(set) var trust: FleetTrust
    /// What was done, in words for people.
    private(set) var report: [String] = []

    /// - Throws: `Fault` naming the file that is missing or damaged.
    init(directory: StateDirectory) throws(Fault) {
        self.directory = directory
        configuration = try directory.configuration()
        trust = try FleetTrust(directory: directory)
        registry = try Registry.open(
            directory: directory.path, log: trust.log, nowUnix: unixSeconds())
        try refuseIfChanged()
    }

    /// What the registry says is signed and acted on: who changed a row from outside must not have that done for them.
    private func refuseIfChanged() throws(Fault) {
        let report = try RegistryAudit.run(
            directory: directory.path, log: trust.log.verifier, readsBlobs: false)
        guard let first = report.findings.first else { return }
        throw Fault(
            .untrusted, "the registry is not as its log says: \(first.subject): \(first.what)",
            remedy: "`tributary-coordinator audit verify --dir \(directory.path)` names everything;"
                + " restore the newest backup")
    }

    mutating func note(_ line: String) { report.append(line) }

    /// Everything the daemon needs, with what is due done: the configured model key signed in, certificates renewed.
    mutating func settle() async throws(Fault) -> FleetKeys {
        let modelKey = try await settleModelKey()
        try await renewServerCertificateInTime()
        return try FleetKeys(
            directory: directory, trust: trust, modelKey: modelKey,
            signingChain: try signingChain(modelKey.publicKey))
    }

    // MARK: The trust set

    /// What the log says since the oldest active model key was added: everything that the current trust set may lack.
    func history() async throws(Fault) -> KeyHistory {
        let active = trust.trustSet.modelKeys.filter { $0.until == nil }.map(\.from)
        return try await KeyHistory.read(registry, from: active.min() ?? 0)
    }

    /// Makes the trust set that the log calls for, unless it is there already.
    ///
    /// - Parameter keys: may sign; their public halves are what a new key's leaf is recognised by.
    /// - Throws: `Fault.invalid` when no active key of the current set is among `keys`.
    mutating func followLog(using keys: [PrivateKey]) async throws(Fault) {
        let history = try await history()
        let current = trust.trustSet
        let modelKeys = history.modelKeys(after: current, known: keys.map(\.publicKey))
        let authorities = try history.authorities(
            after: current, known: directory.authorityCertificates())
        guard modelKeys != current.modelKeys || authorities != current.authorities else {
            return try await logTrustSet(in: history)
        }
        let next = try current.successor(
            authorities: authorities, modelKeys: modelKeys, log: current.log,
            signedBy: keys.filter { key in
                current.activeModelKeys.contains(key.publicKey)
                    || modelKeys.contains { $0.key == key.publicKey && $0.until == nil }
            })
        try CredentialFile.replace(
            directory.trustSetFile(version: current.version), current.document,
            mode: CredentialFile.publicMode)
        try CredentialFile.replace(
            directory.trustSetFile, next.document, mode: CredentialFile.publicMode)
        trust = try FleetTrust(directory: directory)
        note("trust set \(next.version) is signed")
        try await logTrustSet(in: history)
    }

    /// Logs the current trust set, unless `history` shows that it was.
    private func logTrustSet(in history: KeyHistory) async throws(Fault) {
        let digest = SHA256.digest(of: trust.trustSet.document)
        guard history.trustSets[trust.trustSet.version] != digest else { return }
        try await record(
            .trustSetSigned,
            [("version", .number(trust.trustSet.version)), ("digest", .text(digest.hex))])
    }

    /// Appends a leaf and returns its position.
    @discardableResult
    func record(
        _ kind: FleetEvent.Kind, _ fields: [(name: String, value: FleetEvent.Value)]
    ) async throws(Fault) -> UInt64 {
        try await registry.record(FleetEvent(kind, fields), nowUnix: unixSeconds())
    }
}

extension StateDirectory {
    /// Runs `body` with the fleet's keys, which nobody else may change meanwhile.
    ///
    /// - Throws: `Fault.conflict` while the daemon serves this directory, and what `body` throws.
    func withCustody<Result>(
        _ body: (inout KeyCustody) async throws(Fault) -> Result
    ) async throws(Fault) -> Result {
        let lock = try lock()
        defer { StateDirectory.unlock(lock) }
        var custody = try KeyCustody(directory: self)
        return try await body(&custody)
    }
}
