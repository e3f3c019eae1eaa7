package import Federation

/// What `coordinator.toml` says.
package struct CoordinatorConfiguration: Sendable {
    /// The address the server binds.
    package var listen: String
    /// 0 takes any free port.
    package var port: Int
    /// Host names and IP addresses under which agents reach the coordinator; its certificate names
    /// them.
    package var addresses: [String]
    /// One of swift-log's levels.
    package var logLevel: String
    /// `text` or `json`.
    package var logFormat: String
    /// The longest a check-in is held until there is work for the agent.
    package var checkInWaitSeconds: Int
    /// When an agent without work is to check in again, on average.
    package var comeBackSeconds: Int
    /// How long a device's certificate is valid, in days; it is renewed after two thirds of that.
    package var deviceDays: Double
    /// Where the log is served over HTTP; nil: it is not.
    package var http: HTTP?
    /// Where the dashboard is served; nil: it is not.
    package var dashboard: DashboardTable?
    /// What peers may take.
    package var limits: CoordinatorLimits
    /// MiB that are to stay free below the state directory: with less, nothing new begins.
    package var minFreeMiB: Int
    /// Where the key is that signs models.
    package var keys: CoordinatorKeys
    /// A `[data.NAME]` table each: what the plan's teacher is trained on, and what its versions are
    /// measured on.
    package var data: [PlanID: (publicDirectory: String, testDirectory: String)]

    package init(
        listen: String, port: Int, addresses: [String], logLevel: String, checkInWaitSeconds: Int,
        comeBackSeconds: Int, deviceDays: Double = Self.standardDeviceDays, http: HTTP? = nil,
        dashboard: DashboardTable? = nil, limits: CoordinatorLimits = CoordinatorLimits(),
        minFreeMiB: Int = Self.standardMinFreeMiB,
        keys: CoordinatorKeys = CoordinatorKeys(), logFormat: String = logFormats[0],
        data: [PlanID: (publicDirectory: String, testDirectory: String)]
    ) {
        self.listen = listen
        self.port = port
        self.addresses = addresses
        self.logLevel = logLevel
        self.logFormat = logFormat
        self.checkInWaitSeconds = checkInWaitSeconds
        self.comeBackSeconds = comeBackSeconds
        self.deviceDays = deviceDays
        self.http = http
        self.dashboard = dashboard
        self.limits = limits
        self.minFreeMiB = minFreeMiB
        self.keys = keys
        self.data = data
    }

    /// The `[http]` table: a read-only server for the log.
    package struct HTTP: Sendable, Equatable {
        /// The address it binds.
        package var listen: String
        /// 0 takes any free port.
        package var port: Int

        package init(listen: String, port: Int) {
            self.listen = listen
            self.port = port
        }
    }

    /// Reads and parses `file`.
    ///
    /// - Throws: `Fault.storage` when it cannot be read, and what `parse` throws.
    package static func load(file: String) throws(Fault) -> CoordinatorConfiguration {
        try parse(try contents(of: file), file: file)
    }

    /// Parses the text of `file`; relative paths become relative to its directory.
    ///
    /// - Throws: `Fault.invalid` naming file, line and column, and what may be written instead.
    package static func parse(
        _ text: [UInt8], file: String
    ) throws(Fault) -> CoordinatorConfiguration {
        let document = try TOMLDocument(text, file: file)
        let root = try Section<RootKey>(document.root, name: "", file: file)
        let server = try root.requiredSection(.server, of: ServerKey.self)
        let log = try root.section(.log, of: LogKey.self)
        let checkIn = try root.section(.checkIn, of: CheckInKey.self)
        let certificates = try root.section(.certificates, of: CertificatesKey.self)
        let limits = try root.section(.limits, of: CoordinatorLimits.Key.self)
        let storage = try root.section(.storage, of: StorageKey.self)
        let http = try root.section(.http, of: HTTPKey.self)
        let dashboard = try root.section(.dashboard, of: DashboardTable.Key.self)
        let keys = try root.section(.keys, of: CoordinatorKeys.Key.self)
        let data = try plans(root.value(.data), file: file) {
            (plan, section: Section<DataKey>) throws(Fault) in
            let directories = (
                publicDirectory: try section.directory(.public),
                testDirectory: try section.directory(.test)
            )
            return (plan, directories)
        }
        return CoordinatorConfiguration(
            listen: try server.text(.listen, addressRule, default: "0.0.0.0", where: isAddress),
            port: try server.integer(.port, 0...65535, default: 7443),
            addresses: try addresses(server),
            logLevel: try log?.word(.level, logLevels, default: "info") ?? "info",
            checkInWaitSeconds: try checkIn?.integer(.waitSeconds, 0...300, default: 30) ?? 30,
            comeBackSeconds: try checkIn?.integer(.comeBackSeconds, 1...86400, default: 60) ?? 60,
            deviceDays: try certificates?.number(
                .deviceDays, .from(0.0001, to: 825), default: standardDeviceDays)
                ?? standardDeviceDays,
            http: try http.map(HTTP.init),
            dashboard: try dashboard.map { section throws(Fault) in
                try DashboardTable(section, file: file)
            }, limits: try CoordinatorLimits(limits),
            minFreeMiB: try storage?.integer(
                .minFreeMiB, 0...(1 << 30), default: standardMinFreeMiB) ?? standardMinFreeMiB,
            keys: try CoordinatorKeys(keys, file: file),
            logFormat: try log?.word(.format, logFormats, default: logFormats[0]) ?? logFormats[0],
            data: Dictionary(uniqueKeysWithValues: data))
    }

    package static let standardDeviceDays = 90.0
    package static let standardMinFreeMiB = 256

    static let addressRule = "a host name or an IP address, without a port"

    private static func addresses(_ server: Section<ServerKey>) throws(Fault) -> [String] {
        var addresses: [String] = []
        for item in try server.items(.addresses, 1...64, "an array of 1 to 64 addresses") {
            addresses.append(
                try server.text(item, .addresses, addressRule, where: isAddress))
        }
        return addresses
    }

    /// A rough check against what cannot be an address; IPv6 has colons and at least two of them.
    static func isAddress(_ text: String) -> Bool {
        let colons = text.utf8.count { $0 == UInt8(ascii: ":") }
        let alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%".utf8
        return !text.isEmpty && text.utf8.count <= 255 && colons != 1
            && text.utf8.allSatisfy { alphabet.contains($0) }
    }

    private enum RootKey: String, SectionKey {
        case server, log, keys, certificates, limits, storage
        case checkIn = "check_in"
        case http, dashboard, data
    }

    private enum ServerKey: String, SectionKey { case listen, port, addresses }

    private enum LogKey: String, SectionKey { case level, format }

    private enum CheckInKey: String, SectionKey {
        case waitSeconds = "wait_seconds"
        case comeBackSeconds = "come_back_seconds"
    }

    private enum CertificatesKey: String, SectionKey { case deviceDays = "device_days" }

    private enum StorageKey: String, SectionKey { case minFreeMiB = "min_free_mib" }

    fileprivate enum HTTPKey: String, SectionKey { case listen, port }

    private enum DataKey: String, SectionKey { case `public`, test }
}

extension CoordinatorConfiguration.HTTP {
    fileprivate init(_ section: Section<CoordinatorConfiguration.HTTPKey>) throws(Fault) {
        listen = try section.text(
            .listen, CoordinatorConfiguration.addressRule, default: "127.0.0.1",
            where: CoordinatorConfiguration.isAddress)
        port = try section.integer(.port, 0...65535, default: 7480)
    }
}
