import AdminConsole
import ArgumentParser
import Console
import Cryptography
import Federation
import Glibc
import Provenance
import Wire

struct AuditWitnessCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "witness",
        abstract: "Cosign the log's newest checkpoint, if it continues the last one seen.",
        discussion: """
            For a party that the fleet's administrators do not control, with an auditor's \
            credential. It keeps what it cosigned and refuses a log that was forked or set back, \
            with exit status 1; the refused checkpoint is kept beside its state, as evidence. The \
            log's key comes from --trust, or from the coordinator the first time, and then stays.

            \(examples(
                "audit witness --key witness.key --new-key --name example.org/w --dir DIR",
                "audit witness --key witness.key --name example.org/w --output seen --dir DIR"))
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "The witness's private key, Ed25519 in PEM.")
    var key: String

    @Flag(name: .customLong("new-key"), help: "Make the key; the file must not exist yet.")
    var makesKey = false

    @Option(help: "The witness's name, such as its domain and path: example.org/witness.")
    var name: String

    @Option(
        name: .customLong("state"), help: "What it remembers (default: the key's file + .state).")
    var stateFile: String?

    @Option(
        name: .customLong("output"),
        help: "The file to write, over the last one. Without it the checkpoint is printed.")
    var outputFile: String?

    @Option(name: .customLong("trust"), help: "The fleet's trust set, from `trust export`.")
    var trustFile: String?

    func execute() async throws {
        let signer = try WitnessSigner(name: name, key: try privateKey())
        if makesKey { OutputStream.error.write("witness key: \(signer.verifier.vkey)\n") }
        let file = stateFile ?? "\(key).state"
        var client = try AdminClient.connect(directory: common.directory)
        var witness = try remembered(file) ?? first(try logKey(from: &client))
        try checkPinned(witness.log)
        let record = try client.checkpointRecord(from: witness.size)
        let cosigned: SignedCheckpoint
        do throws(Fault) {
            cosigned = try witness.cosign(record, with: signer, unix: UInt64(max(0, time(nil))))
        } catch {
            let evidence = "\(file).refused"
            try CredentialFile.replace(evidence, record.note, mode: CredentialFile.publicMode)
            throw Fault(
                error.code, "\(error.message); the checkpoint is in \(evidence)",
                remedy: error.remedy)
        }
        // Remembered before it is given away: a crash must not let it cosign another history.
        try CredentialFile.replace(file, witness.state, mode: CredentialFile.publicMode)
        if let outputFile {
            try CredentialFile.replace(
                outputFile, cosigned.note, mode: CredentialFile.publicMode)
        }
        show(
            cosigned.json(cosignedBy: signer.verifier),
            outputFile.map { "\(cosigned.facts) cosigned, written to \($0)\n" }
                ?? String(decoding: cosigned.note, as: UTF8.self))
    }

    private func privateKey() throws(Fault) -> PrivateKey {
        guard makesKey else { return try PrivateKey(pemFile: key) }
        let new = try PrivateKey.generate(.ed25519)
        try new.write(pemFile: key)
        return new
    }

    /// Nil before the first time.
    private func remembered(_ file: String) throws(Fault) -> Witness? {
        do throws(Fault) {
            return try Witness(state: try CredentialFile.read(file))
        } catch  where error.code == .notFound {
            return nil
        } catch {
            throw Fault(
                error.code, "\(file): \(error.message)",
                remedy: "restore it; without it this witness no longer knows what it saw")
        }
    }

    /// A witness that has seen nothing yet; from now on it believes this key alone.
    private func first(_ log: LogKey) -> Witness {
        OutputStream.error.write("watching \(log.name) from now on, with the key \(log.vkey)\n")
        return Witness(log: log)
    }

    private func logKey(from client: inout AdminClient) throws(Fault) -> LogKey {
        guard let trustFile else { return try client.trustSet().log }
        return try TrustSet(document: try CredentialFile.read(trustFile)).log
    }

    /// A trust file that names another log than the one watched so far is a mistake, or worse.
    private func checkPinned(_ pinned: LogKey) throws(Fault) {
        guard let trustFile else { return }
        guard try TrustSet(document: try CredentialFile.read(trustFile)).log == pinned else {
            throw Fault(
                .untrusted, "\(trustFile) names another log's key than \(pinned.vkey)",
                remedy: "use a state of its own for each log")
        }
    }
}
