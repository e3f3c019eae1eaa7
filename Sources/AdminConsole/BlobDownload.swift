import Cryptography
package import Federation
import Glibc
import Wire

extension AdminSession where Stream: ~Copyable {
    /// Writes the content of `digest` to a new file at `path`, or in place of an old one; the name
    /// appears only when all of it has arrived and has that digest.
    ///
    /// - Parameters:
    ///   - size: bytes, as the model's record says.
    ///   - progress: called with the share in [0, 1] that has arrived.
    /// - Throws: `untrusted` when the content is not that, `storage` when it cannot be written, or
    ///   as `perform`.
    package mutating func download(
        _ digest: Digest, size: UInt64, to path: String, progress: (Double) -> Void = { _ in }
    ) throws(Fault) {
        let draft = path + ".part"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { throw fileFault("cannot create", draft) }
        do {
            try receive(digest, size: size, into: file, draft, progress)
        } catch {
            close(file)
            unlink(draft)
            throw error
        }
        close(file)
        guard rename(draft, path) == 0 else { throw fileFault("cannot write", path) }
    }

    private mutating func receive(
        _ digest: Digest, size: UInt64, into file: Int32, _ path: String,
        _ progress: (Double) -> Void
    ) throws(Fault) {
        let damaged = Fault(
            .untrusted, "what the coordinator sent for \(path) is not what it announced",
            remedy: "try again; if it goes on, `tributary-coordinator doctor` looks further")
        var hasher = SHA256.Hasher()
        var offset: UInt64 = 0
        while offset < size {
            let chunk = try blobChunk(digest, offset: offset)
            guard chunk.totalSize == size, !chunk.data.isEmpty,
                UInt64(chunk.data.count) <= size - offset
            else { throw damaged }
            hasher.update(chunk.data)
            try writeAll(chunk.data, to: file, path)
            offset += UInt64(chunk.data.count)
            progress(Double(offset) / Double(size))
        }
        guard hasher.finish() == digest else { throw damaged }
        guard fsync(file) == 0 else { throw fileFault("cannot write", path) }
    }
}

/// Creates `path` unless it is there.
///
/// - Throws: `storage` when it cannot be created or written, or is not a directory.
func createDirectory(_ path: String) throws(Fault) {
    if mkdir(path, 0o755) != 0, errno != EEXIST {
        throw fileFault("cannot create the directory", path)
    }
    guard access(path + "/.", W_OK | X_OK) == 0 else { throw fileFault("cannot write in", path) }
}

private func writeAll(_ bytes: [UInt8], to file: Int32, _ path: String) throws(Fault) {
    var done = 0
    while done < bytes.count {
        let count = bytes[done...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw fileFault("cannot write", path) }
        done += count
    }
}

/// A `storage` fault that names the cause in `errno`.
private func fileFault(_ action: String, _ path: String) -> Fault {
    Fault(
        .storage, "\(action) \(path): \(String(cString: strerror(errno)))",
        remedy: "choose a directory that you may write, on a disk with room")
}
