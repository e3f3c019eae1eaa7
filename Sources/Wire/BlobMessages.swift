// Blobs: content by SHA-256, in pieces: blob.proto.

/// Asks for a piece of a blob.
package struct BlobRequest: Sendable, Equatable {
    package var digest: [UInt8]
    package var offset: UInt64

    package init(digest: [UInt8] = [], offset: UInt64 = 0) {
        self.digest = digest
        self.offset = offset
    }
}

/// A piece of a blob, at most `WireLimits.chunkBytes` from `offset`; ask again from `offset` +
/// its length until `totalSize` is reached.
package struct BlobChunk: Sendable, Equatable {
    package var digest: [UInt8]
    package var offset: UInt64
    package var totalSize: UInt64
    package var data: [UInt8]

    package init(
        digest: [UInt8] = [], offset: UInt64 = 0, totalSize: UInt64 = 0, data: [UInt8] = []
    ) {
        self.digest = digest
        self.offset = offset
        self.totalSize = totalSize
        self.data = data
    }
}
