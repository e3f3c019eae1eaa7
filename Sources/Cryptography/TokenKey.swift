import COpenSSL
package import Federation
import Glibc

extension PrivateKey {
    /// The key that a PKCS#11 token holds, which signs there and never leaves it.
    ///
    /// - Parameter pin: the token's PIN, unless the URI's own `pin-source` names it.
    /// - Throws: `Fault.storage` when OpenSSL's engine, the module or the PIN is missing,
    ///   `Fault.notFound` when there is no such key, `Fault.forbidden` when the PIN is refused.
    package init(token uri: TokenURI, pin: Passphrase?) throws(Fault) {
        let ownPIN = try uri.pinFile.map { file throws(Fault) in try Passphrase(file: file) }
        guard let pin = ownPIN ?? pin else {
            throw Fault(
                .storage, "there is no PIN for \(uri)",
                remedy: "name the file that holds it: pin_file in [keys], or pin-source in the URI")
        }
        // The reference stays: the engine is used as long as the key is.
        guard let engine = tributary_pkcs11_engine() else {
            let reason = lastLibraryError() ?? "no reason given"
            throw Fault(
                .storage, "OpenSSL has no pkcs11 engine: \(reason)",
                remedy: "install libengine-pkcs11-openssl")
        }
        if let module = uri.modulePath {
            guard access(module, R_OK) == 0 else {
                throw Fault(
                    .storage, "there is no PKCS#11 module \(module)",
                    remedy: "install the token's module, or mend module-path in the URI")
            }
            guard tributary_pkcs11_set(engine, "MODULE_PATH", module) == 1 else {
                throw libraryFault("set the PKCS#11 module")
            }
        }
        let text = pin.bytes.map(CChar.init(bitPattern:)) + [0]
        guard tributary_pkcs11_set(engine, "PIN", text) == 1 else {
            throw libraryFault("pass the PIN on")
        }
        guard let key = tributary_pkcs11_private_key(engine, uri.object) else {
            throw PrivateKey.tokenFault(uri, reason: lastLibraryError() ?? "no reason given")
        }
        try self.init(KeyHandle(owning: key), isOnToken: true)
    }

    private static func tokenFault(_ uri: TokenURI, reason: String) -> Fault {
        switch reason {
        case "object not found":
            Fault(
                .notFound, "no token holds the private key \(uri)",
                remedy: "check that the token is there (`pkcs11-tool --list-objects --login`), and"
                    + " that token and object are spelt as on it")
        case "Unable to load PKCS#11 module":
            Fault(
                .storage, "OpenSSL cannot load the PKCS#11 module of \(uri)",
                remedy: "install the token's module and p11-kit-modules, or name the module with"
                    + " ?module-path=FILE in the URI")
        case _ where reason.hasPrefix("PIN"):
            Fault(
                .forbidden, "the token refuses the PIN for \(uri): \(reason)",
                remedy: "check the PIN file: tokens lock themselves after a few wrong ones")
        default:
            Fault(
                .unavailable, "the token does not give access to \(uri): \(reason)",
                remedy: "check it with `pkcs11-tool --list-objects --login`")
        }
    }
}
