package import Cryptography
package import Federation

/// The checks that were made of a model directory, and how each came out.
package struct DirectoryReport: Sendable, Equatable {
    /// One check and its outcome.
    package struct Check: Sendable, Equatable {
        /// `signature`, or the name of a file.
        package let name: String
        /// Whether it came out as it must.
        package let passed: Bool
        /// What was found.
        package let detail: String
    }

    /// The signature first, then every file that is signed or there, in code-point order.
    package let checks: [Check]
    /// What the signature says; nil when it does not verify.
    package let model: SignedModel?

    /// Whether every check passed.
    package var isVerified: Bool { checks.allSatisfy(\.passed) }

    /// The report as one JSON object: `checks` (`name`, `passed`, `detail`), `key`, `model`,
    /// `verified`.
    package func encoded() throws(Fault) -> [UInt8] {
        let entries = checks.map { check in
            JSONValue.object([
                "name": .text(check.name), "passed": .boolean(check.passed),
                "detail": .text(check.detail),
            ])
        }
        return try JSONValue.object([
            "checks": .array(entries),
            "key": model.map { .text(ModelSignature.keyHint(of: $0.signer).hex) } ?? .null,
            "model": model.map { .text($0.name) } ?? .null,
            "verified": .boolean(isVerified),
        ]).encoded()
    }
}

/// Compares a model directory with its signature.
package enum DirectoryCheck {
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

    /// Checks the signature, every signed file, and that nothing else is in the directory.
    ///
    /// - Throws: when something cannot be read, so that nothing can be said: `Fault.notFound`,
    ///   `Fault.storage`.
    package static func run(
        directory: String, signatureFile: String, trusted: [PublicKey]
    ) throws(Fault) -> DirectoryReport {
        let bundle = try CredentialFile.read(signatureFile)
        let listing = try DirectoryListing(of: directory)
        let model: SignedModel
        do { model = try ModelSignature.verify(bundle: bundle, trusted: trusted) } catch {
            let failed = DirectoryReport.Check(
                name: "signature", passed: false, detail: error.message)
            return DirectoryReport(checks: [failed], model: nil)
        }
        let hint = ModelSignature.keyHint(of: model.signer)
        var checks = [
            DirectoryReport.Check(
                name: "signature", passed: true,
                detail: "signed as '\(model.name)' by the trusted key \(hint)")
        ]
        checks += try compare(model.files, listing.entries, in: directory)
        return DirectoryReport(checks: checks, model: model)
    }

    private static func compare(
        _ signed: [ModelFile], _ present: [DirectoryListing.Entry], in directory: String
    ) throws(Fault) -> [DirectoryReport.Check] {
        // Bytes as keys: Swift takes canonically equivalent names for equal, the file system does
        // not.
        var expected: [[UInt8]: Digest] = [:]
        for file in signed { expected[Array(file.name.utf8)] = file.digest }
        var checks: [DirectoryReport.Check] = []
        for entry in present {
            let digest = expected.removeValue(forKey: Array(entry.name.utf8))
            checks.append(try check(entry, against: digest, in: directory))
        }
        for file in signed where expected[Array(file.name.utf8)] != nil {
            checks.append(
                DirectoryReport.Check(
                    name: file.name, passed: false, detail: "missing; the signature lists it"))
        }
        return checks.sorted { isOrdered($0.name, $1.name) }
    }

    private static func check(
        _ entry: DirectoryListing.Entry, against expected: Digest?, in directory: String
    ) throws(Fault) -> DirectoryReport.Check {
        func result(_ passed: Bool, _ detail: String) -> DirectoryReport.Check {
            DirectoryReport.Check(name: entry.name, passed: passed, detail: detail)
        }
        guard entry.kind == .file else { return result(false, words(for: entry.kind)) }
        guard let expected else { return result(false, "extra; the signature does not list it") }
        let found = try SHA256.digest(ofFile: "\(directory)/\(entry.name)")
        guard found == expected else {
            return result(false, "changed; SHA-256 is \(found), signed was \(expected)")
        }
        return result(true, "SHA-256 \(found)")
    }

    private static func words(for kind: DirectoryListing.Kind) -> String {
        switch kind {
        case .file: "a plain file"
        case .symbolicLink: "a symbolic link, which is not accepted"
        case .special: "a device, socket or pipe, which is not accepted"
        }
    }
}
