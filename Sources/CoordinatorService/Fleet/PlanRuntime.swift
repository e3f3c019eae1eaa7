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
