import Aggregation
import Federation
import Synchronization

/// The sum of a round in flight. Updates are looked at and added away from the fleet's actor, which serves agents meanwhile.
final class RoundSum: Sendable {
    private let check: UpdateCheck
    private let sum: Mutex<(sum: ExactSum?, weight: UInt64)>

    init(_ sum: ExactSum) {
        check = sum.check
        self.sum = Mutex((sum, sum.totalWeight))
    }

    /// The sum of the weights, also once the sum was taken.
    var weight: UInt64 { sum.withLock { $0.weight } }

    /// The sum, which this holds no more.
    ///
    /// - Throws: `conflict` when it was taken before.
    func taken() throws(Fault) -> ExactSum {
        guard let taken = sum.withLock({ $0.sum.take() }) else {
            throw Fault(.conflict, "the round's sum was released before")
        }
        return taken
    }

    /// Adds updates, in place: all at once, or where not all of them fit, as many as do.
    ///
    /// - Returns: why one was not added.
    func fold(_ updates: [CheckedUpdate]) -> [UpdateRejectionError?] {
        sum.withLock { state in
            defer { state.weight = state.sum?.totalWeight ?? state.weight }
            do throws(UpdateRejectionError) {
                try state.sum?.fold(updates)
                return updates.map { _ in nil }
            } catch {
                return updates.map { update in
                    do throws(UpdateRejectionError) { try state.sum?.fold(update) } catch {
                        return error
                    }
                    return nil
                }
            }
        }
    }

    /// Looks at a complete update.
    ///
    /// - Parameters:
    ///   - withinClip: what its agent says of it, whether it was not clipped.
    ///   - weight: what the update is to count.
    /// - Throws: `malformed`, and as `UpdateCheck.checked`.
    func checked(
        _ bytes: [UInt8], withinClip: Bool, weight: UInt64
    ) throws(UpdateRejectionError) -> CheckedUpdate {
        try check.checked(packed: bytes, weight: weight, withinClip: withinClip)
    }
}

/// Lets one task at a time through, in the order in which they ask. It lives inside the fleet actor.
final class Turns {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Returns when it is the caller's turn, which `end` ends.
    func begin(isolation: isolated Fleet) async {
        guard isTaken else {
            isTaken = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func end() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
