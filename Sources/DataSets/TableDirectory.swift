import Federation
import Glibc

/// The files of a data directory that one format names.
enum TableDirectory {
    /// Each keeps one descriptor open.
    static let mostFiles = 512

    /// Paths of the regular files in `directory` whose name matches `pattern`, by name; hidden ones
    /// do not match.
    ///
    /// - Throws: `Fault` when the directory cannot be read, or holds none or too many of them.
    static func files(in directory: String, matching pattern: String) throws(Fault) -> [String] {
        guard let stream = opendir(directory) else {
            throw Fault(
                .storage, "cannot list data directory \(directory): \(errorText(errno))",
                remedy: "let the user this program runs as read it")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if matches(name, pattern), isRegularFile("\(directory)/\(name)") { names.append(name) }
        }
        guard !names.isEmpty else {
            throw Fault(
                .notFound, "data directory \(directory) has no file '\(pattern)'",
                remedy: "put the plan's data files there")
        }
        guard names.count <= mostFiles else {
            throw Fault(
                .exhausted,
                "data directory \(directory) has \(names.count) files '\(pattern)', the most is"
                    + " \(mostFiles)",
                remedy: "join the older ones into one")
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .map { "\(directory)/\($0)" }
    }

    static func isPattern(_ name: String) -> Bool { name.utf8.contains(UInt8(ascii: "*")) }

    private static func matches(_ name: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count == 2, !name.hasPrefix(".") else { return false }
        return name.utf8.count >= pattern.utf8.count - 1
            && name.hasPrefix(parts[0]) && name.hasSuffix(parts[1])
    }

    private static func isRegularFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
