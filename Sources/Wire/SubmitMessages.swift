// Submit: an encoded update, resumable and idempotent by (round, attempt, agent): submit.proto.

/// Asks, before anything large is sent, whether an update is still wanted.
package struct SubmitProbe: Sendable, Equatable {
    package var round: UInt64
    package var attempt: UInt32
    package var submitToken: [UInt8]
    /// SHA-256 of the packed update.
    package var updateDigest: [UInt8]

    package init(
        round: UInt64 = 0, attempt: UInt32 = 0, submitToken: [UInt8] = [],
        updateDigest: [UInt8] = []
    ) {
        self.round = round
        self.attempt = attempt
        self.submitToken = submitToken
        self.updateDigest = updateDigest
    }
}

/// A number that a device measured, see `SubmitHeader.metrics`.
package struct Metric: Sendable, Equatable {
    package var name: String
    /// Fixed point, 2^-16.
    package var sum: Int64
    package var count: UInt64

    package init(name: String = "", sum: Int64 = 0, count: UInt64 = 0) {
        self.name = name
        self.sum = sum
        self.count = count
    }
}

/// Announces an encoded update.
package struct SubmitHeader: Sendable, Equatable {
    package var round: UInt64
    package var attempt: UInt32
    package var submitToken: [UInt8]
    package var latticeId: [UInt8]
    package var baseVersion: UInt64
    package var examples: UInt64
    /// 1.
    package var updatesSummed: UInt32
    package var withinClip: Bool
    /// Bytes of the packed update.
    package var size: UInt64
    package var updateDigest: [UInt8]
    /// Reserved: no plan asks for metrics yet, and a coordinator rejects a header that carries any.
    package var metrics: [Metric]

    package init(
        round: UInt64 = 0, attempt: UInt32 = 0, submitToken: [UInt8] = [], latticeId: [UInt8] = [],
        baseVersion: UInt64 = 0, examples: UInt64 = 0, updatesSummed: UInt32 = 0,
        withinClip: Bool = false, size: UInt64 = 0, updateDigest: [UInt8] = [],
        metrics: [Metric] = []
    ) {
        self.round = round
        self.attempt = attempt
        self.submitToken = submitToken
        self.latticeId = latticeId
        self.baseVersion = baseVersion
        self.examples = examples
        self.updatesSummed = updatesSummed
        self.withinClip = withinClip
        self.size = size
        self.updateDigest = updateDigest
        self.metrics = metrics
    }
}

/// A piece of a packed update; not answered.
package struct SubmitChunk: Sendable, Equatable {
    package var offset: UInt64
    /// At most 256 KiB; not answered.
    package var data: [UInt8]

    package init(offset: UInt64 = 0, data: [UInt8] = []) {
        self.offset = offset
        self.data = data
    }
}

/// Says that every chunk was sent.
package struct SubmitFinish: Sendable, Equatable {
    package var round: UInt64
    package var attempt: UInt32

    package init(round: UInt64 = 0, attempt: UInt32 = 0) {
        self.round = round
        self.attempt = attempt
    }
}

/// Answers `SubmitProbe`, `SubmitHeader` and `SubmitFinish`.
package struct SubmitStatus: Sendable, Equatable {
    package enum Verdict: UInt32, Sendable, CaseIterable {
        case unspecified = 0
        /// Continue from `offset`.
        case wanted = 1
        case accepted = 2
        case duplicate = 3
        case gone = 4
        case rejected = 5
        /// It is wanted; ask again after `retrySeconds`.
        case later = 6
    }

    package var verdict: Verdict
    package var offset: UInt64
    /// Of a rejection: wrongLattice wrongDimension normBound tooManyExamples digestMismatch
    /// notSelected badToken malformed.
    package var reason: String
    /// Of `later`.
    package var retrySeconds: UInt32

    package init(
        verdict: Verdict = .unspecified, offset: UInt64 = 0, reason: String = "",
        retrySeconds: UInt32 = 0
    ) {
        self.verdict = verdict
        self.offset = offset
        self.reason = reason
        self.retrySeconds = retrySeconds
    }
}
