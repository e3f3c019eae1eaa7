import Cryptography
import Federation
import Provenance

/// What a fleet believes, and what it issues certificates and signs its log with, as the state directory holds it.
struct FleetTrust: Sendable {
    /// The current trust set.
    let trustSet: TrustSet
    /// The documents of all versions; that of version 1 is first.
    let documents: [[UInt8]]
    /// The set's authorities, the one that issues first.
    let authorities: [CertificateAuthority]
    /// Signs the log's checkpoints.
    let log: LogSigner

    var fleet: String { trustSet.fleet }
    /// Issues certificates.
    var authority: CertificateAuthority { authorities[0] }

    /// - Throws: `Fault` naming the file that is missing or damaged.
    init(directory: StateDirectory) throws(Fault) {
        let file = directory.trustSetFile
        do throws(Fault) {
            trustSet = try TrustSet(document: try CredentialFile.read(file))
        } catch {
            throw Fault(
                error.code, "\(file): \(error.message)",
                remedy: "restore it from a backup; a fleet of an older Tributary is made anew with"
                    + " `tributary-coordinator init`")
        }
        var documents: [[UInt8]] = []
        for version in 1..<trustSet.version {
            documents.append(try CredentialFile.read(directory.trustSetFile(version: version)))
        }
        self.documents = documents + [trustSet.document]
        var authorities: [CertificateAuthority] = []
        for certificate in trustSet.authorities {
            authorities.append(try directory.authority(of: certificate))
        }
        self.authorities = authorities
        log = try directory.logSigner(fleet: trustSet.fleet)
        guard log.verifier == trustSet.log else {
            throw Fault(
                .storage, "\(directory.keyFile(.log)) is not the log key of the trust set",
                remedy: "restore both from the same backup")
        }
    }

    /// The sets after version `version`, oldest first, as many as fit into one answer; a device that is further behind
    /// asks again.
    func trustSets(after version: UInt64) -> [[UInt8]] {
        var sets: [[UInt8]] = []
        var bytes = 0
        for document in documents.dropFirst(Int(clamping: version)) {
            bytes += document.count
            guard sets.count < FleetTrust.mostSets, bytes <= FleetTrust.mostBytes else { break }
            sets.append(document)
        }
        return sets
    }

    /// The most sets in one answer, and the most bytes of them: half a frame.
    private static let mostSets = 64
    private static let mostBytes = 512 << 10
}
