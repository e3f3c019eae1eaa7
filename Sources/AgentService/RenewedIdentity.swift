package import Cryptography
package import Federation
import Glibc

/// The device's key and certificate on disk while one pair takes the place of another.
///
/// The new key comes first, beside the old one; then the certificate is replaced; then the new key takes its place. Whenever
/// that is cut short, one of the two keys is the certificate's.
package enum RenewedIdentity {
    /// Stores a new pair durably. A crash leaves either the old pair or the new one for `load`.
    ///
    /// - Throws: `Fault.storage`; what was stored before then still loads.
    package static func store(
        _ certificate: Certificate, key: PrivateKey, in directory: StateDirectory
    ) throws(Fault) {
        try CredentialFile.replace(
            directory.nextKeyFile, Array(key.pem().utf8), mode: CredentialFile.secretMode)
        try CredentialFile.replace(
            directory.certificateFile, Array(certificate.pem.utf8), mode: CredentialFile.publicMode)
        try replace(directory.keyFile, by: directory.nextKeyFile, in: directory.path)
    }

    /// The pair that is stored, or half stored. It changes nothing, so that it can look on while a daemon renews.
    ///
    /// - Throws: `Fault.invalid` when no stored key is the certificate's, otherwise a fault naming the file that is wrong.
    package static func load(
        _ directory: StateDirectory
    ) throws(Fault) -> (PrivateKey, Certificate) {
        // A daemon may move on between the reads; then the second look is whole.
        for _ in 0..<2 {
            let certificate = try Certificate(pemFile: directory.certificateFile)
            let key = try PrivateKey(pemFile: directory.keyFile)
            if key.publicKey == certificate.publicKey { return (key, certificate) }
            guard fileSize(directory.nextKeyFile) != nil else { continue }
            let next = try? PrivateKey(pemFile: directory.nextKeyFile)
            if let next, next.publicKey == certificate.publicKey { return (next, certificate) }
        }
        throw Fault(
            .invalid, "\(directory.keyFile) is not the key of \(directory.certificateFile)",
            remedy: "enrol again with --force and a new token")
    }

    /// Finishes what a crash cut short. Only the holder of the directory's lock may call this.
    ///
    /// - Throws: as `load` does.
    package static func repair(_ directory: StateDirectory) throws(Fault) {
        guard fileSize(directory.nextKeyFile) != nil else { return }
        let (key, _) = try load(directory)
        if try PrivateKey(pemFile: directory.keyFile).publicKey == key.publicKey {
            unlink(directory.nextKeyFile)
        } else {
            try replace(directory.keyFile, by: directory.nextKeyFile, in: directory.path)
        }
    }
}
