import Cryptography
import Federation
import Glibc

/// An open file or directory; closed when it goes out of scope.
struct OpenFile: ~Copyable {
    let descriptor: Int32
    /// What faults call it.
    private let name: String

    /// Opens `path` with `flags` of open(2); what it creates has mode 0600.
    ///
    /// - Parameter name: what faults call it; nil: its path.
    /// - Throws: `notFound` when there is no such file, `storage` when it cannot be opened.
    init(_ path: String, _ flags: Int32, called name: String? = nil) throws(Fault) {
        let name = name ?? path
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let cause = errno
            guard cause != ENOENT else { throw Fault(.notFound, "there is no file \(name)") }
            throw storageFault("cannot open \(name)", cause)
        }
        if flags & O_CREAT != 0 { Ownership.inherit(descriptor, path) }
        self.descriptor = descriptor
        self.name = name
    }

    deinit { close(descriptor) }

    /// Bytes in the file.
    func size() throws(Fault) -> UInt64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw storageFault("cannot read \(name)", errno)
        }
        return UInt64(status.st_size)
    }

    /// Exactly `limit` bytes from `offset`, fewer at the end of the file.
    func read(offset: UInt64, limit: Int) throws(Fault) -> [UInt8] {
        var cause: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            (count, cause) = fill(UnsafeMutableRawBufferPointer(buffer), from: offset)
        }
        guard cause == 0 else { throw storageFault("cannot read \(name)", cause) }
        return bytes
    }

    /// Fills `buffer` with what begins at `offset`.
    ///
    /// - Throws: `storage`, also when the file ends before.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Fault) {
        let (count, cause) = fill(buffer, from: offset)
        guard cause == 0 else { throw storageFault("cannot read \(name)", cause) }
        guard count == buffer.count else {
            throw Fault(.storage, "\(name) became shorter while it was read")
        }
    }

    /// Reads up to the end of `buffer` or of the file.
    ///
    /// - Returns: how much, and the `errno` of what failed, or 0.
    private func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from offset: UInt64
    ) -> (count: Int, cause: Int32) {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done,
                off_t(offset) + off_t(done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return (done, errno) }
            guard count > 0 else { break }
            done += count
        }
        return (done, 0)
    }

    /// Writes all of `bytes` at the current position.
    func write(_ bytes: [UInt8]) throws(Fault) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(Fault) in
            try write(UnsafeRawBufferPointer(bytes))
        }
    }

    /// The same of bytes elsewhere.
    func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw storageFault("cannot write \(name)", errno) }
            done += count
        }
    }

    /// Waits until everything written to the file, or renamed in the directory, is on the disk.
    func sync() throws(Fault) {
        guard fsync(descriptor) == 0 else { throw storageFault("cannot sync \(name)", errno) }
    }
}

/// Waits until what was made, renamed or removed in `directory` is on the disk.
func synchronise(directory: String) throws(Fault) {
    try OpenFile(directory, O_RDONLY | O_DIRECTORY).sync()
}
