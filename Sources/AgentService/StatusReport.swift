package import AgentSession
import Cryptography
package import Federation

/// What the daemon last wrote about itself.
package struct StatusReport: Sendable {
    /// One JSON object: whether a daemon is running, and `status.json`.
    package let json: String
    /// The same for people, a line each.
    package let text: String

    /// - Parameter conditions: what the owner's rules make of the device now.
    /// - Throws: `Fault.notFound` when the device is not enrolled or no daemon has run, `Fault.storage`.
    package init(
        _ directory: StateDirectory, conditions: [Eligibility] = []
    ) throws(Fault) {
        let enrolment = try Enrolment(directory)
        guard fileSize(directory.statusFile) != nil else {
            throw Fault(
                .notFound,
                "agent \(enrolment.agent) is enrolled, but no daemon has run in \(directory.path)",
                remedy: "start tributary-agentd --config FILE")
        }
        func contents(_ file: String) throws(Fault) -> String {
            String(decoding: try CredentialFile.read(file), as: UTF8.self)
        }
        let isRunning = StateLock.isHeld(directory)
        json = object([
            ("running", isRunning ? "true" : "false"),
            ("status", try contents(directory.statusFile).filter { !$0.isNewline }),
            (
                "conditions",
                "["
                    + conditions.map {
                        object([
                            ("subject", jsonString($0.subject)),
                            ("holds", $0.holds ? "true" : "false"),
                            ("detail", jsonString($0.detail)),
                        ])
                    }.joined(separator: ",") + "]"
            ),
        ])
        let lines = conditions.map { condition in
            let padding = String(repeating: " ", count: max(1, 13 - condition.subject.count))
            return condition.subject + padding + (condition.holds ? "" : "NOT NOW: ")
                + condition.detail + "\n"
        }
        text =
            "running      \(isRunning ? "yes" : "no")\n" + (try contents(directory.summaryFile))
            + lines.joined()
    }
}
