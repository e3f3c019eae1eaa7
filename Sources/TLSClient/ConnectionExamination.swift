package import Cryptography
package import Federation
import Glibc

/// The way to a server in steps, each of which can fail for reasons of its own: what the first that fails says is what to
/// mend.
package struct ConnectionExamination {
    package struct Finding: Sendable, Equatable {
        package let check: String
        package let passed: Bool
        /// What was found and, when it did not pass, what to do.
        package let detail: String
    }

    /// The steps that were taken, in order; the last is the first that failed.
    package private(set) var findings: [Finding] = []

    /// Looks the name up, connects, sees whose server it is, and asks it something.
    ///
    /// - Parameters:
    ///   - trust: how the server is known, and `identity` who asks, as in `TLSConnection.connect`.
    ///   - timeoutSeconds: for connecting, the handshake included.
    ///   - last: what the last step is called, and `ask` what it is: only an answer shows that the server accepts the identity.
    package init(
        of peer: NetworkAddress, trust: ServerTrust, identity: (Certificate, PrivateKey)?,
        timeoutSeconds: Double, last: String,
        ask: (consuming TLSConnection) throws(Fault) -> String
    ) {
        var check = "name"
        do throws(Fault) {
            pass(check, try Self.addressesInWords(peer.host))
            check = "port"
            let connection = try TLSConnection.connect(
                host: peer.host, port: peer.port, trust: trust, identity: identity,
                timeoutSeconds: timeoutSeconds,
                reached: {
                    pass(check, "\(peer) takes connections")
                    check = "TLS"
                })
            let version = connection.tlsVersion
            pass(
                check,
                "\(version), and the server's certificate is of this fleet and for \(peer.host)")
            check = last
            pass(check, try ask(connection))
        } catch {
            findings.append(Finding(check: check, passed: false, detail: error.description))
        }
    }

    private mutating func pass(_ check: String, _ detail: String) {
        findings.append(Finding(check: check, passed: true, detail: detail))
    }

    private static func addressesInWords(_ host: String) throws(Fault) -> String {
        let found = try HostName.addresses(of: host)
        return found == [host]
            ? "\(host) is an address" : "\(host) is \(found.joined(separator: ", "))"
    }
}

/// A host's name, as this machine looks it up.
package enum HostName {
    /// The addresses that `host` stands for, in numbers.
    ///
    /// - Throws: `Fault.unavailable` when there is none.
    package static func addresses(of host: String) throws(Fault) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else {
            throw Fault(
                .unavailable,
                "cannot find the address of '\(host)': \(String(cString: gai_strerror(status)))",
                remedy: "check the spelling and this machine's name service, or use an IP address")
        }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var next = list
        while let address = next {
            var text = [CChar](repeating: 0, count: 64)
            let failure = getnameinfo(
                address.pointee.ai_addr, address.pointee.ai_addrlen, &text, socklen_t(text.count),
                nil, 0, NI_NUMERICHOST)
            let words = String(
                decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if failure == 0, !found.contains(words) { found.append(words) }
            next = address.pointee.ai_next
        }
        return found
    }
}
