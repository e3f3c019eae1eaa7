package import Configuration
import Cryptography
package import Federation
import Glibc
import Provenance
import TLSClient
import Wire

/// Takes a device out of its fleet: its certificate is revoked at the coordinator, and everything of the agent's is erased.
/// The owner's data is neither read nor touched.
package struct Leaving: Sendable {
    /// What came of it.
    package struct Outcome: Sendable, Equatable {
        /// The agent's name; nil when only what an earlier departure left was erased.
        package var agent: String?
        package var fleet: String?
        /// Whether the coordinator has revoked the certificate.
        package var isRevoked: Bool
        /// Until when the certificate would be good if somebody had a copy of it and its key; nil unless it is not revoked.
        package var validUntilUnix: UInt64?
        /// What of the device's is still there: the data directories, and what else is in the state directory.
        package var left: [String]
    }

    private let directory: StateDirectory
    private let data: [String]
    private static let connectSeconds = 15.0
    private static let answerSeconds = 30.0
    /// How long a daemon may take to end; it does within a second.
    private static let daemonSeconds = 20

    package init(_ configuration: AgentConfiguration) {
        directory = StateDirectory(path: configuration.stateDirectory)
        data = configuration.data.map(\.directory)
    }

    /// The identity that would be given up; nil when there is none, but something to erase.
    ///
    /// - Throws: `Fault.notFound` when there is nothing of an agent's.
    package func identity() throws(Fault) -> (agent: String, fleet: String)? {
        try Ownership.checkAccess(to: directory.path)
        guard directory.isEnrolled else {
            guard directory.holdsAnything else {
                throw Fault(
                    .notFound, "this device is in no fleet: \(directory.path) holds nothing",
                    remedy: "check --config, if it should be in one")
            }
            return nil
        }
        let enrolment = try Enrolment(directory)
        return (enrolment.agent, enrolment.trustSet.fleet)
    }

    /// Leaves. Nothing is erased before the coordinator has revoked the certificate; after that, running it again finishes what
    /// was cut short.
    ///
    /// - Parameter offline: erases without telling the coordinator, for which the certificate stays good.
    /// - Throws: `Fault` when the coordinator cannot be told, or something cannot be erased.
    package func perform(offline: Bool) throws(Fault) -> Outcome {
        var outcome = Outcome(isRevoked: false, left: [])
        if let identity = try identity() {
            let enrolment = try Enrolment(directory)
            (outcome.agent, outcome.fleet) = (identity.agent, identity.fleet)
            if offline {
                outcome.validUntilUnix = UInt64(max(0, enrolment.certificate.notAfterUnix))
            } else {
                try revoke(enrolment)
                outcome.isRevoked = true
            }
        }
        try endDaemon()
        let others = (try directory.erase()).map { "\(directory.path)/\($0)" }
        outcome.left = data + others.filter { !data.contains($0) }
        return outcome
    }

    /// A certificate that was revoked before is as good as one that is revoked now.
    private func revoke(_ enrolment: Enrolment) throws(Fault) {
        do throws(Fault) {
            let stream = try TLSConnection.connect(
                host: enrolment.coordinator.host, port: enrolment.coordinator.port,
                trust: .authorities(enrolment.trustSet.authorities),
                identity: (enrolment.certificate, enrolment.key),
                timeoutSeconds: Self.connectSeconds)
            var connection = FramedConnection(stream)
            let answer = try connection.exchange(
                .leaveRequest(LeaveRequest()), timeoutSeconds: Self.answerSeconds)
            guard case .leaveAck = answer else {
                throw Fault(.invalid, "\(enrolment.coordinator) answered with something else")
            }
        } catch  where error.code == .forbidden {
            return
        } catch {
            throw Fault(
                error.code,
                "the coordinator could not be told, so nothing was erased: \(error.message)",
                remedy: "try again later, or erase with --offline; then ask the fleet's admin to"
                    + " revoke \(enrolment.agent)")
        }
    }

    /// Has a running daemon end, and keeps another from starting.
    private func endDaemon() throws(Fault) {
        try directory.prepareControl()
        try CredentialFile.replace(directory.leaveFile, [], mode: CredentialFile.publicMode)
        for _ in 0..<(10 * Self.daemonSeconds) where StateLock.isHeld(directory) {
            usleep(100_000)
        }
        guard !StateLock.isHeld(directory) else {
            throw Fault(
                .conflict, "the daemon in \(directory.path) does not end, so nothing was erased",
                remedy: "stop it (systemctl stop tributary-agentd) and run leave again")
        }
    }
}

extension Leaving.Outcome {
    /// One JSON object.
    package var json: String {
        object([
            ("agent", agent.map(jsonString) ?? "null"), ("fleet", fleet.map(jsonString) ?? "null"),
            ("revoked", isRevoked ? "true" : "false"),
            ("certificate_valid_until_unix", validUntilUnix.map { "\($0)" } ?? "null"),
            ("left", "[" + left.map(jsonString).joined(separator: ",") + "]"),
        ])
    }

    /// The same for people.
    package var text: String {
        var lines: [String] = []
        if let agent, let fleet {
            lines.append("\(agent) has left the fleet \(fleet)")
            if let validUntilUnix {
                lines += [
                    "its certificate stays valid until \(dateText(Int64(clamping: validUntilUnix))):"
                        + " the coordinator was not told",
                    "the fleet's admin can revoke it: tributary-coordinator agent revoke \(agent)"
                        + " --reason left",
                ]
            } else {
                lines.append("its certificate is revoked")
            }
        }
        lines.append("erased: key, certificate, plans, models, updates and records")
        lines.append("left as it was: the configuration" + left.map { ", \($0)" }.joined())
        return lines.joined(separator: "\n") + "\n"
    }
}
