import Cryptography
import Federation
import TLSClient
package import Wire

/// Every check of a coordinator, made here or by itself, and the TLS version it was asked over.
package struct DoctorFindings: Sendable, Equatable {
    package private(set) var lines: [DoctorLine] = []
    /// Nil until the coordinator has answered.
    package private(set) var tlsVersion: String?

    private static let connectSeconds = 10.0
    private static let probeSeconds = 5.0
    /// What the coordinator itself calls the line about its dashboard.
    private static let dashboardCheck = "dashboard"

    package init() {}

    package var isHealthy: Bool { lines.allSatisfy(\.ok) }

    /// Adds checks made here.
    package mutating func add(_ checks: [(check: String, ok: Bool, detail: String)]) {
        lines += checks.map { DoctorLine(check: $0.check, ok: $0.ok, detail: $0.detail) }
    }

    /// Connects with the credential in `directory` and adds what the coordinator says of itself, or
    /// at which step of the way to it something is wrong.
    package mutating func askCoordinator(directory: String) {
        let credential: AdminCredential
        do throws(Fault) { credential = try AdminCredential(directory: directory) } catch {
            return add([("connection", false, error.description)])
        }
        var version: String?
        var report: DoctorReport?
        let examination = ConnectionExamination(
            of: credential.address, trust: .authorities(credential.authorities),
            identity: (credential.certificate, credential.key),
            timeoutSeconds: Self.connectSeconds, last: "connection"
        ) { stream throws(Fault) in
            let spoken = stream.tlsVersion
            var client = AdminClient(stream)
            guard case .doctor(let found) = try client.perform(.doctorRun(DoctorRun())) else {
                throw unexpectedAnswer()
            }
            (version, report) = (spoken, found)
            return spoken
        }
        add(examination.findings.map { ($0.check, $0.passed, $0.detail) })
        tlsVersion = version
        lines += report?.items ?? []
    }

    /// Where the dashboard answers; nil: there is none, or nobody could say.
    package var dashboard: String? {
        guard let line = lines.last(where: { $0.check == Self.dashboardCheck }), line.ok else {
            return nil
        }
        return line.detail.split(separator: " ").first {
            $0.hasPrefix("http://") || $0.hasPrefix("https://")
        }.map(String.init)
    }

    /// On the coordinator's own machine: whether its metrics can be read where the dashboard is.
    package mutating func probeMetrics() {
        let plain = "http://"
        guard let dashboard, dashboard.hasPrefix(plain) else { return }
        let host = dashboard.dropFirst(plain.count).prefix { $0 != "/" }
        do throws(Fault) {
            let address = try NetworkAddress(parsing: String(host))
            let status = try HTTPProbe.status(
                of: "/metrics", at: address, timeoutSeconds: Self.probeSeconds)
            // With a token they are for who has it.
            guard [200, 401].contains(status) else {
                throw Fault(
                    .unavailable, "http://\(address)/metrics answers with status \(status)",
                    remedy: "look into the coordinator's log")
            }
            let who = status == 401 ? ", to whoever shows the token of [dashboard]" : ""
            add([("metrics", true, "http://\(address)/metrics answers\(who)")])
        } catch { add([("metrics", false, error.description)]) }
    }

    /// `{"ok", "tls_version", "checks", "dashboard"}`.
    package var json: JSONValue {
        .object([
            ("ok", .bool(isHealthy)), ("tls_version", tlsVersion.map(JSONValue.string) ?? .null),
            ("checks", .array(lines.map(\.json))),
            ("dashboard", dashboard.map(JSONValue.string) ?? .null),
        ])
    }

    /// A line a check.
    package var text: String { doctorText(lines) }
}
