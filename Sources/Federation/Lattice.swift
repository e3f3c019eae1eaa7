/// The integer lattice on which one round's updates are rounded, checked and added.
///
/// Two updates may be added only if their lattices' ids are equal. The id is the SHA-256 of `canonicalBytes`.
package struct Lattice: Sendable, Equatable {
    /// Trainable parameters d.
    package var parameters: Int
    /// The clipping norm C, in parameter units.
    package var clippingNorm: Float
    /// The distance between neighbouring lattice points, in parameter units.
    package var step: Float
    /// kappa, from which the step and the integer norm bound follow.
    package var kappa: Float
    /// Seeds the random signs; public, fresh for each round.
    package var rotationSeed: UInt64
    /// Bits of one element, one of `elementWidths`.
    package var elementBits: Int
    /// 0 when sums are plain integers; secure aggregation will set it.
    package var modulus: UInt64

    package init(
        parameters: Int, clippingNorm: Float, step: Float, kappa: Float, rotationSeed: UInt64,
        elementBits: Int = 8, modulus: UInt64 = 0
    ) {
        self.parameters = parameters
        self.clippingNorm = clippingNorm
        self.step = step
        self.kappa = kappa
        self.rotationSeed = rotationSeed
        self.elementBits = elementBits
        self.modulus = modulus
    }

    /// What `elementBits` may be.
    package static let elementWidths = [8, 16, 32, 64]

    /// The Hadamard block b = 2^round(log2 sqrt d), at least 1.
    package var blockSize: Int {
        var block = 1
        // round(log2 sqrt d) = k exactly when 2^(2k-1) <= d < 2^(2k+1).
        while 2 * block * block <= parameters { block *= 2 }
        return block
    }

    /// D: the parameters padded with zeros to a whole number of blocks.
    package var dimension: Int { (parameters + blockSize - 1) / blockSize * blockSize }

    /// Bytes of one packed update.
    package var updateBytes: Int { dimension * elementBits / 8 }

    /// The largest magnitude of one element.
    package var largestMagnitude: Int64 { Self.largestMagnitude(elementBits: elementBits) }

    /// The largest magnitude of an element of this width, and for 64 bits 2^42, so that a million updates add up
    /// within 64 bits.
    package static func largestMagnitude(elementBits: Int) -> Int64 {
        switch elementBits {
        case 8: 127
        case 16: Int64(Int16.max)
        case 32: Int64(Int32.max)
        default: 1 << 42
        }
    }

    /// The largest coordinate of an update to which its agent added noise of `sigma` steps, but for a chance of e^-72;
    /// what lies beyond is cut off, which reveals nothing.
    package static func reach(sigma: Double) -> Double { 127 + 12 * sigma }

    /// The fields in a fixed order, big-endian; what the id is the digest of.
    package var canonicalBytes: [UInt8] {
        var bytes = Array("tributary lattice v1\n".utf8)
        func append(_ word: UInt64) {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        append(UInt64(parameters))
        append(UInt64(clippingNorm.bitPattern))
        append(UInt64(step.bitPattern))
        append(UInt64(kappa.bitPattern))
        append(rotationSeed)
        append(UInt64(elementBits))
        append(modulus)
        return bytes
    }
}

/// One agent's contribution as the coordinator receives it: integers only.
package struct ClientUpdate: Sendable, Equatable {
    package var agent: AgentID
    package var at: RoundAttempt
    /// The version the agent trained from.
    package var baseVersion: UInt64
    /// Examples it trained on; weighs the update in plans without privacy.
    package var examples: UInt64
    /// Updates summed into `values`; 1 from an agent.
    package var summed: UInt32
    /// Whether the norm was within the clipping norm before clipping.
    package var withinClip: Bool
    /// D lattice coordinates in [-127, 127].
    package var values: [Int8]

    package init(
        agent: AgentID, at: RoundAttempt, baseVersion: UInt64, examples: UInt64, summed: UInt32,
        withinClip: Bool, values: [Int8]
    ) {
        self.agent = agent
        self.at = at
        self.baseVersion = baseVersion
        self.examples = examples
        self.summed = summed
        self.withinClip = withinClip
        self.values = values
    }
}
