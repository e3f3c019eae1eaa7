import Federation
import Glibc

/// The bytes of a configuration file.
///
/// - Throws: `Fault.storage` when it cannot be read or is longer than any configuration.
func contents(of file: String) throws(Fault) -> [UInt8] {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(file, errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        guard count >= 0 else {
            if errno == EINTR { continue }
            throw unreadable(file, errno)
        }
        guard count > 0 else { return bytes }
        bytes += chunk[..<count]
        guard bytes.count <= TOMLDocument.maximumBytes else {
            throw Fault(
                .storage, "\(file) has more than \(TOMLDocument.maximumBytes) bytes",
                remedy: "check that this is the configuration file")
        }
    }
}

private func unreadable(_ file: String, _ error: Int32) -> Fault {
    let remedy =
        switch error {
        case ENOENT: "check the path, or create the file"
        case EACCES: "give this user the right to read it"
        default: "check the path"
        }
    return Fault(
        .storage, "cannot read the configuration file \(file): \(String(cString: strerror(error)))",
        remedy: remedy)
}

/// `path` as it is when absolute, otherwise relative to the directory of `file`.
func resolved(_ path: String, besides file: String) -> String {
    guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
    return file[...slash] + path
}
