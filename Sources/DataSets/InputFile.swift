import Federation
import Glibc

/// A regular file that is read at any offset and never loaded whole; closed when the last user lets
/// go.
final class InputFile: Sendable {
    let path: String
    /// Bytes when it was opened, at least 1.
    let size: Int
    private let descriptor: Int32

    /// - Throws: `Fault` naming `path` when the file is missing, not a regular file, unreadable,
    ///   empty or compressed.
    convenience init(path: String) throws(Fault) {
        try self.init(opening: path)
        guard size > 0 else {
            throw Fault(.invalid, "\(path) is empty", remedy: "copy the data file again")
        }
    }

    /// As above, of a file that somebody may be about to write or to remove: nil while it is empty or
    /// when it is gone.
    convenience init?(growing path: String) throws(Fault) {
        do {
            try self.init(opening: path)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
        if size == 0 { return nil }
    }

    private init(opening path: String) throws(Fault) {
        // O_NONBLOCK, so that a named pipe is refused below instead of waited for.
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        self.path = path
        guard descriptor >= 0 else { throw InputFile.openingFault(path, error: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            size = 0
            throw Fault(.storage, "cannot examine \(path): \(errorText(errno))")
        }
        size = Int(status.st_size)
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Fault(
                .invalid, "\(path) is not a regular file",
                remedy: "name the data file itself")
        }
        try refuseCompressed()
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Fills all of `bytes` from `offset` on.
    ///
    /// - Throws: `Fault` when the file cannot be read or no longer holds these bytes.
    func read(at offset: Int, into bytes: inout [UInt8]) throws(Fault) {
        try read(at: offset, into: &bytes, range: 0..<bytes.count)
    }

    /// As above, into a part of `bytes`.
    func read(at offset: Int, into bytes: inout [UInt8], range: Range<Int>) throws(Fault) {
        var filled = 0
        while filled < range.count {
            let received = bytes.withUnsafeMutableBytes { [filled] buffer in
                let rest = UnsafeMutableRawBufferPointer(
                    rebasing: buffer[range.lowerBound + filled..<range.upperBound])
                return pread(descriptor, rest.baseAddress, rest.count, offset + filled)
            }
            if received < 0 {
                if errno == EINTR { continue }
                throw Fault(
                    .storage, "cannot read \(path): \(errorText(errno))",
                    remedy: "check the disk it is on")
            }
            if received == 0 { throw changed("it is shorter than when it was opened") }
            filled += received
        }
    }

    /// What to throw when a byte that was valid when the file was opened no longer is.
    func changed(_ evidence: String) -> Fault {
        Fault(
            .invalid, "\(path) changed while it was in use: \(evidence)",
            remedy: "replace data files by renaming a finished file over the old one")
    }

    private func refuseCompressed() throws(Fault) {
        var magic: [UInt8] = [0, 0]
        guard size >= magic.count else { return }
        try read(at: 0, into: &magic)
        guard magic != [0x1f, 0x8b] else {
            throw Fault(
                .invalid, "\(path) is compressed with gzip",
                remedy: "compressed data is not read: unpack it with gunzip")
        }
    }

    private static func openingFault(_ path: String, error: Int32) -> Fault {
        guard error == ENOENT || error == ENOTDIR else {
            return Fault(
                .storage, "cannot open \(path): \(errorText(error))",
                remedy: "let the user this program runs as read it")
        }
        if access(path + ".gz", F_OK) == 0 {
            return Fault(
                .notFound, "\(path) does not exist, only \(path).gz",
                remedy: "compressed data is not read: run gunzip \(path).gz")
        }
        return Fault(
            .notFound, "\(path) does not exist", remedy: "put the file there or correct its name")
    }
}

/// What the operating system calls error number `error`.
func errorText(_ error: Int32) -> String {
    guard let text = strerror(error) else { return "error \(error)" }
    return String(cString: text)
}

/// Checks that `path` is a directory.
///
/// - Throws: `Fault` naming it when it is missing or something else.
func requireDirectory(_ path: String) throws(Fault) {
    var status = stat()
    guard stat(path, &status) == 0 else {
        let error = errno
        guard error == ENOENT else {
            throw Fault(.storage, "cannot examine data directory \(path): \(errorText(error))")
        }
        throw Fault(
            .notFound, "data directory \(path) does not exist",
            remedy: "create it and put the plan's data files there, or correct the configuration")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
        throw Fault(
            .invalid, "data directory \(path) is not a directory",
            remedy: "name the directory that holds the plan's data files")
    }
}
