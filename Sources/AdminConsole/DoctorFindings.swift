import Federation
package import Wire

/// Every check of a coordinator, made here or by itself, and the TLS version it was asked over.
package struct DoctorFindings: Sendable, Equatable {
    package private(set) var lines: [DoctorLine] = []
    /// Nil until the coordinator has answered.
    package private(set) var tlsVersion: String?

    package init() {}

    package var isHealthy: Bool { lines.allSatisfy(\.ok) }

    /// Adds checks made here.
    package mutating func add(_ checks: [(check: String, ok: Bool, detail: String)]) {
        lines += checks.map { DoctorLine(check: $0.check, ok: $0.ok, detail: $0.detail) }
    }

    /// Connects with the credential in `directory` and adds what the coordinator says of itself, or
    /// why it says nothing.
    package mutating func askCoordinator(directory: String) {
        do throws(Fault) {
            var client = try AdminClient.connect(directory: directory)
            let version = try client.tlsVersion()
            guard case .doctor(let report) = try client.perform(.doctorRun(DoctorRun())) else {
                throw unexpectedAnswer()
            }
            tlsVersion = version
            add([("connection", true, version)])
            lines += report.items
        } catch {
            add([("connection", false, error.description)])
        }
    }

    /// `{"ok", "tls_version", "checks"}`.
    package var json: JSONValue {
        .object([
            ("ok", .bool(isHealthy)), ("tls_version", tlsVersion.map(JSONValue.string) ?? .null),
            ("checks", .array(lines.map(\.json))),
        ])
    }

    /// A line a check.
    package var text: String { doctorText(lines) }
}
