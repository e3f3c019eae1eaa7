package import Federation

/// Where a private key is kept.
package enum KeyLocation: Sendable, Equatable, CustomStringConvertible {
    /// A PEM file.
    case file(String)
    /// A PKCS#11 token.
    case token(TokenURI)

    /// Reads a path, or a URI that begins with `pkcs11:`.
    ///
    /// - Throws: `Fault.invalid` when the URI is none.
    package init(_ text: String) throws(Fault) {
        self = text.hasPrefix(TokenURI.scheme) ? .token(try TokenURI(text)) : .file(text)
    }

    /// Reads the key, or reaches for it.
    ///
    /// - Parameters:
    ///   - passphraseFile: holds the passphrase of an encrypted file; not read for a token.
    ///   - pinFile: holds the PIN of a token whose URI names none; not read for a file.
    /// - Throws: `Fault` naming what is missing or wrong.
    package func key(passphraseFile: String?, pinFile: String?) throws(Fault) -> PrivateKey {
        switch self {
        case .file(let path):
            try PrivateKey(pemFile: path, passphrase: Passphrase.read(passphraseFile))
        case .token(let uri): try PrivateKey(token: uri, pin: Passphrase.read(pinFile))
        }
    }

    /// What `init` reads.
    package var text: String {
        switch self {
        case .file(let path): path
        case .token(let uri): uri.text
        }
    }

    /// The path, or the URI without module and PIN file.
    package var description: String {
        switch self {
        case .file(let path): path
        case .token(let uri): uri.description
        }
    }
}

extension Passphrase {
    /// The passphrase in `file`; nil without a file.
    package static func read(_ file: String?) throws(Fault) -> Passphrase? {
        guard let file else { return nil }
        return try Passphrase(file: file)
    }
}
