import Configuration

/// Which names a request may have called this server by.
///
/// A page of somebody else can make a browser resolve a name of theirs to this machine's address and so send requests here;
/// their Host is that name, and they get nothing.
package struct HostRule: Sendable, Equatable {
    private let names: Set<String>

    /// - Parameters:
    ///   - listen: the address that the dashboard binds.
    ///   - addresses: those of the coordinator; they count when others may reach the dashboard.
    package init(listen: String, addresses: [String]) {
        var names: Set = ["localhost", "127.0.0.1", "::1", listen.lowercased()]
        if !DashboardTable.isLoopback(listen) { names.formUnion(addresses.map { $0.lowercased() }) }
        self.names = names
    }

    /// Whether a request may have called this server so.
    ///
    /// - Parameter host: as in the request: a name or an address, perhaps with a port.
    package func admits(_ host: String?) -> Bool {
        host.flatMap(Self.name).map(names.contains) ?? false
    }

    /// The name without its port, nil when `host` is none. An IPv6 address stands in brackets.
    private static func name(of host: String) -> String? {
        let text = host.lowercased()
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || isPort(rest) else { return nil }
            return String(text.dropFirst().prefix { $0 != "]" })
        }
        guard let colon = text.firstIndex(of: ":") else { return text }
        return isPort(text[colon...]) ? String(text[..<colon]) : nil
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && UInt16(text.dropFirst()) != nil
    }

    /// The names, for a person who used another.
    var words: String { names.sorted().joined(separator: ", ") }
}
