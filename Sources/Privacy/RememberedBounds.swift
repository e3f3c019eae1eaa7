import Synchronization

/// The bounds that were asked for last: a coordinator states the same epsilon again and again, and
/// each takes some milliseconds.
struct RememberedBounds: ~Copyable {
    private struct Question: Hashable {
        let charges: [PrivacyCharge: Int]
        let delta: Double
        let neighbouring: Neighbouring
    }

    private static let mostBounds = 256

    private let bounds = Mutex<[Question: PLDAccountant.Bound]>([:])

    /// What `compute` gives, or gave when it was last asked the same.
    func bound(
        of charges: [PrivacyCharge: Int], delta: Double, neighbouring: Neighbouring,
        compute: () -> PLDAccountant.Bound
    ) -> PLDAccountant.Bound {
        let question = Question(charges: charges, delta: delta, neighbouring: neighbouring)
        if let known = bounds.withLock({ $0[question] }) { return known }
        let bound = compute()
        bounds.withLock { known in
            if known.count >= Self.mostBounds { known.removeAll() }
            known[question] = bound
        }
        return bound
    }
}
