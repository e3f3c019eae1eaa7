package import Federation
import Synchronization

/// Blobs that were stored for rows which are still to be written: nothing removes them meanwhile.
///
/// Content decides a blob's name, so that of a version that is going to be published may be that of
/// one whose weights are being collected.
final class BlobPins: Sendable {
    private let counts = Mutex<[Digest: Int]>([:])

    /// Keeps `digest` until as many rows as asked for it are written, or the process ends.
    func add(_ digest: Digest) { counts.withLock { $0[digest, default: 0] += 1 } }

    /// Rows that name `digests` are written, and keep them from now on.
    func settle(_ digests: Set<Digest>) {
        counts.withLock { counts in
            for digest in digests {
                guard let count = counts[digest] else { continue }
                counts[digest] = count > 1 ? count - 1 : nil
            }
        }
    }

    /// Runs `remove` unless `digest` is kept; nobody begins to keep it meanwhile.
    func unlessKept(_ digest: Digest, _ remove: () throws(Fault) -> Void) throws(Fault) {
        let result = counts.withLock { counts in
            counts[digest] == nil ? Result { () throws(Fault) in try remove() } : .success(())
        }
        try result.get()
    }
}

extension StoredModel {
    /// Every blob that the version's rows name.
    package var blobs: Set<Digest> {
        Set(
            [modelDigest, signatureDigest, masterDigest] + [velocityDigest].compactMap(\.self)
                + files.map(\.digest))
    }
}
