import CLimits
import CPeak

/// What one core of this machine can do at all, best of many runs.
struct Limits {
    /// Beyond every cache.
    private static let copiedBytes = 256 << 20
    private static let encryptedBytes = 1 << 20

    /// Bytes copied a second from memory to memory: each is read once and written once.
    let copiedBytesPerSecond: Double
    /// Bytes encrypted a second by AES-128-GCM, in TLS's records; 0 when OpenSSL will not.
    let encryptedBytesPerSecond: Double
    /// Multiplications and additions of float32 a second.
    let float32OperationsPerSecond: Double

    init() {
        let copying = Measurement(operations: Double(Self.copiedBytes), repetitions: 11) {
            limit_copy(Self.copiedBytes)
        }
        copiedBytesPerSecond = copying.best * 1e9
        let encrypting = Measurement(operations: Double(Self.encryptedBytes), repetitions: 31) {
            _ = limit_encrypt(Self.encryptedBytes)
        }
        encryptedBytesPerSecond =
            limit_encrypt(Self.encryptedBytes) ? encrypting.best * 1e9 : 0
        let rounds: UInt64 = 1 << 16
        let multiplying = Measurement(operations: peak_fp32_run(1) * Double(rounds)) {
            _ = peak_fp32_run(rounds)
        }
        float32OperationsPerSecond = multiplying.best * 1e9
    }
}
