import Cryptography
package import Federation
package import Provenance

/// A log's files, wherever they are.
package enum LogLocation: LogSource {
    case directory(DirectorySource)
    case server(HTTPLogSource)

    /// - Parameter text: a directory, or a URL that begins with `http://`.
    /// - Throws: `Fault.invalid` for another kind of URL.
    package init(_ text: String) throws(Fault) {
        if text.contains("://") {
            self = .server(try HTTPLogSource(url: text))
        } else {
            self = .directory(DirectorySource(directory: text))
        }
    }

    package mutating func read(_ path: String) throws(Fault) -> [UInt8]? {
        switch self {
        case .directory(var source): return try source.read(path)
        case .server(var source): return try source.read(path)
        }
    }

    /// The log's newest checkpoint.
    ///
    /// - Throws: `Fault.notFound` when there is none, or what keeps it from being read.
    mutating func checkpoint() throws(Fault) -> [UInt8] {
        guard let note = try read("checkpoint") else {
            throw Fault(
                .notFound, "there is no checkpoint, so this is no log",
                remedy: "name the directory or URL that holds `checkpoint` and `tile`")
        }
        return note
    }
}
