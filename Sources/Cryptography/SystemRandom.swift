import COpenSSL
import Federation

/// The cryptographic generator of OpenSSL, which the operating system seeds.
///
/// Copies share one buffer, so no two of them ever return the same bytes; each thread makes its
/// own.
package struct SystemRandom: RandomSource {
    private let buffer = Buffer()

    /// A source with a buffer of its own.
    package init() {}

    package mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        buffer.fill(bytes)
    }

    /// Bytes drawn ahead: one call of the generator costs about as much for 4 KiB as for 8 bytes.
    private final class Buffer {
        private var bytes = [UInt8](repeating: 0, count: 4096)
        private var used = 4096

        func fill(_ target: UnsafeMutableRawBufferPointer) {
            if target.count >= bytes.count {
                Buffer.draw(target)
                return
            }
            if bytes.count - used < target.count {
                bytes.withUnsafeMutableBytes { Buffer.draw($0) }
                used = 0
            }
            let range = used..<used + target.count
            bytes.withUnsafeMutableBytes { source in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
                // A later look at this memory must not show what was handed out.
                UnsafeMutableRawBufferPointer(rebasing: source[range])
                    .initializeMemory(as: UInt8.self, repeating: 0)
            }
            used = range.upperBound
        }

        private static func draw(_ target: UnsafeMutableRawBufferPointer) {
            var rest = target[...]
            while !rest.isEmpty {
                let part = UnsafeMutableRawBufferPointer(rebasing: rest.prefix(1 << 20))
                // Going on without randomness would void every key and every privacy guarantee.
                precondition(
                    RAND_bytes(part.bindMemory(to: UInt8.self).baseAddress, Int32(part.count)) == 1,
                    "the cryptographic random generator failed")
                rest = rest.dropFirst(part.count)
            }
        }
    }
}
