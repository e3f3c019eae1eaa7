import Cryptography
package import Federation
package import Provenance

/// Compares a model directory with what was signed.
package enum DirectoryCheck {
    /// The largest file that is hashed, in bytes; a model for devices is far smaller.
    private static let largestFile: Int64 = 16 << 30

    /// The files of a directory with their digests, ready to be signed.
    ///
    /// - Throws: `Fault.invalid` naming a symbolic link or special file, `Fault.notFound`,
    ///   `Fault.storage`.
    package static func files(in directory: String) throws(Fault) -> [ModelFile] {
        var files: [ModelFile] = []
        for entry in try DirectoryListing(of: directory).entries {
            guard entry.kind == .file else {
                throw Fault(
                    .invalid, "\(directory)/\(entry.name) is \(words(for: entry.kind))",
                    remedy: "a model directory holds plain files only")
            }
            files.append(
                ModelFile(
                    name: entry.name,
                    digest: try SHA256.digest(ofFile: "\(directory)/\(entry.name)")))
        }
        return files
    }

    /// Checks every signed file, and that nothing else is in the directory: a check `file NAME`
    /// each, in code-point order.
    static func compare(
        _ directory: String, with model: SignedModel, report: inout VerificationReport
    ) {
        let present: [DirectoryListing.Entry]
        do throws(Fault) { present = try DirectoryListing(of: directory).entries } catch {
            report.miss("files", error)
            return
        }
        // Bytes as keys: Swift takes canonically equivalent names for equal, the file system does
        // not.
        var expected: [[UInt8]: Digest] = [:]
        for file in model.files { expected[Array(file.name.utf8)] = file.digest }
        var found: [[UInt8]: DirectoryListing.Entry] = [:]
        for entry in present { found[Array(entry.name.utf8)] = entry }
        let names = Set(expected.keys).union(found.keys)
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            report.make("file \(String(decoding: name, as: UTF8.self))") { () throws(Fault) in
                try check(found[name], against: expected[name], in: directory)
            }
        }
    }

    private static func check(
        _ entry: DirectoryListing.Entry?, against expected: Digest?, in directory: String
    ) throws(Fault) -> String {
        guard let entry else { throw wrong("missing; the signature lists it") }
        guard entry.kind == .file else { throw wrong(words(for: entry.kind)) }
        guard let expected else { throw wrong("extra; the signature does not list it") }
        guard entry.size <= largestFile else {
            throw wrong("changed; with \(entry.size) bytes it is larger than any model")
        }
        let found = try SHA256.digest(ofFile: "\(directory)/\(entry.name)")
        guard found == expected else {
            throw wrong("changed; SHA-256 is \(found), signed was \(expected)")
        }
        return "SHA-256 \(found)"
    }

    private static func words(for kind: DirectoryListing.Kind) -> String {
        switch kind {
        case .file: "a plain file"
        case .symbolicLink: "a symbolic link, which is not accepted"
        case .special: "a device, socket or pipe, which is not accepted"
        }
    }
}
