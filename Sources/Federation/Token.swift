/// What an admin hands to a device's owner: one line to paste that names the coordinator, pins the fleet's authority and
/// holds a secret.
///
/// `tributary1;HOST:PORT;<SHA-256 of the fleet CA's SPKI>;<secret>;<expiry, Unix seconds>`
package struct EnrolmentToken: Sendable, Equatable {
    package var address: NetworkAddress
    /// SHA-256 of the fleet CA's SubjectPublicKeyInfo.
    package var authority: Digest
    /// 32 random bytes; the coordinator keeps only their SHA-256.
    package var secret: [UInt8]
    package var expiresUnix: UInt64

    package init(address: NetworkAddress, authority: Digest, secret: [UInt8], expiresUnix: UInt64) {
        self.address = address
        self.authority = authority
        self.secret = secret
        self.expiresUnix = expiresUnix
    }

    /// Parses a pasted token; surrounding white space is ignored.
    ///
    /// - Throws: `Fault.invalid` naming the part that is wrong.
    package init(parsing text: String) throws(Fault) {
        let line = text.split(whereSeparator: \.isWhitespace).joined()
        let parts = line.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        let remedy = "paste the whole line that `tributary-coordinator agent token` printed"
        guard parts.count == 5, parts[0] == "tributary1" else {
            throw Fault(.invalid, "this is not an enrolment token", remedy: remedy)
        }
        guard let authority = Digest(hex: parts[2]), let secret = bytesFromHex(parts[3]),
            secret.count == 32, let expires = decimal(parts[4])
        else { throw Fault(.invalid, "the enrolment token is damaged", remedy: remedy) }
        self.init(
            address: try NetworkAddress(parsing: parts[1]), authority: authority, secret: secret,
            expiresUnix: expires)
    }

    package var text: String {
        "tributary1;\(address);\(authority);\(hexadecimal(secret));\(expiresUnix)"
    }
}

/// A host name or IP address with a port; IPv6 is written in brackets.
package struct NetworkAddress: Sendable, Equatable, CustomStringConvertible {
    package var host: String
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Parses `host:port` or `[v6]:port`.
    ///
    /// - Throws: `Fault.invalid` when there is no host, or the port is not 1 to 65535.
    package init(parsing text: String) throws(Fault) {
        guard let colon = text.lastIndex(of: ":"),
            let number = decimal(text[text.index(after: colon)...]), number > 0,
            let port = UInt16(exactly: number)
        else {
            throw Fault(
                .invalid, "'\(text)' has no port", remedy: "write the address as host:port")
        }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, isBracketed || !host.contains(":") else {
            throw Fault(
                .invalid, "'\(text)' has no host that can be told from its port",
                remedy: "write it as host:port, and an IPv6 address in brackets")
        }
        self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// The number that `digits` spells; nil for a sign, anything but 0 to 9, or too many digits.
private func decimal(_ digits: some StringProtocol) -> UInt64? {
    digits.utf8.allSatisfy { (48...57).contains($0) } ? UInt64(digits) : nil
}
