import Cryptography
import Federation
import Provenance

extension VerificationReport {
    /// The check that a log goes on from the checkpoint last seen of it.
    mutating func makeConsistency(
        of reading: inout LogReading, with remembered: RememberedCheckpoint?, key: LogKey
    ) {
        guard let remembered else { return }
        make("consistency") { () throws(Fault) in
            guard let seen = try remembered.load(key: key) else {
                return "the first checkpoint seen of this log"
            }
            let older = seen.checkpoint
            return try reading.checkConsistency(with: older, "the checkpoint last seen")
        }
    }

    /// The check that a witness has cosigned a checkpoint.
    mutating func makeCosignature(by witness: WitnessKey, on signed: SignedCheckpoint) {
        make("witness") { () throws(Fault) in
            let cosignature = try Cosignature(by: witness, on: signed)
            return "\(witness.name) cosigned it at Unix time \(cosignature.unix)"
        }
    }

    /// Keeps the newest checkpoint of a log that was verified.
    mutating func remember(
        _ newest: SignedCheckpoint, in remembered: RememberedCheckpoint, key: LogKey
    ) {
        do throws(Fault) {
            try remembered.store(newest, after: try remembered.load(key: key))
        } catch {
            add(
                "last seen", .skipped,
                "the checkpoint was not kept, so a later rollback would go unnoticed: \(error)")
        }
    }
}

extension Checkpoint {
    /// `origin`, `size` and `root` in hexadecimal.
    var json: CanonicalJSON {
        .object([
            "origin": .text(origin), "size": .integer(Int64(clamping: size)),
            "root": .text(root.hex),
        ])
    }
}
