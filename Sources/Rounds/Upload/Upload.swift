package import Federation

/// One agent's update on its way in: resumable by offset, complete once, never on disk.
package struct Upload: Sendable {
    /// What the header promised.
    package struct Header: Sendable, Equatable {
        package let latticeID: Digest
        package let baseVersion: UInt64
        package let examples: UInt64
        package let withinClip: Bool
        package let size: Int
        package let digest: Digest

        package init(
            latticeID: Digest, baseVersion: UInt64, examples: UInt64, withinClip: Bool, size: Int,
            digest: Digest
        ) {
            self.latticeID = latticeID
            self.baseVersion = baseVersion
            self.examples = examples
            self.withinClip = withinClip
            self.size = size
            self.digest = digest
        }
    }

    package let header: Header
    package private(set) var bytes: [UInt8]

    /// Starts an upload after its header was checked.
    ///
    /// - Parameter memory: where its bytes are put, in place of new memory; its contents are forgotten.
    package init(_ header: Header, in memory: consuming [UInt8] = []) {
        self.header = header
        // Moved, not copied: with two owners it could not be written to.
        var bytes = consume memory
        bytes.removeAll(keepingCapacity: true)
        bytes.reserveCapacity(header.size)
        self.bytes = bytes
    }

    /// The offset from which the agent continues.
    package var offset: UInt64 { UInt64(bytes.count) }
    package var isComplete: Bool { bytes.count == header.size }

    /// Checks a header against what the round expects of this agent.
    ///
    /// - Returns: nil when it may be uploaded.
    package static func refusal(
        of header: Header, lattice: Lattice, latticeID: Digest, baseVersion: UInt64,
        maxExamples: Int
    ) -> UpdateRejection? {
        if header.latticeID != latticeID || header.baseVersion != baseVersion {
            return .wrongLattice
        }
        if header.size != lattice.updateBytes { return .wrongDimension }
        // More than the plan's limit would overflow the bound on the sum, and zero would not count.
        if header.examples == 0 || header.examples > UInt64(maxExamples) {
            return .tooManyExamples
        }
        return nil
    }

    /// Appends a chunk, or a piece of one. What was already received is ignored, so that a resend does no harm.
    ///
    /// - Returns: false when the chunk leaves a gap or goes past the promised size.
    package mutating func append(_ chunk: UnsafeRawBufferPointer, at offset: UInt64) -> Bool {
        guard offset <= UInt64(bytes.count), chunk.count <= header.size,
            offset + UInt64(chunk.count) <= UInt64(header.size)
        else { return false }
        let known = bytes.count - Int(offset)
        if known < chunk.count { bytes.append(contentsOf: chunk[known...]) }
        return true
    }
}
