import Cryptography
package import Federation

/// For the files of blobs, which a task's thread must not wait for.
private let diskThreads = BlockingWork(label: "tributary.disk")

extension Registry {
    /// Stores `bytes` durably under their digest; storing the same bytes again changes nothing.
    ///
    /// - Throws: `storage` when the disk refuses.
    package func putBlob(_ bytes: [UInt8]) async throws(Fault) -> Digest {
        while true {
            do throws(Fault) {
                return try await putOnce(bytes)
            } catch {
                guard await mayRetry(after: error, bytes: bytes.count) else { throw error }
            }
        }
    }

    @inline(never)
    private func putOnce(_ bytes: [UInt8]) async throws(Fault) -> Digest {
        try await onDisk("store a blob") { () throws(Fault) in
            let digest = SHA256.digest(of: bytes)
            self.pins.add(digest)
            do throws(Fault) {
                return try self.blobs.put(bytes)
            } catch {
                self.pins.settle([digest])
                throw error
            }
        }
    }

    /// The whole content of `digest`, verified.
    ///
    /// - Throws: `notFound`; `storage` when the content does not match its digest.
    package func blob(_ digest: Digest) async throws(Fault) -> [UInt8] {
        try await onDisk("read a blob") { () throws(Fault) in try self.blobs.get(digest) }
    }

    /// At most `limit` bytes of `digest` from `offset`, none at or beyond the end, and the size of
    /// the whole. Only who puts the pieces together can check the digest.
    ///
    /// - Throws: `notFound`; `storage` when the file cannot be read.
    package func blobChunk(
        _ digest: Digest, offset: UInt64, limit: Int
    ) async throws(Fault) -> (bytes: [UInt8], totalSize: UInt64) {
        try await onDisk("read a piece of a blob") { () throws(Fault) in
            try self.blobs.chunk(digest, offset: offset, limit: limit)
        }
    }

    /// Runs blocking file work away from the threads that run tasks.
    func onDisk<Value: Sendable>(
        _ command: String, _ work: @escaping @Sendable () throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        if let faults { return try await faults.around(command, work) }
        return try await diskThreads.run(work)
    }
}
