package import Federation
import Glibc

/// Reads and writes the small files that keys, certificates and signatures live in, and decides
/// their modes.
package enum CredentialFile {
    /// The mode of a private key or another secret: its owner only.
    package static let secretMode: UInt32 = 0o600
    /// The mode of a certificate or another public document.
    package static let publicMode: UInt32 = 0o644
    /// The largest file that `read` accepts, in bytes; the largest real one, a signature, is far
    /// smaller.
    package static let largestBytes = 1 << 20

    /// What a file's writer makes sure of, against a power cut; a crash of the program takes nothing.
    package enum Durability: Sendable {
        /// Nothing: an older file of that name may come back, or an empty one.
        case none
        /// That the file is whole if it is there under its name.
        case contents
        /// That it is there.
        case full
    }

    /// Writes a file that must not exist yet.
    ///
    /// - Throws: `Fault.conflict` when something has that name already (nothing is changed),
    ///   `Fault.storage` otherwise.
    package static func create(_ path: String, _ bytes: [UInt8], mode: UInt32) throws(Fault) {
        try create(path, bytes, mode: mode, isSynchronised: true)
        try synchroniseDirectory(of: path)
    }

    /// As `create`, but a power cut may lose the file's name, and its contents too unless they are synchronised.
    static func create(
        _ path: String, _ bytes: [UInt8], mode: UInt32, isSynchronised: Bool
    ) throws(Fault) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else {
            if errno == EEXIST {
                throw Fault(
                    .conflict, "\(path) exists already",
                    remedy: "move it away first if it really is to be replaced")
            }
            throw storageFault("cannot create", path)
        }
        Ownership.inherit(file, path)
        // A file without blocks of its own is written out, at many times the cost of the rest, when it takes the name of
        // another (ext4's auto_da_alloc).
        if !isSynchronised, !bytes.isEmpty { posix_fallocate(file, 0, bytes.count) }
        try finish(file, path, bytes, isSynchronised ? .all : .nothing)
    }

    /// Writes a file in place of the one of that name, if any; a crash leaves either the old or the
    /// new one.
    ///
    /// - Throws: `Fault.storage`.
    package static func replace(
        _ path: String, _ bytes: [UInt8], mode: UInt32, durability: Durability = .full
    ) throws(Fault) {
        let new = path + ".new"
        unlink(new)
        try create(new, bytes, mode: mode, isSynchronised: durability != .none)
        guard rename(new, path) == 0 else {
            let fault = storageFault("cannot write", path)
            unlink(new)
            throw fault
        }
        if durability == .full { try synchroniseDirectory(of: path) }
    }

    /// The whole contents of a regular file of at most `limit` bytes.
    ///
    /// - Throws: `Fault.notFound`, `Fault.invalid` for a file that is too large, `Fault.storage`.
    package static func read(
        _ path: String, atMost limit: Int = largestBytes
    ) throws(Fault) -> [UInt8] {
        var bytes: [UInt8] = []
        var tooLarge = false
        try readPieces(path) { piece in
            tooLarge = piece.count > limit - bytes.count
            if !tooLarge { bytes.append(contentsOf: piece) }
            return !tooLarge
        }
        guard !tooLarge else {
            throw Fault(
                .invalid, "\(path) is larger than \(limit) bytes",
                remedy: "check that this is the right file")
        }
        return bytes
    }

    /// Calls `body` with one piece after another of a regular file's contents, as long as it wants
    /// more; symbolic links are followed.
    static func readPieces(
        _ path: String, _ body: (UnsafeRawBufferPointer) -> Bool
    ) throws(Fault) {
        // O_NONBLOCK, so that a FIFO of that name cannot hold us up before fstat refuses it.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT {
                throw Fault(.notFound, "\(path) does not exist", remedy: "check the path")
            }
            throw storageFault("cannot read", path)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Fault(.storage, "\(path) is not a regular file", remedy: "check the path")
        }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count == 0 { return }
            if count < 0 {
                if errno == EINTR { continue }
                throw storageFault("cannot read", path)
            }
            let wantsMore = buffer.withUnsafeBytes {
                body(UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
            guard wantsMore else { return }
        }
    }

    /// What of a file is to reach the disk.
    enum Synchronised {
        case nothing
        /// What reading it takes.
        case contents
        case all

        fileprivate func wait(_ file: Int32) -> Bool {
            switch self {
            case .nothing: true
            case .contents: fdatasync(file) == 0
            case .all: fsync(file) == 0
            }
        }
    }

    /// Makes `bytes` all that is in the file, synchronises it if asked to and closes it; removes the file when that fails,
    /// since half a key is worse than none.
    static func finish(
        _ file: Int32, _ path: String, _ bytes: [UInt8], _ synchronised: Synchronised
    ) throws(Fault) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            written += count
        }
        var status = stat()
        let complete =
            written == bytes.count && fstat(file, &status) == 0
            && (status.st_size == written || ftruncate(file, written) == 0)
            && synchronised.wait(file)
        let fault = complete ? nil : storageFault("cannot write", path)
        close(file)
        if let fault {
            unlink(path)
            throw fault
        }
    }

    /// Waits until what was made, renamed or removed beside `path` is on the disk.
    static func synchroniseDirectory(of path: String) throws(Fault) {
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw storageFault("cannot open", parent) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw storageFault("cannot write", parent) }
    }

    /// What `errno` says about `path`, and what to do about it.
    static func storageFault(_ action: String, _ path: String) -> Fault {
        let code = errno
        let remedy =
            switch code {
            case EACCES, EPERM: "give this user access, or run as the user that owns it"
            case ENOENT, ENOTDIR: "create the directory first"
            case ENOSPC, EDQUOT: "free some space"
            case EROFS: "choose a directory on a writable file system"
            default: ""
            }
        return Fault(.storage, "\(action) \(path): \(systemError(code))", remedy: remedy)
    }
}

/// The operating system's words for `code`.
package func systemError(_ code: Int32) -> String { String(cString: strerror(code)) }
