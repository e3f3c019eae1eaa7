/// Every bound on what a peer may send, each with its reason.
///
/// A bound holds in both directions: what a peer would refuse is not encoded either.
package enum WireLimits {
    /// Bytes of one frame without its length prefix. Four times the largest chunk: lists for the
    /// command line fit, and a connection never makes the receiver buffer more than this.
    package static let frameBytes = 1 << 20
    /// Bytes of one frame from a peer without a certificate: an enrolment, whose certificate request is its largest part.
    package static let strangerFrameBytes = 32 << 10
    /// Bytes of the length that precedes each frame.
    package static let prefixBytes = 4
    /// Bytes of a blob or an update in one message. Long enough that per-message costs vanish,
    /// short enough that a thousand connections together buffer 256 MiB.
    package static let chunkBytes = 256 << 10
    /// Memory one message may take while it is encoded or decoded. protobuf-c allocates a struct
    /// for each element of a list, so 2 bytes on the wire can become 100 in memory; the largest
    /// honest list takes less than this.
    package static let conversionBytes = 8 << 20

    /// UTF-8 bytes of one string: a message for a person with a path in it.
    package static let textBytes = 4096
    /// A plan's TOML text: two numbers a feature for thousands of features.
    package static let planTextBytes = chunkBytes
    /// An enrolment token's secret: 32 bytes today.
    package static let secretBytes = 64
    /// A submit token: an HMAC-SHA256 with room for a version.
    package static let tokenBytes = 128
    /// A certificate, a certificate request or a public key, DER or PEM: a few hundred bytes for
    /// P-256, a few thousand for RSA.
    package static let certificateBytes = 16 << 10
    /// A signed trust set: a few certificates and keys as JSON.
    package static let trustSetBytes = 64 << 10
    /// A log checkpoint with its witnesses' signatures.
    package static let checkpointBytes = 4096
    /// A leaf of the log: C2SP's entry bundles give its length two bytes.
    package static let leafBytes = 65_535
    /// Bytes that an entry of `LogEntries` takes besides its leaf: three tags, two numbers of at
    /// most ten bytes, two lengths of at most three.
    package static let logEntryOverheadBytes = 32
    /// A tlog-proof: the largest leaf in base64, 64 hashes and a checkpoint.
    package static let logProofBytes = 128 << 10
    /// Hashes of a path in the log: a tree of 2^64 leaves needs no more.
    package static let pathHashes = 65

    /// Plans one device follows.
    package static let plans = 64
    /// Blobs one device says it holds.
    package static let cachedBlobs = 256
    /// CA certificates of a fleet: the current one and those it replaces.
    package static let authorities = 16
    /// Trust sets in one answer; a device that is further behind asks again.
    package static let trustSets = 64
    /// Metrics with one update.
    package static let metrics = 64
    /// Rows of one list for the command line: more do not fit in a frame.
    package static let items = 10_000
    /// Phases a round goes through, with room for continued attempts.
    package static let phases = 64
    /// Files of a model directory.
    package static let files = 64
}
