import Aggregation
import Federation
import Registry
import UpdateCodec

/// A round's sum with its noise, stored: what moves the weights, on the way to that.
struct ReleasedSum: Sendable {
    /// The sum's blob.
    let digest: Digest
    /// What it is divided by.
    let denominator: Double
    /// C of the next round, where clipping is adaptive.
    let clippingNorm: Float?

    /// Stores `sum`.
    ///
    /// - Throws: `storage` when the disk refuses.
    init(storing sum: NoisedSum, of plan: Plan, in blobs: BlobPieces) throws(Fault) {
        var draft = try blobs.draft()
        try sum.forEachRun { (run) throws(Fault) in try ParameterBlob.append(run, to: &draft) }
        digest = try draft.finish()
        denominator = sum.denominator
        clippingNorm = plan.clipping.adaptive.map { _ in sum.nextClippingNorm }
    }

    /// Stores the master weights and the velocity to which `base`'s are moved. Of all vectors only the average is in memory
    /// as a whole.
    ///
    /// - Throws: `invalid` when the average or a moved weight is not finite; `storage` when a blob cannot be read or written.
    func moved(
        from base: StoredModel, plan: Plan, lattice: Lattice, in blobs: BlobPieces
    ) throws(Fault) -> Moved {
        var sums = try StoredSums(digest, in: blobs)
        let average = try UpdateCodec.decode(lattice: lattice, denominator: denominator) {
            (run) throws(Fault) in try sums.fill(run)
        }
        let count = plan.parameterCount
        let master = try StoredFloats(base.masterDigest, count: count, in: blobs)
        var velocity: StoredFloats?
        if let digest = base.velocityDigest {
            velocity = try StoredFloats(digest, count: count, in: blobs)
        }
        var masterDraft = try blobs.draft()
        var velocityDraft = try blobs.draft()
        for start in stride(from: 0, to: count, by: ParameterBlob.run) {
            let run = start..<min(start + ParameterBlob.run, count)
            var optimizer = ServerOptimizer(plan: plan.server, velocity: try velocity?[run] ?? [])
            var weights = try master[run]
            try optimizer.step(master: &weights, average: Array(average[run]), first: start)
            try ParameterBlob.append(weights, to: &masterDraft)
            try ParameterBlob.append(optimizer.velocity, to: &velocityDraft)
        }
        let masterDigest = try masterDraft.finish()
        do throws(Fault) {
            return Moved(
                aggregateDigest: digest, masterDigest: masterDigest,
                velocityDigest: try velocityDraft.finish(), clippingNorm: clippingNorm)
        } catch {
            // It is stored again when this is tried again.
            blobs.letGo(of: masterDigest)
            throw error
        }
    }
}

/// What a round makes of its base version, before that is released: blobs.
struct Moved: Sendable {
    /// The noised sum.
    let aggregateDigest: Digest
    let masterDigest: Digest
    let velocityDigest: Digest
    /// C of the next round, where clipping is adaptive.
    let clippingNorm: Float?
}
