package import Federation

/// A passphrase or PIN. It comes from a file, so that it stands in no configuration, command line or
/// log; it has no description either.
package struct Passphrase: Sendable, CustomStringConvertible, CustomReflectable {
    let bytes: [UInt8]

    /// The longest passphrase, in bytes; OpenSSL takes no more than 1024.
    private static let mostBytes = 1000

    /// Reads a file that holds the passphrase and at most one newline after it.
    ///
    /// - Throws: `Fault.notFound`, `Fault.storage`, or `Fault.invalid` when it holds none.
    package init(file path: String) throws(Fault) {
        var bytes = try CredentialFile.read(path)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard (1...Passphrase.mostBytes).contains(bytes.count),
            !bytes.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\n") })
        else {
            throw Fault(
                .invalid, "\(path) holds no passphrase",
                remedy: "write one line of at most \(Passphrase.mostBytes) bytes into it")
        }
        self.bytes = bytes
    }

    package var description: String { "(a secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
