import Cryptography
package import Federation

/// A file of a signed model directory.
package struct ModelFile: Sendable, Equatable {
    /// Its path relative to the directory, with `/` between parts.
    package let name: String
    /// SHA-256 of its contents.
    package let digest: Digest

    /// A file as it is or shall be signed; `name` is checked when a statement is made.
    package init(name: String, digest: Digest) {
        self.name = name
        self.digest = digest
    }
}

/// What a model's signature states, as OpenSSF Model Signing 1.0 writes it: which files the model
/// has, and no more.
struct ModelStatement: Equatable {
    let name: String
    /// In code-point order of their names.
    let files: [ModelFile]

    private static let type = "https://in-toto.io/Statement/v1"
    private static let predicateType = "https://model_signing/signature/v1.0"
    /// `ignore_paths` is left out on purpose: with it, a checker would accept an added `.git/`.
    private static let serialization = CanonicalJSON.object([
        "method": .text("files"), "hash_type": .text("sha256"), "allow_symlinks": .boolean(false),
    ])
    /// The most files a model may have; real ones have four.
    private static let mostFiles = 10_000

    /// - Throws: `Fault.invalid` when there is no file, one occurs twice, or a name is not a plain
    ///   relative path.
    init(name: String, files: [ModelFile]) throws(Fault) {
        let sorted = files.sorted { isOrdered($0.name, $1.name) }
        if let problem = ModelStatement.problem(with: sorted) {
            throw Fault(.invalid, "this model cannot be signed: \(problem)")
        }
        self.name = name
        self.files = sorted
    }

    /// Reads a statement that a trusted key signed.
    ///
    /// - Throws: `Fault.untrusted` naming the check that fails.
    init(payload: [UInt8]) throws(Fault) {
        guard let json = CanonicalJSON(parsing: payload) else {
            throw failedCheck("statement", "it is not JSON")
        }
        guard json["_type"]?.text == ModelStatement.type else {
            throw failedCheck("statement type", "it is no in-toto statement v1")
        }
        guard json["predicateType"]?.text == ModelStatement.predicateType else {
            throw failedCheck("predicate type", "it is no OpenSSF model signature v1.0")
        }
        guard let subjects = json["subject"]?.elements, subjects.count == 1,
            let name = subjects[0]["name"]?.text,
            let stated = subjects[0]["digest"]?["sha256"]?.text
        else { throw failedCheck("subject", "there must be exactly one, with a SHA-256") }
        guard json["predicate"]?["serialization"] == ModelStatement.serialization else {
            throw failedCheck(
                "serialization",
                "only whole directories with SHA-256, no symbolic links and no"
                    + " ignored paths are accepted")
        }
        let files = try ModelStatement.files(json["predicate"]?["resources"])
        guard ModelStatement.subjectDigest(of: files).hex == stated else {
            throw failedCheck("subject digest", "it is not that of the listed files")
        }
        self.name = name
        self.files = files
    }

    private static func files(_ json: CanonicalJSON?) throws(Fault) -> [ModelFile] {
        guard let resources = json?.elements else {
            throw failedCheck("resources", "the list of files is missing")
        }
        var files: [ModelFile] = []
        for resource in resources {
            guard let name = resource["name"]?.text, resource["algorithm"]?.text == "sha256",
                let hex = resource["digest"]?.text, let digest = Digest(hex: hex),
                digest.hex == hex
            else { throw failedCheck("resources", "an entry has no name or no SHA-256") }
            files.append(ModelFile(name: name, digest: digest))
        }
        if let problem = problem(with: files) { throw failedCheck("resources", problem) }
        return files
    }

    /// What is wrong with a list of files in the order it has; nil when it can be signed.
    private static func problem(with files: [ModelFile]) -> String? {
        guard !files.isEmpty else { return "there are no files" }
        guard files.count <= mostFiles else { return "there are more than \(mostFiles) files" }
        if let bad = files.first(where: { !isPlainPath($0.name) }) {
            return "\(jsonString(bad.name)) is not a plain path inside the directory"
        }
        for (one, next) in zip(files, files.dropFirst()) where !isOrdered(one.name, next.name) {
            return "\(jsonString(next.name)) is listed twice or out of order"
        }
        return nil
    }

    private static func subjectDigest(of files: [ModelFile]) -> Digest {
        SHA256.digest(of: files.flatMap(\.digest.bytes))
    }

    /// The exact bytes that are signed.
    func encoded() throws(Fault) -> [UInt8] {
        let resources = files.map { file in
            CanonicalJSON.object([
                "name": .text(file.name), "algorithm": .text("sha256"),
                "digest": .text(file.digest.hex),
            ])
        }
        let digest = ModelStatement.subjectDigest(of: files)
        return try CanonicalJSON.object([
            "_type": .text(ModelStatement.type),
            "subject": .array([
                .object(["name": .text(name), "digest": .object(["sha256": .text(digest.hex)])])
            ]),
            "predicateType": .text(ModelStatement.predicateType),
            "predicate": .object([
                "serialization": ModelStatement.serialization, "resources": .array(resources),
            ]),
        ]).encoded()
    }
}

/// Whether `left` comes before `right` in code-point order, which is the order of UTF-8 bytes.
/// (Swift's own order takes canonically equivalent texts for equal; file systems do not.)
package func isOrdered(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}

/// Whether `name` is a relative path that stays inside its directory and has no character that a
/// shell, a checksum list or a terminal would take for something else.
package func isPlainPath(_ name: String) -> Bool {
    guard name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") }) else {
        return false
    }
    return name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        .allSatisfy { part in
            !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
        }
}

/// The fault for a model whose signature fails the check `name`.
func failedCheck(_ name: String, _ why: String) -> Fault {
    Fault(
        .untrusted, "the model's signature fails the check '\(name)': \(why)",
        remedy: "do not use this model; get it again from the fleet's coordinator")
}
