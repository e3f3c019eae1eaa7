package import Federation

/// Where a PKCS#11 token keeps a private key: an RFC 7512 URI, such as
/// `pkcs11:token=fleet;object=models;type=private?pin-source=file:/etc/fleet.pin`.
package struct TokenURI: Sendable, Equatable, CustomStringConvertible {
    /// The URI as it was written.
    package let text: String
    /// The URI without what comes after `?`, which is all that the engine needs to find the key.
    let object: String
    /// `module-path`: the PKCS#11 module, when it is not one that p11-kit knows. The first key of a
    /// process decides for the others.
    package let modulePath: String?
    /// `pin-source`: the file that holds the token's PIN.
    package let pinFile: String?

    /// What every such URI begins with.
    package static let scheme = "pkcs11:"
    private static let mostBytes = 1024

    /// Parses `text`.
    ///
    /// - Throws: `Fault.invalid` naming what cannot be in it.
    package init(_ text: String) throws(Fault) {
        guard text.hasPrefix(TokenURI.scheme), text.utf8.count <= TokenURI.mostBytes,
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw TokenURI.invalid("'\(text.prefix(80))' is no PKCS#11 URI")
        }
        self.text = text
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        object = String(parts[0])
        let path = try TokenURI.attributes(object.dropFirst(TokenURI.scheme.count), by: ";")
        guard path["object"] != nil || path["id"] != nil, path["type"] ?? "private" == "private"
        else { throw TokenURI.invalid("\(object) names no private key") }
        let query = try TokenURI.attributes(parts.count == 2 ? parts[1] : "", by: "&")
        for name in query.keys where !["module-path", "pin-source"].contains(name) {
            // A PIN in the text would end up in configurations and logs.
            throw TokenURI.invalid("\(name) cannot be in a PKCS#11 URI here")
        }
        modulePath = query["module-path"]
        pinFile = try query["pin-source"].map { source throws(Fault) in
            let file = source.hasPrefix("file:") ? String(source.dropFirst(5)) : source
            guard file.hasPrefix("/") else {
                throw TokenURI.invalid("pin-source is not file: and an absolute path")
            }
            return file
        }
    }

    /// The key that is meant, without module and PIN file.
    package var description: String { object }

    private static func attributes(
        _ text: Substring, by separator: Character
    ) throws(Fault) -> [String: String] {
        var attributes: [String: String] = [:]
        for attribute in text.split(separator: separator) {
            let parts = attribute.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let value = decoded(parts[1]), !value.isEmpty,
                attributes.updateValue(value, forKey: String(parts[0])) == nil
            else { throw invalid("'\(parts[0].prefix(40))' is not one proper attribute") }
        }
        return attributes
    }

    /// `text` with its percent-encoded bytes as they are meant; nil for one that is not two digits,
    /// or a NUL.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let code = bytesFromHex(String(decoding: rest.prefix(2), as: UTF8.self)),
                code.count == 1, code != [0]
            else { return nil }
            bytes += code
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func invalid(_ problem: String) -> Fault {
        Fault(
            .invalid, problem,
            remedy: "write it as pkcs11:token=NAME;object=LABEL;type=private, followed by"
                + " ?module-path=FILE or ?pin-source=file:FILE where they are needed")
    }
}
