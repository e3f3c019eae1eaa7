package import Configuration
import Cryptography
import Federation
import Glibc
import Provenance
import TLSClient

/// Looks for whatever keeps a device from taking part, and says what to do about each find.
package struct Doctor {
    package struct Finding: Sendable, Equatable {
        package let check: String
        package let passed: Bool
        /// What was found and, when it did not pass, what to do.
        package let detail: String

        package init(check: String, passed: Bool, detail: String) {
            self.check = check
            self.passed = passed
            self.detail = detail
        }

        /// A line for people.
        package var text: String { "\(passed ? "OK  " : "FAIL") \(check): \(detail)" }

        fileprivate var json: String {
            object([
                ("check", jsonString(check)), ("ok", passed ? "true" : "false"),
                ("detail", jsonString(detail)),
            ])
        }
    }

    /// What `doctor --json` prints, in the form of the coordinator's: whether every check passed, and each.
    package static func json(_ findings: [Finding]) -> String {
        object([
            ("ok", findings.allSatisfy(\.passed) ? "true" : "false"),
            ("checks", "[" + findings.map(\.json).joined(separator: ",") + "]"),
        ])
    }

    let configuration: AgentConfiguration
    let directory: StateDirectory
    let clock = SystemClock()
    let probe: DeviceProbe

    package init(_ configuration: AgentConfiguration, probe: DeviceProbe = DeviceProbe()) {
        self.configuration = configuration
        self.probe = probe
        directory = StateDirectory(path: configuration.stateDirectory)
    }

    /// Every check, in the order in which a device needs what they look at. It changes nothing.
    package func examine() -> [Finding] {
        var findings = [stateDirectory(), permissions(), disk(), daemon()].compactMap(\.self)
        do throws(Fault) {
            let enrolment = try Enrolment(directory)
            findings += [
                Finding(
                    check: "enrolment", passed: true,
                    detail: "agent \(enrolment.agent) of fleet \(enrolment.trustSet.fleet)"),
                certificate(enrolment), log(),
            ]
            findings += connection(enrolment) + models(enrolment)
        } catch { findings.append(failed("enrolment", error)) }
        findings += data() + participation() + [limits(), algebra(), processor()]
        if let port = configuration.metricsPort { findings.append(metrics(port)) }
        return findings
    }

    func failed(_ check: String, _ fault: Fault) -> Finding {
        Finding(check: check, passed: false, detail: fault.description)
    }

    private func stateDirectory() -> Finding {
        let check = "state directory"
        do throws(Fault) { try directory.check() } catch { return failed(check, error) }
        return Finding(check: check, passed: true, detail: directory.path)
    }

    /// Whether the key is its owner's alone, and everything the daemon's that runs as the directory's owner; nil without a
    /// directory.
    private func permissions() -> Finding? {
        let check = "permissions"
        var folder = stat()
        guard stat(directory.path, &folder) == 0 else { return nil }
        guard folder.st_mode & 0o022 == 0 else {
            return Finding(
                check: check, passed: false,
                detail: "others may write in \(directory.path); run chmod 700 on it")
        }
        for name in names(in: directory.path) {
            let file = "\(directory.path)/\(name)"
            var status = stat()
            guard lstat(file, &status) == 0 else { continue }
            if status.st_uid != folder.st_uid {
                let owner = userName(folder.st_uid)
                return Finding(
                    check: check, passed: false,
                    detail: "\(file) belongs to \(userName(status.st_uid)), its directory to"
                        + " \(owner), as whom the agent runs; run chown -R \(owner) on"
                        + " \(directory.path)")
            }
            if [directory.keyFile, directory.nextKeyFile].contains(file),
                status.st_mode & 0o077 != 0
            {
                return Finding(
                    check: check, passed: false,
                    detail: "\(file) can be read by others; run chmod 600 on it")
            }
        }
        return Finding(
            check: check, passed: true,
            detail: "everything belongs to \(userName(folder.st_uid)), the key to nobody else")
    }

    private func userName(_ user: uid_t) -> String {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "user \(user)"
    }

    /// With less, MiB, fetching a model or keeping an update is likely to fail.
    private static let leastFreeMiB: UInt64 = 16

    /// Nil without a directory.
    private func disk() -> Finding? {
        var status = statvfs()
        guard statvfs(directory.path, &status) == 0 else { return nil }
        let free = (UInt64(status.f_bavail) * UInt64(status.f_frsize)) >> 20
        let isReadOnly = status.f_flag & UInt(ST_RDONLY) != 0
        let isEnough = free >= Self.leastFreeMiB
        var detail = "\(free) MiB free for models and updates"
        if !isEnough { detail += "; free some space: \(Self.leastFreeMiB) MiB are to be free" }
        if isReadOnly { detail = "the file system is mounted read-only; mount it for writing" }
        return Finding(check: "disk", passed: isEnough && !isReadOnly, detail: detail)
    }

    /// Whether a daemon runs is no failure: this may be asked before the first start.
    private func daemon() -> Finding {
        let runs = StateLock.isHeld(directory)
        return Finding(
            check: "daemon", passed: true,
            detail: runs
                ? "tributary-agentd is running"
                : "not running; start it with `systemctl enable --now tributary-agentd`, or"
                    + " tributary-agentd --config FILE")
    }

    private static let metricsSeconds = 5.0

    private func metrics(_ port: Int) -> Finding {
        let check = "metrics"
        guard StateLock.isHeld(directory), port > 0 else {
            let detail =
                port > 0
                ? "http://127.0.0.1:\(port)/metrics, once the daemon runs"
                : "on a port that the daemon's log tells"
            return Finding(check: check, passed: true, detail: detail)
        }
        let address = NetworkAddress(host: "127.0.0.1", port: UInt16(clamping: port))
        do throws(Fault) {
            let status = try HTTPProbe.status(
                of: "/metrics", at: address, timeoutSeconds: Self.metricsSeconds)
            guard status == 200 else {
                throw Fault(
                    .unavailable, "http://\(address)/metrics answers with status \(status)",
                    remedy: "set another port in [metrics], and restart the agent")
            }
            return Finding(
                check: check, passed: true, detail: "http://\(address)/metrics answers")
        } catch { return failed(check, error) }
    }
}
