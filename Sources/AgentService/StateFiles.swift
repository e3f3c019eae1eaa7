import Cryptography
import Federation
import Glibc

// The file operations of the state directory that need more than `CredentialFile`, which writes every small file here.

/// What `errno` says about `path`.
func storageFault(_ action: String, _ path: String) -> Fault {
    let code = errno
    let remedy =
        switch code {
        case EACCES, EPERM, EROFS: "give the agent's user write access, or choose another place"
        case ENOSPC, EDQUOT: "free some space"
        case ENOENT, ENOTDIR: "create the directory above it first"
        default: ""
        }
    return Fault(.storage, "\(action) \(path): \(String(cString: strerror(code)))", remedy: remedy)
}

/// Makes `path` a directory of this user's alone, unless it exists.
func createDirectory(_ path: String) throws(Fault) {
    if mkdir(path, 0o700) == 0 {
        Ownership.inherit(directory: path)
        return
    }
    guard errno == EEXIST else { throw storageFault("cannot create directory", path) }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw Fault(
            .storage, "\(path) is not a directory", remedy: "move it away or choose another place")
    }
}

/// The names in a directory, sorted; empty when it cannot be read.
func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
            tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Removes a directory and the files in it; what cannot be removed stays.
func removeDirectory(_ path: String) {
    for name in names(in: path) { unlink("\(path)/\(name)") }
    rmdir(path)
}

/// Bytes of the file; nil when there is none.
func fileSize(_ path: String) -> UInt64? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return UInt64(status.st_size)
}

/// `count` bytes of the file from `offset`.
///
/// - Throws: `Fault.storage` when they cannot be read or are not all there.
func readBytes(_ path: String, offset: UInt64 = 0, count: Int) throws(Fault) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw storageFault("cannot read", path) }
    defer { close(file) }
    var filled = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
        while filled < count {
            let rest = UnsafeMutableRawBufferPointer(
                UnsafeMutableBufferPointer(rebasing: buffer[filled...]))
            let received = pread(file, rest.baseAddress, rest.count, off_t(offset) + off_t(filled))
            if received < 0 && errno == EINTR { continue }
            if received <= 0 { break }
            filled += received
        }
        initialised = filled
    }
    guard filled == count else {
        throw Fault(.storage, "\(path) has fewer bytes than expected or cannot be read")
    }
    return bytes
}

/// Adds `bytes` to the end of a file, creating it.
func append(_ bytes: [UInt8], to path: String) throws(Fault) {
    let file = open(
        path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, CredentialFile.secretMode)
    guard file >= 0 else { throw storageFault("cannot write", path) }
    defer { close(file) }
    Ownership.inherit(file, path)
    var written = 0
    while written < bytes.count {
        let count = bytes[written...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw storageFault("cannot write", path) }
        written += count
    }
}

/// Writes a file's or directory's contents through to the disk.
func synchronise(_ path: String) throws(Fault) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw storageFault("cannot open", path) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw storageFault("cannot write", path) }
}

/// Gives a finished file its name, replacing any other, so that a crash leaves the old or the new.
func replace(_ path: String, by new: String, in directory: String) throws(Fault) {
    guard rename(new, path) == 0 else { throw storageFault("cannot replace", path) }
    try synchronise(directory)
}
