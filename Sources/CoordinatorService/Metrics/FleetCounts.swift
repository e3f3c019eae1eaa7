import Federation
import Telemetry

/// What has happened since the daemon's start, for its metrics. It lives inside the fleet actor.
struct FleetCounts: Sendable {
    /// What an agent that checked in was told.
    enum CheckIn: String, CaseIterable {
        case assignment, news
        case comeBack = "come_back"
    }

    var checkIns: [CheckIn: UInt64] = [:]
    var enrolled: UInt64 = 0
    var renewed: UInt64 = 0
    /// Models that an agent found not to be what the trust set vouches for.
    var modelsRefused: UInt64 = 0
    var plans: [PlanID: PlanCounts] = [:]

    mutating func told(_ answer: CheckIn) { checkIns[answer, default: 0] += 1 }

    subscript(plan: PlanID) -> PlanCounts {
        get { plans[plan] ?? PlanCounts() }
        set { plans[plan] = newValue }
    }
}

/// The part of them that is one plan's.
struct PlanCounts: Sendable, Equatable {
    /// How a round ended.
    enum Outcome: String, CaseIterable {
        case published, cancelled, failed
        case tooFewSelected = "too_few_selected"
        case tooFewReports = "too_few_reports"
        /// The version that it made was not good enough.
        case refused
    }

    /// From a second to a day: a plan says itself how long its rounds may take.
    private static let secondsBounds: [Double] = [
        1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400,
    ]

    var rounds: [Outcome: UInt64] = [:]
    /// How long published rounds took, in seconds.
    var seconds = Histogram(bounds: secondsBounds)
    var models: UInt64 = 0
    var assigned: UInt64 = 0
    var declined: UInt64 = 0
    /// Agents that were in a round when it ended and had neither reported nor declined.
    var lost: UInt64 = 0
    var accepted: UInt64 = 0
    var rejected: [UpdateRejection: UInt64] = [:]
    /// Bytes of ended rounds: of updates that came, of plans and models that went.
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0
}

extension PlanCounts.Outcome {
    /// - Parameter reason: nil: it published a version.
    init(_ reason: AbandonReason?) {
        self =
            switch reason {
            case nil: .published
            case .tooFewSelected: .tooFewSelected
            case .tooFewReports: .tooFewReports
            case .cancelled: .cancelled
            case .sealingRefused: .refused
            case .coordinatorRestarted, .failed: .failed
            }
    }
}

extension UpdateRejection {
    /// As a label has it.
    var label: String {
        switch self {
        case .wrongLattice: "wrong_lattice"
        case .wrongDimension: "wrong_dimension"
        case .normBound: "norm_bound"
        case .tooManyExamples: "too_many_examples"
        case .digestMismatch: "digest_mismatch"
        case .notSelected: "not_selected"
        case .badToken: "bad_token"
        case .malformed: "malformed"
        }
    }
}
