import AgentSession
import Cryptography
package import Federation
import Glibc

/// Blobs by digest, in files of their own; one that is half fetched goes on where it stopped.
package struct BlobCache: Sendable {
    private let directory: String

    /// - Parameter directory: exists and is the cache's alone.
    package init(directory: String) { self.directory = directory }

    package func path(_ digest: Digest) -> String { "\(directory)/\(digest.hex)" }

    package func holds(_ digest: Digest) -> Bool { fileSize(path(digest)) != nil }

    /// Whether `digest` is held with the bytes that it names. What a power cut damaged is dropped.
    package func holdsIntact(_ digest: Digest) -> Bool {
        guard holds(digest) else { return false }
        if let found = try? SHA256.digest(ofFile: path(digest)), found == digest { return true }
        unlink(path(digest))
        return false
    }

    /// Digests of the whole blobs held.
    package var held: [Digest] { names(in: directory).compactMap { Digest(hex: $0) } }

    /// Bytes fetched so far of a blob that is not whole yet.
    package func fetched(_ digest: Digest) -> UInt64 { fileSize(part(digest)) ?? 0 }

    /// Adds the bytes that follow what is fetched of `digest`. A blob may grow to `size` bytes, no further.
    ///
    /// - Throws: `Fault.storage`, or `Fault.invalid` for bytes beyond `size`; the part is dropped then.
    package func append(_ bytes: [UInt8], to digest: Digest, size: UInt64) throws(Fault) {
        guard fetched(digest) + UInt64(bytes.count) <= size else {
            unlink(part(digest))
            throw Fault(.invalid, "more bytes came for blob \(digest) than its \(size)")
        }
        guard UInt64(bytes.count) == size, size > 0 else {
            return try AgentService.append(bytes, to: part(digest))
        }
        // Nothing is synchronised, as in `complete`.
        try RewrittenFile.replace(
            part(digest), bytes, mode: CredentialFile.secretMode, durability: .none,
            spare: spare(bytes: bytes.count))
    }

    /// Makes a wholly fetched part a blob, if its digest is right.
    ///
    /// - Throws: `Fault.untrusted` when it is not (the part is dropped), `Fault.storage`.
    package func complete(_ digest: Digest) throws(Fault) {
        let file = part(digest)
        // A blob of no bytes has had nothing appended.
        if fileSize(file) == nil { try AgentService.append([], to: file) }
        guard try SHA256.digest(ofFile: file) == digest else {
            unlink(file)
            throw Fault(
                .untrusted, "the bytes received for blob \(digest) have another digest",
                remedy: "nothing: they are dropped and fetched again")
        }
        // Nothing is synchronised: what a power cut damaged, the next run's `holdsIntact` finds and drops.
        guard rename(file, path(digest)) == 0 else {
            throw storageFault("cannot replace", path(digest))
        }
    }

    /// The bytes of a blob.
    ///
    /// - Throws: `Fault.untrusted` when the file was changed on disk (it is dropped), `Fault.storage`.
    package func read(_ digest: Digest) throws(Fault) -> [UInt8] {
        let file = path(digest)
        guard let size = fileSize(file) else {
            throw Fault(.storage, "blob \(digest) is not in \(directory)")
        }
        let bytes = try readBytes(file, count: Int(size))
        guard SHA256.digest(of: bytes) == digest else {
            unlink(file)
            throw Fault(
                .untrusted, "\(file) was changed on disk",
                remedy: "check the disk; the blob is dropped and fetched again")
        }
        return bytes
    }

    /// Removes every blob, whole or in part, that is not among `wanted`.
    package func prune(keeping wanted: Set<Digest>) {
        var spares = 0
        for name in names(in: directory) {
            let digest = Digest(hex: String(name.prefix(2 * Digest.byteCount)))
            if let digest {
                if !wanted.contains(digest) { remove("\(directory)/\(name)") }
            } else if name.hasPrefix(Self.sparePrefix), spares < Self.mostSpares {
                spares += 1
            } else {
                unlink("\(directory)/\(name)")
            }
        }
    }

    /// Removes a file whose room the next blob of its size may take.
    func remove(_ file: String) {
        guard let size = fileSize(file) else { return }
        RewrittenFile.remove(file, spare: spare(bytes: Int(size)), erasing: false)
    }

    private static let sparePrefix = "spare-"
    /// Spares that are kept, one for each number of blocks: what blobs here differ in does not change from one to the next.
    private static let mostSpares = 4

    private func spare(bytes: Int) -> String {
        "\(directory)/\(Self.sparePrefix)\((bytes + 4095) / 4096)"
    }

    private func part(_ digest: Digest) -> String { path(digest) + ".part" }
}
