package import Federation

/// A C2SP signed note: a text and signatures under it, of which a reader knows some of the keys.
package struct SignedNote: Sendable, Equatable {
    /// One line under the text.
    struct Signature: Sendable, Equatable {
        let name: String
        /// Four bytes that tell keys of the same name apart.
        let keyID: [UInt8]
        /// As the key's algorithm makes it, at least one byte.
        let bytes: [UInt8]
    }

    /// The largest note that is read, in bytes.
    package static let largestBytes = 64 << 10
    /// The most signatures that a note can have.
    package static let mostSignatures = 100
    private static let linePrefix = "\u{2014} "

    /// What is signed, its final newline included.
    package let text: String
    let signatures: [Signature]

    init(text: String, signatures: [Signature]) {
        self.text = text
        self.signatures = signatures
    }

    /// Reads a note without checking any signature.
    ///
    /// - Throws: `Fault.invalid` unless `bytes` is exactly what `encoded` writes for some note.
    package init(parsing bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= SignedNote.largestBytes else {
            throw Fault(.invalid, "a note has more than \(SignedNote.largestBytes) bytes")
        }
        // Signature lines are not empty, so the last empty line is what parts them from the text.
        guard let end = SignedNote.endOfText(in: bytes),
            let text = String(validating: bytes[..<end], as: UTF8.self),
            bytes.allSatisfy({ $0 >= 0x20 || $0 == UInt8(ascii: "\n") })
        else { throw Fault(.invalid, "a note is not text, an empty line and signatures") }
        var lines = TextLines(bytes[(end + 1)...])
        var signatures: [Signature] = []
        while !lines.rest.isEmpty {
            guard signatures.count < SignedNote.mostSignatures,
                let line = lines.next(after: SignedNote.linePrefix),
                let signature = Signature(line: line)
            else { throw Fault(.invalid, "a note has a malformed signature line, or too many") }
            signatures.append(signature)
        }
        guard !signatures.isEmpty else { throw Fault(.invalid, "a note has no signature") }
        self.init(text: text, signatures: signatures)
    }

    /// Where the text ends, its newline included; nil when no empty line follows any.
    private static func endOfText(in bytes: [UInt8]) -> Int? {
        let newline = UInt8(ascii: "\n")
        return bytes.indices.dropFirst().last {
            bytes[$0] == newline && bytes[$0 - 1] == newline
        }
    }

    /// The note's bytes.
    package func encoded() -> [UInt8] {
        var note = text + "\n"
        for signature in signatures {
            let bytes = Base64.encode(signature.keyID + signature.bytes)
            note += "\(SignedNote.linePrefix)\(signature.name) \(bytes)\n"
        }
        return Array(note.utf8)
    }
}

extension SignedNote.Signature {
    /// Reads what follows the dash; nil when it is malformed.
    fileprivate init?(line: String) {
        let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = Base64.decode(String(parts[1])), bytes.count > 4,
            !parts[0].isEmpty,
            !parts[0].unicodeScalars.contains(where: { $0 == "+" || $0.properties.isWhitespace })
        else { return nil }
        name = String(parts[0])
        keyID = Array(bytes[..<4])
        self.bytes = Array(bytes[4...])
    }
}
