/// Which examples of a data set to open.
///
/// A hash of an example's own bytes decides between the halves, so that one that is added moves no
/// other, and equal examples are always in the same half. Windows share rows: there all of a group
/// goes to one half, by a hash of the group's value (without a group's column, of the first row of
/// the run), so that no row is in both.
package enum DataPart: Sendable, Equatable {
    case all
    /// All but `heldOut`.
    case training(heldOut: Double)
    /// About this share of the examples, 0 to 1, never trained on.
    case heldOut(Double)

    /// Whether the part is all there is, so that nothing need be hashed.
    var isWhole: Bool { self == .all }

    /// Whether an example whose content is `bytes` belongs to this part.
    func holds(_ bytes: ArraySlice<UInt8>) -> Bool {
        switch self {
        case .all: true
        case .training(let share): !DataPart.isHeldOut(bytes, share)
        case .heldOut(let share): DataPart.isHeldOut(bytes, share)
        }
    }

    private static func isHeldOut(_ bytes: ArraySlice<UInt8>, _ share: Double) -> Bool {
        // 53 bits, so that the hash as a fraction of 1 is exact.
        Double(sipHash(bytes, key: splitKey) >> 11) * 0x1p-53 < share
    }

    /// "tributary held o". Fixed for ever: another key would move examples that were held out into training.
    private static let splitKey: (UInt64, UInt64) = (0x7472_6962_7574_6172, 0x7920_6865_6c64_206f)
}

/// SipHash-2-4 of `bytes`: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
package func sipHash(_ bytes: ArraySlice<UInt8>, key: (UInt64, UInt64)) -> UInt64 {
    var state = SipState(key: key)
    var word: UInt64 = 0
    var filled: UInt64 = 0
    for byte in bytes {
        word |= UInt64(byte) << filled
        filled += 8
        if filled == 64 {
            state.absorb(word)
            word = 0
            filled = 0
        }
    }
    state.absorb(word | UInt64(truncatingIfNeeded: bytes.count) << 56)
    return state.finish()
}

private struct SipState {
    private var v0, v1, v2, v3: UInt64

    init(key: (UInt64, UInt64)) {
        v0 = key.0 ^ 0x736f_6d65_7073_6575
        v1 = key.1 ^ 0x646f_7261_6e64_6f6d
        v2 = key.0 ^ 0x6c79_6765_6e65_7261
        v3 = key.1 ^ 0x7465_6462_7974_6573
    }

    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    mutating func finish() -> UInt64 {
        v2 ^= 0xff
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func round() {
        v0 &+= v1
        v2 &+= v3
        v1 = rotated(v1, 13) ^ v0
        v3 = rotated(v3, 16) ^ v2
        v0 = rotated(v0, 32)
        v2 &+= v1
        v0 &+= v3
        v1 = rotated(v1, 17) ^ v2
        v3 = rotated(v3, 21) ^ v0
        v2 = rotated(v2, 32)
    }

    private func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 {
        word << bits | word >> (64 - bits)
    }
}
