// Trust set: the keys a device believes, replaced only by a set that the previous one signed:
// trust.proto.

/// Asks for the trust sets after a version.
package struct TrustSetRequest: Sendable, Equatable {
    package var afterVersion: UInt64

    package init(afterVersion: UInt64 = 0) {
        self.afterVersion = afterVersion
    }
}

/// Trust sets; each document is JSON, defined in Provenance.
package struct TrustSetUpdate: Sendable, Equatable {
    /// Each signed by a key of the one before, oldest first.
    package var sets: [[UInt8]]

    package init(sets: [[UInt8]] = []) {
        self.sets = sets
    }
}
