import Federation

/// Vectors as blobs: little-endian elements, nothing else.
enum ParameterBlob {
    /// Master weights or optimiser state, four bytes each.
    static func encode(_ values: [Float]) -> [UInt8] {
        values.flatMap { littleEndian($0.bitPattern) }
    }

    /// A noised integer sum, eight bytes each.
    static func encode(_ values: [Int64]) -> [UInt8] { values.flatMap(littleEndian) }

    private static func littleEndian(_ word: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: word.littleEndian, Array.init)
    }

    /// - Throws: `Fault.storage` when `bytes` does not hold exactly `count` values.
    static func decode(_ bytes: [UInt8], count: Int) throws(Fault) -> [Float] {
        guard bytes.count == 4 * count else {
            throw Fault(
                .storage,
                "a stored vector has \(bytes.count) bytes where \(count) parameters need \(4 * count)",
                remedy: "restore the state directory from a backup")
        }
        return (0..<count).map { index in
            let word = (0..<4).reduce(UInt32(0)) {
                $0 | UInt32(bytes[4 * index + $1]) << (8 * UInt32($1))
            }
            return Float(bitPattern: word)
        }
    }
}
