import COpenSSL

/// HMAC-SHA256 (RFC 2104) of `message`, 32 bytes.
package func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    let made = tributary_hmac(
        SHA256.algorithm, key, Int32(key.count), message, message.count, &code)
    precondition(made == 1, "libcrypto offers no HMAC-SHA256")
    return code
}

/// Whether two secrets are equal, in a time that depends only on their lengths.
package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
