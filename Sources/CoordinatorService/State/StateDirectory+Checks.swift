import Configuration
import Cryptography
import Federation
import Glibc
import Kernels
import Provenance
import Registry
import Telemetry

// What can be checked of a coordinator without asking it.

extension StateDirectory {
    package typealias Check = (check: String, ok: Bool, detail: String)

    /// Of the directory and the machine, whether or not the coordinator runs.
    package func localChecks() -> [Check] {
        var lines: [Check] = []
        add("configuration", to: &lines) { () throws(Fault) in
            "listens on \(try configuration().listen):\(try configuration().port)"
        }
        add("permissions", to: &lines) { () throws(Fault) in try ownership() }
        addConfigured("keys", to: &lines) { (configuration) throws(Fault) in
            try checkKeys(configuration)
            return "present, readable by the owner only"
        }
        add("certificates", to: &lines) { () throws(Fault) in try lifetimes() }
        addConfigured("disk", to: &lines) { (configuration) throws(Fault) in
            try freeSpace(path, least: configuration.minFreeMiB)
        }
        addConfigured("memory", to: &lines) { (configuration) throws(Fault) in
            try memoryPlan(configuration.limits)
        }
        guard let configuration = try? configuration() else { return lines }
        for (plan, data) in configuration.data.sorted(by: { $0.key.name < $1.key.name }) {
            add("data of \(plan)", to: &lines) { () throws(Fault) in
                for directory in [data.publicDirectory, data.testDirectory] {
                    try checkReadable(directory)
                }
                return "\(data.publicDirectory) and \(data.testDirectory) are readable"
            }
        }
        return lines
    }

    /// Of the names under which agents look for this coordinator.
    package func nameChecks() -> [Check] {
        var lines: [Check] = []
        addConfigured("certificate's names", to: &lines) { (configuration) throws(Fault) in
            let wanted = configuration.addresses
            let names = Set(try serverCertificate().hostNames)
            if let missing = wanted.first(where: { !names.contains($0) }) {
                throw Fault(
                    .conflict,
                    "agents are told the address \(missing), which the server's certificate does"
                        + " not name",
                    remedy: "stop the coordinator and run `tributary-coordinator certificate"
                        + " renew-server --dir \(path)`")
            }
            return wanted.joined(separator: ", ")
        }
        return lines
    }

    /// What a running coordinator would say of itself, where none answers.
    package func offlineChecks() async -> [Check] {
        var lines: [Check] = []
        addConfigured("port free", to: &lines) { (configuration) throws(Fault) in
            try portIsFree(configuration.listen, configuration.port)
        }
        do throws(Fault) {
            let registry = try openRegistry(FleetTrust(directory: self), migrating: false)
            let size = try await registry.checkpoint().checkpoint.size
            lines.append(("log", true, "\(size) entries"))
        } catch { lines.append(("log", false, error.description)) }
        add("arithmetic", to: &lines) { () throws(Fault) in try arithmetic() }
        return lines
    }

    private func add(_ check: String, to lines: inout [Check], _ body: () throws(Fault) -> String) {
        do throws(Fault) { lines.append((check, true, try body())) } catch {
            lines.append((check, false, error.description))
        }
    }

    /// A check that needs the configuration. What is wrong with that, its own line says, once.
    private func addConfigured(
        _ check: String, to lines: inout [Check],
        _ body: (CoordinatorConfiguration) throws(Fault) -> String
    ) {
        guard let configuration = try? configuration() else {
            return lines.append((check, true, "not looked at: coordinator.toml"))
        }
        add(check, to: &lines) { () throws(Fault) in try body(configuration) }
    }
}

extension StateDirectory {
    /// Whether another process serves this directory.
    package var isServed: Bool {
        let file = open(path + "/serve.lock", O_RDWR | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { StateDirectory.unlock(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0
    }

    /// What a service that runs as the directory's owner could not use, such as what root has made there.
    private func ownership() throws(Fault) -> String {
        var folder = stat()
        guard stat(path, &folder) == 0 else { throw storageFault("look at \(path)") }
        let owner = userName(folder.st_uid)
        for name in ["", "/keys", "/certificates", "/blobs", "/log", "/registry.sqlite"] {
            var status = stat()
            guard lstat(path + name, &status) == 0 else { continue }
            guard status.st_uid == folder.st_uid else {
                throw Fault(
                    .storage,
                    "\(path)\(name) belongs to \(userName(status.st_uid)), its directory to"
                        + " \(owner), as whom the coordinator runs",
                    remedy: "run chown -R \(owner) on \(path)")
            }
            guard status.st_mode & 0o022 == 0 else {
                throw Fault(
                    .storage, "others may write \(path)\(name)", remedy: "run chmod go-w on it")
            }
        }
        // Looking the name up changes errno.
        let me = userName(geteuid())
        guard access(path, R_OK | W_OK | X_OK) == 0 else {
            throw storageFault("work in \(path) as \(me)")
        }
        return "everything belongs to \(owner)"
    }

    private func userName(_ user: uid_t) -> String {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "user \(user)"
    }

    /// KiB that a connection takes.
    private static let connectionKiB = 50

    /// What peers may make the coordinator allocate, and what the machine has.
    private func memoryPlan(_ limits: CoordinatorLimits) throws(Fault) -> String {
        let connections = (limits.connections * Self.connectionKiB) >> 10
        let most = limits.uploadsInFlightMiB + limits.buffersMiB + connections
        let pages = max(0, sysconf(Int32(_SC_PHYS_PAGES)))
        let all = (pages * max(0, sysconf(Int32(_SC_PAGESIZE)))) >> 20
        let words =
            "agents may take \(most) MiB: uploads \(limits.uploadsInFlightMiB), buffers"
            + " \(limits.buffersMiB), \(limits.connections) connections \(connections)"
        guard most < all else {
            throw Fault(
                .exhausted, "\(words); this machine has \(all) MiB",
                remedy: "lower connections or uploads_in_flight_mib in [limits]")
        }
        return "\(words); this machine has \(all) MiB"
    }

    private func checkReadable(_ directory: String) throws(Fault) {
        guard access(directory, R_OK | X_OK) == 0 else {
            throw Fault(
                .storage, "cannot read \(directory): \(String(cString: strerror(errno)))",
                remedy: "put the coordinator's own labelled examples there, readable by"
                    + " \(userName(geteuid())), or correct the path in coordinator.toml")
        }
    }

    /// How long the certificates last, in words.
    private func lifetimes() throws(Fault) -> String {
        let now = Int64(unixSeconds())
        let certificate = try serverCertificate()
        func date(_ unix: Int64) -> String { utcText(unix, "%Y-%m-%d %H:%M UTC") }
        guard now >= certificate.notBeforeUnix else {
            throw Fault(
                .conflict,
                "the server's certificate is not valid before \(date(certificate.notBeforeUnix));"
                    + " this machine's clock says \(date(now))",
                remedy: "set this machine's clock")
        }
        let server = (certificate.notAfterUnix - now) / 86_400
        let authority =
            (try FleetTrust(directory: self).authority.certificate.notAfterUnix - now) / 86_400
        guard authority > Self.leastAuthorityDays else {
            throw Fault(
                .conflict, "the fleet's authority ends in \(authority) days",
                remedy: "replace it in time: `tributary-coordinator authority rotate`")
        }
        guard now < certificate.notAfterUnix else {
            throw Fault(
                .conflict,
                "the server's certificate expired on \(date(certificate.notAfterUnix)); this"
                    + " machine's clock says \(date(now))",
                remedy:
                    "if the clock is right, start the coordinator anew: it renews the certificate"
            )
        }
        return "the server's for \(server) days, the authority's for \(authority)"
    }

    /// From then on a new authority is due: devices need time to renew their certificates.
    private static let leastAuthorityDays: Int64 = 365

    private func checkKeys(_ configuration: CoordinatorConfiguration) throws(Fault) {
        let trust = try FleetTrust(directory: self)
        _ = try serverAuthority(in: trust)
        let source = try KeySource(configuration.keys)
        _ = try source.key()
        var files = [keyFile(.server), keyFile(.log), submitSecretFile]
        for generation in try authorityCertificates().indices.map({ $0 + 1 }) {
            files.append(authorityKeyFile(generation: generation))
        }
        if case .file(let file) = source.location { files.append(file) }
        files += [source.passphraseFile, source.pinFile].compactMap(\.self)
        for file in files where access(file, F_OK) == 0 {
            guard try fileMode(file) & 0o077 == 0 else {
                throw Fault(
                    .storage, "others may read \(file)", remedy: "run chmod 600 on it")
            }
        }
    }

    /// Whether the coordinator could listen when it starts.
    private func portIsFree(_ host: String, _ port: Int) throws(Fault) -> String {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let address = list?.pointee
        else {
            throw Fault(
                .invalid, "'\(host)' is no address of this machine",
                remedy: "set listen in [server] of coordinator.toml, for example to 0.0.0.0")
        }
        defer { freeaddrinfo(list) }
        let listener = socket(
            address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw storageFault("make a socket") }
        defer { close(listener) }
        var on: Int32 = 1
        setsockopt(
            listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(listener, address.ai_addr, address.ai_addrlen) == 0 else {
            throw Fault(
                .unavailable,
                "cannot listen on \(host):\(port): \(String(cString: strerror(errno)))",
                remedy: "stop what uses the port, or set another one in [server]")
        }
        return "\(host):\(port) can be listened on"
    }
}

/// Whether this machine's processor and libraries compute what they should.
///
/// - Throws: `internal`.
func arithmetic() throws(Fault) -> String {
    let blas = Blas.selfTest()
    guard blas.passed else {
        throw Fault(
            .internal, "OpenBLAS (\(blas.core)) computes wrong results on this machine",
            remedy: "set OPENBLAS_CORETYPE, for example to Haswell, and restart")
    }
    return "int8 kernels \(CPU.instructionSet), OpenBLAS core \(blas.core)"
}
