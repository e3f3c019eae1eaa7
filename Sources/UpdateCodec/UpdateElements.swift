package import Federation

/// The lattice coordinates of one update: what is packed, sent and added.
package enum UpdateElements: Sendable, Equatable {
    /// Of the int8 lattice, whose norm the coordinator checks.
    case int8([Int8])
    /// Of a lattice of 16, 32 or 64 bits, for updates that carry their agent's own noise.
    case wide([Int64])

    package var count: Int {
        switch self {
        case .int8(let values): values.count
        case .wide(let values): values.count
        }
    }

    /// The coordinates that `bytes` hold; whether a lattice admits them is for `Lattice.admits`.
    ///
    /// Nil when they are not whole elements of `lattice`'s width.
    package init?(packed bytes: [UInt8], on lattice: Lattice) {
        guard Lattice.elementWidths.contains(lattice.elementBits),
            bytes.count.isMultiple(of: lattice.elementBits / 8)
        else { return nil }
        self =
            lattice.elementBits == 8
            ? .int8(unpacked(bytes)) : .wide(unpacked(bytes, elementBits: lattice.elementBits))
    }

    /// The bytes as they are stored and sent: two's complement of the lattice's width, little-endian.
    ///
    /// Every value is within `lattice.largestMagnitude`.
    package func packed(on lattice: Lattice) -> [UInt8] {
        switch self {
        case .int8(let values): values.map { UInt8(bitPattern: $0) }
        case .wide(let values): packedWide(values, elementBits: lattice.elementBits)
        }
    }
}

private func packedWide(_ values: [Int64], elementBits: Int) -> [UInt8] {
    let width = elementBits / 8
    return [UInt8](unsafeUninitializedCapacity: values.count * width) { bytes, count in
        for value in values {
            for byte in 0..<width {
                bytes[count] = UInt8(truncatingIfNeeded: value >> (8 * Int64(byte)))
                count += 1
            }
        }
    }
}

private func unpacked(_ bytes: [UInt8], elementBits: Int) -> [Int64] {
    let width = elementBits / 8
    let unused = Int64(64 - elementBits)
    return [Int64](unsafeUninitializedCapacity: bytes.count / width) { values, count in
        for start in stride(from: 0, to: bytes.count, by: width) {
            var word: UInt64 = 0
            for byte in (0..<width).reversed() { word = word << 8 | UInt64(bytes[start + byte]) }
            // Up to the top and down again carries the sign along.
            values[count] = (Int64(bitPattern: word) << unused) >> unused
            count += 1
        }
    }
}
