import Federation
import Glibc

/// An open file or directory; closed when it goes out of scope.
struct OpenFile: ~Copyable {
    let descriptor: Int32
    private let path: String

    /// Opens `path` with `flags` of open(2); what it creates has mode 0600.
    ///
    /// - Throws: `notFound` when there is no such file, `storage` when it cannot be opened.
    init(_ path: String, _ flags: Int32) throws(Fault) {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let cause = errno
            guard cause != ENOENT else { throw Fault(.notFound, "there is no file \(path)") }
            throw storageFault("cannot open \(path)", cause)
        }
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Bytes in the file.
    func size() throws(Fault) -> UInt64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw storageFault("cannot read \(path)", errno)
        }
        return UInt64(status.st_size)
    }

    /// Exactly `limit` bytes from `offset`, fewer at the end of the file.
    func read(offset: UInt64, limit: Int) throws(Fault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        var done = 0
        while done < limit {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(
                    descriptor, buffer.baseAddress.map { $0 + done }, limit - done,
                    off_t(offset) + off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw storageFault("cannot read \(path)", errno) }
            guard count > 0 else { break }
            done += count
        }
        return Array(bytes.prefix(done))
    }

    /// Writes all of `bytes` at the current position.
    func write(_ bytes: [UInt8]) throws(Fault) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw storageFault("cannot write \(path)", errno) }
            done += count
        }
    }

    /// Waits until everything written to the file, or renamed in the directory, is on the disk.
    func sync() throws(Fault) {
        guard fsync(descriptor) == 0 else { throw storageFault("cannot sync \(path)", errno) }
    }
}

/// Waits until what was made, renamed or removed in `directory` is on the disk.
func synchronise(directory: String) throws(Fault) {
    try OpenFile(directory, O_RDONLY | O_DIRECTORY).sync()
}
