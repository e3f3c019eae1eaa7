import COpenSSL
package import Federation
import Glibc

/// SHA-256 of bytes and of files.
package enum SHA256 {
    /// The digest of `bytes`.
    package static func digest(of bytes: some Collection<UInt8>) -> Digest {
        var hasher = Hasher()
        hasher.update(bytes)
        return hasher.finish()
    }

    /// The digest of a file's contents, read a piece at a time.
    ///
    /// - Throws: `Fault.notFound` or `Fault.storage`, also for what is no regular file.
    package static func digest(ofFile path: String) throws(Fault) -> Digest {
        var hasher = Hasher()
        try CredentialFile.readPieces(path) { piece in
            hasher.update(piece)
            return true
        }
        return hasher.finish()
    }

    /// Found once: looking it up takes longer than hashing a hundred bytes. Never changed.
    nonisolated(unsafe) static let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    /// A digest over bytes that come one piece after another.
    package struct Hasher: ~Copyable {
        private let context: OpaquePointer

        /// A digest over nothing yet.
        package init() {
            guard let context = EVP_MD_CTX_new(),
                EVP_DigestInit_ex(context, SHA256.algorithm, nil) == 1
            else { preconditionFailure("libcrypto offers no SHA-256") }
            self.context = context
        }

        deinit { EVP_MD_CTX_free(context) }

        /// Adds the next piece.
        package mutating func update(_ bytes: UnsafeRawBufferPointer) {
            EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        }

        /// Adds the next piece.
        package mutating func update(_ bytes: some Collection<UInt8>) {
            let done: Void? = bytes.withContiguousStorageIfAvailable {
                update(UnsafeRawBufferPointer($0))
            }
            if done == nil { Array(bytes).withUnsafeBytes { update($0) } }
        }

        /// The digest of everything so far; call it once.
        package consuming func finish() -> Digest {
            var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
            EVP_DigestFinal_ex(context, &bytes, nil)
            guard let digest = Digest(bytes: bytes) else {
                preconditionFailure("a SHA-256 digest has \(Digest.byteCount) bytes")
            }
            return digest
        }
    }
}
