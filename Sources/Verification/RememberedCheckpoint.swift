import Cryptography
import Federation
import Provenance

/// The file that holds the last checkpoint of a log that a verifier has accepted, so that a log
/// which was rolled back or forked since is noticed.
package struct RememberedCheckpoint: Sendable {
    private let file: String

    package init(file: String) { self.file = file }

    /// What was accepted last; nil before the first time.
    ///
    /// - Throws: when it cannot be read, or is not this log's: then nothing can be said.
    func load(key: LogKey) throws(Fault) -> SignedCheckpoint? {
        do {
            return try SignedCheckpoint(note: CredentialFile.read(file), key: key)
        } catch {
            if error.code == .notFound { return nil }
            guard error.code == .invalid || error.code == .untrusted else { throw error }
            throw Fault(
                .conflict, "\(file) is not a checkpoint of \(key.name): \(error.message)",
                remedy: "keep a file for each log (--state), or remove this one if it is damaged")
        }
    }

    /// Keeps `newest`, unless what is kept already is as new.
    ///
    /// - Throws: `Fault.storage`.
    func store(_ newest: SignedCheckpoint, after seen: SignedCheckpoint?) throws(Fault) {
        if let seen, seen.checkpoint.size >= newest.checkpoint.size { return }
        try CredentialFile.replace(file, newest.note, mode: CredentialFile.publicMode)
    }
}
