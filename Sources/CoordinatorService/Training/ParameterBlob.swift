import Federation

/// Vectors as blobs: little-endian elements, nothing else.
enum ParameterBlob {
    /// Master weights or optimiser state, four bytes each.
    static func encode(_ values: [Float]) -> [UInt8] {
        values.map(\.bitPattern.littleEndian).withUnsafeBytes(Array.init)
    }

    /// A noised integer sum, eight bytes each.
    static func encode(_ values: [Int64]) -> [UInt8] {
        values.map(\.littleEndian).withUnsafeBytes(Array.init)
    }

    /// - Throws: `Fault.storage` when `bytes` does not hold exactly `count` values.
    static func decode(_ bytes: [UInt8], count: Int) throws(Fault) -> [Float] {
        guard bytes.count == 4 * count else {
            throw Fault(
                .storage,
                "a stored vector has \(bytes.count) bytes where \(count) parameters need \(4 * count)",
                remedy: "restore the state directory from a backup")
        }
        return bytes.withUnsafeBytes { raw in
            (0..<count).map { index in
                let word = raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: word))
            }
        }
    }
}
