import Federation
import Registry
import Rounds

/// A plan as the daemon holds it in memory.
struct PlanRuntime: Sendable {
    enum State: Sendable, Equatable {
        case preparing(stage: String, progress: Double)
        case ready
        case failed(String)

        /// How the registry and the wire name it.
        var name: String {
            switch self {
            case .preparing: "preparing"
            case .ready: "ready"
            case .failed: "failed"
            }
        }

        var detail: String {
            switch self {
            case .preparing(let stage, _): stage
            case .ready: ""
            case .failed(let why): why
            }
        }
    }

    let plan: Plan
    /// SHA-256 of the plan's text, which is a blob.
    let digest: Digest
    let textSize: UInt64
    let appliedUnix: UInt64
    var state: State
    /// The newest published version; nil before version 0.
    var serving: StoredModel?
    var teacherAccuracy: Double?
    /// The teacher that distillation after rounds goes on with, a blob; nil when none is kept.
    var teacherDigest: Digest?
    var firstAccuracy: Double?
    /// Rounds whose budget was charged.
    var charges: Int
    /// Set while none of its rounds starts.
    var pause: StoredPause?

    /// Where an adaptive clipping norm has come to; nil when the plan's own stays.
    var clippingNorm: Float? {
        plan.clipping.adaptive.map { _ in serving?.clippingNorm ?? plan.clipping.norm }
    }
}

/// What the daemon remembers of an agent's last check-in.
struct Presence: Sendable {
    var readiness: [PlanID: Readiness] = [:]
    /// The plan text and version it was last told of, so that news is told once and then waited on.
    var told: [PlanID: PlanNews] = [:]
    /// The version of the trust set that it has, and the newest that it was told of.
    var trustSet: (held: UInt64, told: UInt64) = (0, 0)
    /// The checkpoint it last showed that our log contains.
    var checkpoint: [UInt8]?
    /// Why it takes no work now, in its words; empty: it does.
    var unavailable = ""
    /// When it last checked in; the registry may have an older time.
    var seenUnix: UInt64 = 0
    /// What the registry has of it, and since when.
    var noted: (sighting: AgentSighting, at: MonotonicInstant)?
    /// Until when it counts as here, unless it is heard again.
    var hereUntil = MonotonicInstant(nanoseconds: 0)

    /// Seconds that an agent may be late before it counts as gone.
    private static let patience = 30.0

    /// Whether it waits for work: in a check-in that is held, or until it comes back as it was asked to.
    func isHere(at now: MonotonicInstant) -> Bool { now < hereUntil }

    /// It is heard at `now`, and will be again within `seconds` if all is well.
    mutating func isHeard(at now: MonotonicInstant, againWithin seconds: Double) {
        hereUntil = now.advanced(bySeconds: seconds + Self.patience)
    }

    /// It got work: it waits for none.
    mutating func goesToWork() { hereUntil = MonotonicInstant(nanoseconds: 0) }
}

/// What an agent says of itself in a check-in.
struct AgentSighting: Sendable, Equatable {
    let version: String
    let cpuFeatures: String
    let memoryKiB: UInt64
    let trustSetVersion: UInt64
    /// Ordered by plan.
    let plans: [Readiness]
}

/// What an agent should know of a plan: which text is current and which version serves.
struct PlanNews: Sendable, Equatable {
    let digest: Digest
    let version: UInt64?
}

extension PrivacyPlan? {
    /// Whether a round under `other` spends what one under this spends, so that rounds of both add up.
    func isAccountedLike(_ other: PrivacyPlan?) -> Bool {
        guard let self, let other else { return self == nil && other == nil }
        return self.noiseMultiplier == other.noiseMultiplier && self.delta == other.delta
            && self.sampling == other.sampling
            && self.localNoiseMultiplier == other.localNoiseMultiplier
    }
}
