package import Federation

/// What the next round of a simulation begins with, besides plan, data and seed: enough to go on as if
/// it had never stopped, since every random stream follows from the seed and the round.
package struct SimulationState: Sendable, Equatable {
    /// Rounds that have run.
    package var rounds: Int
    package var clippingNorm: Float
    /// What the last version that was measured scored; nil when none was.
    package var lastAccuracy: Double?
    /// The fp32 weights.
    package var master: [Float]
    /// Of the server's optimiser; empty before the first round.
    package var velocity: [Float]

    package init(
        rounds: Int, clippingNorm: Float, lastAccuracy: Double?, master: [Float],
        velocity: [Float]
    ) {
        self.rounds = rounds
        self.clippingNorm = clippingNorm
        self.lastAccuracy = lastAccuracy
        self.master = master
        self.velocity = velocity
    }

    private static let magic = Array("tributary simulation state 1\n".utf8)

    /// The state as bytes: a line that says what follows, then words of 8 bytes and floats of 4, all
    /// little-endian.
    package func encoded() -> [UInt8] {
        var bytes = SimulationState.magic
        bytes.reserveCapacity(bytes.count + 48 + 4 * (master.count + velocity.count))
        func append(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
        append(UInt64(rounds))
        append(UInt64(clippingNorm.bitPattern))
        // The bits of a number that no model scores stand for none.
        append((lastAccuracy ?? -1).bitPattern)
        append(UInt64(master.count))
        append(UInt64(velocity.count))
        for values in [master, velocity] {
            for value in values {
                withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
            }
        }
        return bytes
    }

    /// Reads what `encoded` wrote.
    ///
    /// - Throws: `Fault.invalid` for anything else.
    package init(decoding bytes: [UInt8]) throws(Fault) {
        let damaged = Fault(
            .invalid, "the checkpoint is damaged",
            remedy: "delete it, and the run begins anew")
        guard bytes.starts(with: SimulationState.magic) else { throw damaged }
        var position = SimulationState.magic.count
        func word(_ size: Int) throws(Fault) -> UInt64 {
            guard position + size <= bytes.count else { throw damaged }
            defer { position += size }
            return (0..<size).reduce(0) { $0 | UInt64(bytes[position + $1]) << (8 * UInt64($1)) }
        }
        func floats(_ count: UInt64) throws(Fault) -> [Float] {
            guard count <= UInt64(bytes.count - position) / 4 else { throw damaged }
            var values: [Float] = []
            values.reserveCapacity(Int(count))
            for _ in 0..<count { values.append(Float(bitPattern: UInt32(try word(4)))) }
            return values
        }
        let (rounds, norm, accuracy) = (try word(8), try word(8), try word(8))
        let (weights, velocities) = (try word(8), try word(8))
        guard let rounds = Int(exactly: rounds), let norm = UInt32(exactly: norm) else {
            throw damaged
        }
        let last = Double(bitPattern: accuracy)
        self.init(
            rounds: rounds, clippingNorm: Float(bitPattern: norm),
            lastAccuracy: last < 0 ? nil : last, master: try floats(weights),
            velocity: try floats(velocities))
        guard position == bytes.count else { throw damaged }
    }
}
