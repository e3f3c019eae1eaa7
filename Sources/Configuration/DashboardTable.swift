import Federation

/// The `[dashboard]` table of `coordinator.toml`: pages about the fleet and `/metrics`, for the people who run it.
package struct DashboardTable: Sendable, Equatable {
    /// The address it binds.
    package var listen: String
    /// 0 takes any free port.
    package var port: Int
    /// Holds what a reader must show; nil: whoever reaches the port may read.
    package var tokenFile: String?

    package static let standardPort = 7481

    package init(
        listen: String = "127.0.0.1", port: Int = Self.standardPort, tokenFile: String? = nil
    ) {
        self.listen = listen
        self.port = port
        self.tokenFile = tokenFile
    }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool { Self.isLoopback(listen) }

    /// Whether `address`, an IP address or a host name, is this machine's own.
    package static func isLoopback(_ address: String) -> Bool {
        if ["localhost", "::1"].contains(address.lowercased()) { return true }
        let parts = address.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    enum Key: String, SectionKey {
        case listen, port
        case tokenFile = "token_file"
    }

    /// Reads the table.
    ///
    /// - Throws: `invalid`, also when others could reach it without a token.
    init(_ section: Section<Key>, file: String) throws(Fault) {
        self.init(
            listen: try section.text(
                .listen, CoordinatorConfiguration.addressRule, default: "127.0.0.1",
                where: CoordinatorConfiguration.isAddress),
            port: try section.integer(.port, 0...65535, default: Self.standardPort),
            tokenFile: try section.file(.tokenFile))
        guard isLoopback || tokenFile != nil else {
            throw section.fault(
                .listen, "is \"\(listen)\", which other machines reach, and there is no token_file",
                "make a token with `openssl rand -hex 32 > dashboard.token; chmod 600"
                    + " dashboard.token` beside this file and write token_file ="
                    + " \"dashboard.token\", or listen on 127.0.0.1")
        }
    }
}
