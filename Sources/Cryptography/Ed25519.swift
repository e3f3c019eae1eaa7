import COpenSSL
package import Federation

// Signed notes carry Ed25519 keys as the 32 bytes of RFC 8032.
extension PublicKey {
    private static let rawCount = 32

    /// The key's 32 bytes; nil for a key of another kind.
    package var ed25519: [UInt8]? {
        kind == .ed25519 ? Array(spki.suffix(PublicKey.rawCount)) : nil
    }

    /// A key of 32 bytes.
    ///
    /// - Throws: `Fault.invalid` for another count.
    package init(ed25519 bytes: [UInt8]) throws(Fault) {
        guard bytes.count == PublicKey.rawCount,
            let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
        else { throw Fault(.invalid, "an Ed25519 public key has \(PublicKey.rawCount) bytes") }
        try self.init(KeyHandle(owning: key))
    }
}
