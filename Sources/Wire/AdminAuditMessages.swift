// Administration, the log and what hangs on it: admin.proto.

/// Asks for leaves of the log.
package struct AuditLog: Sendable, Equatable {
    /// Position of the first leaf wanted.
    package var first: UInt64
    package var limit: UInt32

    package init(first: UInt64 = 0, limit: UInt32 = 0) {
        self.first = first
        self.limit = limit
    }
}

/// Asks for the proof that a leaf is in the log.
package struct AuditProve: Sendable, Equatable {
    /// The leaf of this model version, otherwise the one at `index`.
    package var byModel: Bool
    package var plan: String
    package var version: UInt64
    package var index: UInt64

    package init(byModel: Bool = false, plan: String = "", version: UInt64 = 0, index: UInt64 = 0) {
        self.byModel = byModel
        self.plan = plan
        self.version = version
        self.index = index
    }
}

/// Asks for the newest checkpoint.
package struct AuditCheckpoint: Sendable, Equatable {
    /// 0: without a consistency path.
    package var fromSize: UInt64

    package init(fromSize: UInt64 = 0) {
        self.fromSize = fromSize
    }
}

/// Asks for the trust set.
package struct TrustShow: Sendable, Equatable {
    package init() {}
}

/// Publishes the weights of an older version as the next one.
package struct ModelRepublish: Sendable, Equatable {
    package var plan: String
    /// Whose weights become the next version.
    package var version: UInt64

    package init(plan: String = "", version: UInt64 = 0) {
        self.plan = plan
        self.version = version
    }
}

/// A leaf of the log.
package struct LogEntry: Sendable, Equatable {
    package var index: UInt64
    package var loggedUnix: UInt64
    /// Compact JSON.
    package var leaf: [UInt8]

    package init(index: UInt64 = 0, loggedUnix: UInt64 = 0, leaf: [UInt8] = []) {
        self.index = index
        self.loggedUnix = loggedUnix
        self.leaf = leaf
    }
}

/// The answer to `AuditLog`: as many of the leaves as fit, so possibly fewer than asked for.
package struct LogEntries: Sendable, Equatable {
    /// Leaves in the log.
    package var size: UInt64
    package var items: [LogEntry]

    package init(size: UInt64 = 0, items: [LogEntry] = []) {
        self.size = size
        self.items = items
    }
}

/// The answer to `AuditProve`.
package struct LogProofRecord: Sendable, Equatable {
    /// C2SP tlog-proof.
    package var proof: [UInt8]

    package init(proof: [UInt8] = []) {
        self.proof = proof
    }
}

/// The answer to `AuditCheckpoint`.
package struct CheckpointRecord: Sendable, Equatable {
    /// Signed note.
    package var note: [UInt8]
    /// Hashes that lead from `fromSize` to it, RFC 6962.
    package var consistency: [[UInt8]]

    package init(note: [UInt8] = [], consistency: [[UInt8]] = []) {
        self.note = note
        self.consistency = consistency
    }
}

/// The answer to `TrustShow`.
package struct TrustRecord: Sendable, Equatable {
    /// See Provenance/TrustSet.swift.
    package var document: [UInt8]

    package init(document: [UInt8] = []) {
        self.document = document
    }
}
