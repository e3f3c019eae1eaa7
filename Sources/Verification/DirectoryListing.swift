import Federation
import Glibc
import Provenance

/// Everything below a directory that is not itself a directory.
struct DirectoryListing {
    enum Kind: Equatable {
        case file
        case symbolicLink
        /// A device, socket or pipe.
        case special
    }

    struct Entry: Equatable {
        /// Path relative to the directory, with `/` between parts.
        let name: String
        let kind: Kind
        /// In bytes, of a file.
        let size: Int64
    }

    /// In code-point order of their names.
    let entries: [Entry]

    /// The most entries that are listed; a model directory has four files.
    private static let mostEntries = 100_000

    /// Lists `directory`; symbolic links are listed and never followed.
    ///
    /// - Throws: `Fault.notFound` or `Fault.storage`.
    init(of directory: String) throws(Fault) {
        var found: [Entry] = []
        var waiting = [""]
        while let folder = waiting.popLast() {
            for name in try DirectoryListing.names(in: "\(directory)/\(folder)") {
                let path = folder + name
                if let entry = try DirectoryListing.entry(path, in: directory) {
                    found.append(entry)
                } else {
                    waiting.append(path + "/")
                }
                guard found.count + waiting.count <= DirectoryListing.mostEntries else {
                    throw Fault(
                        .exhausted, "\(directory) holds more than \(Self.mostEntries) files",
                        remedy: "check that it is a model's directory")
                }
            }
        }
        entries = found.sorted { isOrdered($0.name, $1.name) }
    }

    private static func names(in folder: String) throws(Fault) -> [String] {
        guard let stream = opendir(folder) else {
            let code: Fault.Code = errno == ENOENT ? .notFound : .storage
            throw Fault(
                code, "cannot read the directory \(folder): \(String(cString: strerror(errno)))",
                remedy: "check the path and its permissions")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { buffer in
                String(validating: buffer.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let name else {
                throw Fault(
                    .storage, "a file name in \(folder) is not UTF-8",
                    remedy: "rename or remove that file")
            }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 else {
            throw Fault(
                .storage, "cannot read the directory \(folder): \(String(cString: strerror(errno)))"
            )
        }
        return names
    }

    /// nil for a directory.
    private static func entry(_ name: String, in directory: String) throws(Fault) -> Entry? {
        var status = stat()
        guard lstat("\(directory)/\(name)", &status) == 0 else {
            throw Fault(
                .storage, "cannot read \(directory)/\(name): \(String(cString: strerror(errno)))")
        }
        let kind: Kind
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return nil
        case S_IFREG: kind = .file
        case S_IFLNK: kind = .symbolicLink
        default: kind = .special
        }
        return Entry(name: name, kind: kind, size: Int64(status.st_size))
    }
}
