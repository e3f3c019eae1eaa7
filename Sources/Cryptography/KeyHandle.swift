import COpenSSL
package import Federation

/// What a key is good for, decided by its curve.
package enum KeyKind: String, Sendable, CaseIterable {
    case p256 = "P-256"
    case p384 = "P-384"
    case p521 = "P-521"
    case ed25519 = "Ed25519"
}

/// Owns one `EVP_PKEY`.
///
/// Sendable because a key is never changed once it is here: OpenSSL allows concurrent reads, and
/// counts references atomically.
package final class KeyHandle: @unchecked Sendable {
    /// The key, for as long as this object lives.
    package let pointer: OpaquePointer

    /// Takes over the caller's reference.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    /// nil for a kind of key that Tributary does not use, such as RSA.
    var kind: KeyKind? {
        if EVP_PKEY_is_a(pointer, "ED25519") == 1 { return .ed25519 }
        guard EVP_PKEY_is_a(pointer, "EC") == 1 else { return nil }
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard EVP_PKEY_get_group_name(pointer, &name, name.count, &length) == 1 else { return nil }
        switch String(decoding: name.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self) {
        case "prime256v1", "P-256": return .p256
        case "secp384r1", "P-384": return .p384
        case "secp521r1", "P-521": return .p521
        default: return nil
        }
    }

    /// The digest that signatures with this key use; nil for Ed25519, which has its own.
    var signatureDigest: OpaquePointer? {
        switch kind {
        case .p256: EVP_sha256()
        case .p384: EVP_sha384()
        case .p521: EVP_sha512()
        case .ed25519, nil: nil
        }
    }
}

/// A fault for something that libcrypto refused though our own input was right; drains its error
/// queue.
package func libraryFault(_ action: String) -> Fault {
    let reason = lastLibraryError() ?? "no reason given"
    return Fault(.internal, "cannot \(action): OpenSSL says \(reason)")
}

/// Words for the first error in libcrypto's queue, which is drained; nil when it is empty.
package func lastLibraryError() -> String? {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0 else { return nil }
    return ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
}

/// What `body` writes into a memory BIO; nil when it returns anything but 1.
func bytesWritten(_ body: (OpaquePointer) -> Int32) -> [UInt8]? {
    guard let bio = BIO_new(BIO_s_mem()) else { return nil }
    defer { BIO_free(bio) }
    guard body(bio) == 1 else { return nil }
    var contents: UnsafeMutablePointer<CChar>?
    let count = tributary_memory_contents(bio, &contents)
    return Array(UnsafeRawBufferPointer(start: contents, count: count))
}

/// Calls `body` with a BIO that reads `bytes`.
func withReader<Result>(of bytes: [UInt8], _ body: (OpaquePointer) -> Result?) -> Result? {
    bytes.withUnsafeBytes { buffer in
        guard buffer.count <= CredentialFile.largestBytes,
            let bio = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count))
        else { return nil }
        defer {
            BIO_free(bio)
            ERR_clear_error()
        }
        return body(bio)
    }
}

/// The DER that `encode` (an `i2d_` function applied to an object) writes; nil when it fails.
func derBytes(
    _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
) -> [UInt8]? {
    let count = encode(nil)
    guard count > 0 else { return nil }
    return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, written in
        var cursor = buffer.baseAddress
        written = max(0, Int(encode(&cursor)))
    }
}

/// The object that `decode` (a `d2i_` function) makes of `der`, if it uses up every byte.
func fromDER(
    _ der: [UInt8],
    _ decode: (UnsafeMutablePointer<UnsafePointer<UInt8>?>?, Int) -> OpaquePointer?,
    free: (OpaquePointer) -> Void
) -> OpaquePointer? {
    guard der.count <= CredentialFile.largestBytes else { return nil }
    defer { ERR_clear_error() }
    return der.withUnsafeBufferPointer { buffer in
        var cursor = buffer.baseAddress
        guard let object = decode(&cursor, buffer.count) else { return nil }
        guard let start = buffer.baseAddress, cursor == start + buffer.count else {
            free(object)
            return nil
        }
        return object
    }
}
