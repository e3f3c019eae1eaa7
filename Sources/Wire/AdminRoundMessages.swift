// Administration, answers about rounds, jobs and models: admin.proto.

/// A round and its outcome.
package struct RoundRecord: Sendable, Equatable {
    package var round: UInt64
    package var attempt: UInt32
    package var plan: String
    package var phase: String
    /// Of an abandoned round.
    package var reason: String
    package var startedUnix: UInt64
    package var seconds: Double
    package var selected: UInt32
    package var reported: UInt32
    package var modelVersion: UInt64
    package var published: Bool
    /// Negative: not measured.
    package var accuracy: Double
    /// Total after this round, 0: not charged yet; negative: the plan is not private.
    package var epsilon: Double
    /// Update payload received.
    package var bytesIn: UInt64
    /// Model and plan payload sent.
    package var bytesOut: UInt64
    /// Of the round's lattice where clipping is adaptive, otherwise 0.
    package var clippingNorm: Double
    /// Selected, reported, bytes_in and bytes_out are not told: the plan is private.
    package var withheld: Bool
    package var history: [PhaseRecord]
    /// Nil: not tried, or not published.
    package var distillation: DistillationRecord?

    package init(
        round: UInt64 = 0, attempt: UInt32 = 0, plan: String = "", phase: String = "",
        reason: String = "", startedUnix: UInt64 = 0, seconds: Double = 0, selected: UInt32 = 0,
        reported: UInt32 = 0, modelVersion: UInt64 = 0, published: Bool = false,
        accuracy: Double = 0, epsilon: Double = 0, bytesIn: UInt64 = 0, bytesOut: UInt64 = 0,
        clippingNorm: Double = 0, withheld: Bool = false, history: [PhaseRecord] = [],
        distillation: DistillationRecord? = nil
    ) {
        self.round = round
        self.attempt = attempt
        self.plan = plan
        self.phase = phase
        self.reason = reason
        self.startedUnix = startedUnix
        self.seconds = seconds
        self.selected = selected
        self.reported = reported
        self.modelVersion = modelVersion
        self.published = published
        self.accuracy = accuracy
        self.epsilon = epsilon
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.clippingNorm = clippingNorm
        self.withheld = withheld
        self.history = history
        self.distillation = distillation
    }

    /// Whether the privacy budget has been charged for it; true where there is none.
    package var isCharged: Bool { epsilon != 0 }
}

/// Distillation after a round, and what it did to the int8 accuracy on held-out public data.
package struct DistillationRecord: Sendable, Equatable {
    package var accuracyBefore: Double
    package var accuracyAfter: Double
    /// Whether the version has the distilled weights.
    package var accepted: Bool

    package init(accuracyBefore: Double = 0, accuracyAfter: Double = 0, accepted: Bool = false) {
        self.accuracyBefore = accuracyBefore
        self.accuracyAfter = accuracyAfter
        self.accepted = accepted
    }
}

/// When a round entered a phase.
package struct PhaseRecord: Sendable, Equatable {
    package var phase: String
    package var unixMilliseconds: UInt64

    package init(phase: String = "", unixMilliseconds: UInt64 = 0) {
        self.phase = phase
        self.unixMilliseconds = unixMilliseconds
    }
}

/// A job of rounds and how far it is.
package struct JobRecord: Sendable, Equatable {
    package var job: UInt64
    package var plan: String
    package var roundsWanted: UInt32
    package var roundsDone: UInt32
    /// Queued running finished failed cancelled.
    package var state: String
    package var detail: String
    package var revision: UInt64
    /// After those the request skips.
    package var rounds: [RoundRecord]
    package var agentsWaiting: UInt32
    /// What the population has spent, of an ended job as it ended; negative: the plan is not private.
    package var epsilon: Double
    package var delta: Double
    package var noiseMultiplier: Double
    /// Agents that would bring epsilon to 4 at the same noise per parameter, 0: not private.
    package var agentsForEpsilon4: UInt32
    /// There are more; ask again after the last of these.
    package var moreRounds: Bool
    package var createdUnix: UInt64

    package init(
        job: UInt64 = 0, plan: String = "", roundsWanted: UInt32 = 0, roundsDone: UInt32 = 0,
        state: String = "", detail: String = "", revision: UInt64 = 0, rounds: [RoundRecord] = [],
        agentsWaiting: UInt32 = 0, epsilon: Double = 0, delta: Double = 0,
        noiseMultiplier: Double = 0, agentsForEpsilon4: UInt32 = 0, moreRounds: Bool = false,
        createdUnix: UInt64 = 0
    ) {
        self.job = job
        self.plan = plan
        self.roundsWanted = roundsWanted
        self.roundsDone = roundsDone
        self.state = state
        self.detail = detail
        self.revision = revision
        self.rounds = rounds
        self.agentsWaiting = agentsWaiting
        self.epsilon = epsilon
        self.delta = delta
        self.noiseMultiplier = noiseMultiplier
        self.agentsForEpsilon4 = agentsForEpsilon4
        self.moreRounds = moreRounds
        self.createdUnix = createdUnix
    }
}

/// A published model version.
package struct ModelRecord: Sendable, Equatable {
    package var model: ModelRef?
    /// 0: of no round, see `isRepublished`.
    package var round: UInt64
    /// On the coordinator's test data, negative: not measured.
    package var accuracy: Double
    package var createdUnix: UInt64
    package var parentVersion: UInt64
    package var hasParent: Bool
    /// Only in ModelShow's answer: every file of the model directory.
    package var files: [ModelFile]
    /// Of the signature, SPKI PEM; only in ModelShow's answer.
    package var publicKey: [UInt8]
    /// Nil: not tried.
    package var distillation: DistillationRecord?
    /// When its weights were given up, 0: they are kept.
    package var collectedUnix: UInt64

    package init(
        model: ModelRef? = nil, round: UInt64 = 0, accuracy: Double = 0, createdUnix: UInt64 = 0,
        parentVersion: UInt64 = 0, hasParent: Bool = false, files: [ModelFile] = [],
        publicKey: [UInt8] = [], distillation: DistillationRecord? = nil, collectedUnix: UInt64 = 0
    ) {
        self.model = model
        self.round = round
        self.accuracy = accuracy
        self.createdUnix = createdUnix
        self.parentVersion = parentVersion
        self.hasParent = hasParent
        self.files = files
        self.publicKey = publicKey
        self.distillation = distillation
        self.collectedUnix = collectedUnix
    }

    /// Whether it has the weights of its parent, signed anew, and is no work of a round; the first version has no parent.
    package var isRepublished: Bool { round == 0 && hasParent }
}

/// One file of a model directory.
package struct ModelFile: Sendable, Equatable {
    /// Within the model directory.
    package var name: String
    /// A blob.
    package var digest: [UInt8]
    package var size: UInt64

    package init(name: String = "", digest: [UInt8] = [], size: UInt64 = 0) {
        self.name = name
        self.digest = digest
        self.size = size
    }
}

/// The answer to `RoundList`.
package struct RoundRecords: Sendable, Equatable {
    package var items: [RoundRecord]
    /// There are more; ask again after the last of these.
    package var more: Bool

    package init(items: [RoundRecord] = [], more: Bool = false) {
        self.items = items
        self.more = more
    }
}

/// The answer to `ModelList`.
package struct ModelRecords: Sendable, Equatable {
    package var items: [ModelRecord]
    /// There are more; ask again after the last of these.
    package var more: Bool

    package init(items: [ModelRecord] = [], more: Bool = false) {
        self.items = items
        self.more = more
    }
}
