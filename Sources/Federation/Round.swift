/// Where a round stands. It never goes backwards, but for one step: a coordinator that dies while it aggregates has lost the
/// sum, and the updates are collected again.
package enum RoundPhase: String, Sendable, CaseIterable {
    case selecting, training, aggregating, sealing, published, abandoned

    /// Whether the design allows a round to go from this phase to `next`.
    package func mayBecome(_ next: RoundPhase) -> Bool {
        switch (self, next) {
        case (.selecting, .training), (.training, .aggregating), (.aggregating, .sealing),
            (.sealing, .published):
            true
        case (.selecting, .abandoned), (.training, .abandoned), (.aggregating, .abandoned),
            (.sealing, .abandoned):
            true
        default: false
        }
    }

    package var isFinal: Bool { self == .published || self == .abandoned }
}

/// Why a round ended without a new version.
package enum AbandonReason: Sendable, Equatable, CustomStringConvertible {
    case tooFewSelected(got: Int, minimum: Int)
    case tooFewReports(got: Int, minimum: Int)
    case cancelled(by: String)
    case sealingRefused(String)
    case coordinatorRestarted
    case failed(String)

    package var description: String {
        switch self {
        case .tooFewSelected(let got, let minimum):
            "only \(counted(got, "agent")) \(got == 1 ? "was" : "were") ready and the plan needs"
                + " \(minimum)"
        case .tooFewReports(let got, let minimum):
            "only \(counted(got, "update")) arrived before the deadline and the plan needs"
                + " \(minimum)"
        case .cancelled(let who): "cancelled by \(who)"
        case .sealingRefused(let why): "the new version was refused: \(why)"
        case .coordinatorRestarted: "the coordinator restarted during the round"
        case .failed(let why): why
        }
    }
}

/// Why an update was not counted; the agent is told, the round goes on.
package enum UpdateRejection: String, Sendable, CaseIterable {
    case wrongLattice, wrongDimension, normBound, tooManyExamples, digestMismatch, notSelected
    case badToken, malformed
}

/// What became of a submitted update.
package enum SubmitVerdict: Sendable, Equatable {
    case wanted(offset: UInt64)
    case accepted
    case duplicate
    case gone
    case rejected(UpdateRejection)
    /// It is wanted, but the coordinator has no room for it now; ask again after that long.
    case later(seconds: Double)
}
