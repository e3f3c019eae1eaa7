import AgentSession
package import Configuration
package import Federation
import Synchronization
package import Telemetry

/// What the daemon has done since its start, for its owner's monitoring: noted by the thread that works, read by the one
/// that answers.
package final class AgentMetrics: Sendable {
    /// What is counted, each from the start of the daemon.
    package struct Values: Sendable {
        package var state = AgentStatus.State.connecting
        package var takesWork = true
        package var plans: [AgentStatus.PlanLine] = []
        package var certificateEndsUnix: Int64 = 0
        /// When a check-in was last answered; nil: never.
        package var lastContactUnix: UInt64?
        /// Rounds that were worked on, by what became of them.
        package var rounds: [Outcome: UInt64] = [:]
        package var setbacks: [Trouble: UInt64] = [:]
        /// Bytes of updates sent, and of plans, models and signatures fetched.
        package var sentBytes: UInt64 = 0
        package var receivedBytes: UInt64 = 0
        package var trainingSeconds = 0.0
        /// Examples that training has gone through, one pass over the data counted once.
        package var trainedExamples: UInt64 = 0
    }

    /// What became of the work for a round.
    package enum Outcome: String, CaseIterable {
        case accepted, rejected, declined
        /// Nobody wanted it any more.
        case unwanted
    }

    /// What went wrong, by where.
    package enum Trouble: String, CaseIterable {
        case connection, refusal, local, model
    }

    private let values = Mutex(Values())

    package init() {}

    /// Notes what has happened.
    package func note(_ change: (inout Values) -> Void) { values.withLock { change(&$0) } }

    /// Every metric of the agent.
    ///
    /// - Parameter conditions: what the owner's rules make of the device now, by subject.
    package func families(conditions: [(subject: String, holds: Bool)]) -> [MetricFamily] {
        let values = values.withLock { $0 }
        return Self.standing(values, conditions) + Self.plans(values.plans) + Self.work(values)
    }

    private static func standing(
        _ values: Values, _ conditions: [(subject: String, holds: Bool)]
    ) -> [MetricFamily] {
        var families: [MetricFamily] = [
            .gauge(
                "tributary_agent_state", "1 at the state that the agent is in.", by: "state",
                AgentStatus.State.allCases.map { ($0.rawValue, $0 == values.state ? 1 : 0) }),
            .gauge(
                "tributary_agent_takes_work",
                "Whether the device took work when it last checked in, by its owner's rules.",
                values.takesWork ? 1 : 0),
            .gauge(
                "tributary_agent_condition_met",
                "Whether each of the owner's rules holds on the device now.", by: "condition",
                conditions.map { ($0.subject, $0.holds ? 1 : 0) }),
            .gauge(
                "tributary_agent_certificate_expiry_timestamp_seconds",
                "The last second of the device's certificate, Unix time.",
                Double(values.certificateEndsUnix)),
            .counter(
                "tributary_agent_setbacks_total",
                "What went wrong: with the connection, by the coordinator's refusal, on this"
                    + " device, with a model.", by: "kind",
                Trouble.allCases.map { ($0.rawValue, values.setbacks[$0] ?? 0) }),
        ]
        var contact = MetricFamily(
            .gauge, "tributary_agent_last_contact_timestamp_seconds",
            "When the coordinator last answered a check-in, Unix time; absent: not yet.")
        if let unix = values.lastContactUnix { contact.add(Double(unix)) }
        families.append(contact)
        return families
    }

    private static func plans(_ plans: [AgentStatus.PlanLine]) -> [MetricFamily] {
        [
            .gauge(
                "tributary_agent_examples", "Examples that the device holds.", by: "plan",
                plans.map { ($0.plan.name, Double($0.examples)) }),
            .gauge(
                "tributary_agent_unreadable_rows", "Rows of its data that do not parse.",
                by: "plan", plans.map { ($0.plan.name, Double($0.unreadable)) }),
            .gauge(
                "tributary_agent_model_version", "The version that the device predicts with.",
                by: "plan",
                plans.compactMap { plan in plan.version.map { (plan.plan.name, Double($0)) } }),
        ]
    }

    private static func work(_ values: Values) -> [MetricFamily] {
        var training = MetricFamily(
            .counter, "tributary_agent_training_seconds_total", "Time spent training.")
        training.add(values.trainingSeconds)
        return [
            .counter(
                "tributary_agent_rounds_total", "Rounds worked on, by what became of the work.",
                by: "outcome",
                Outcome.allCases.map { ($0.rawValue, values.rounds[$0] ?? 0) }),
            training,
            .counter(
                "tributary_agent_trained_examples_total",
                "Examples trained on, once a round however many passes it takes.",
                values.trainedExamples),
            .counter(
                "tributary_agent_sent_bytes_total", "Bytes of updates sent.", values.sentBytes),
            .counter(
                "tributary_agent_received_bytes_total",
                "Bytes of plans, models and signatures fetched.", values.receivedBytes),
        ]
    }
}

extension AgentMetrics {
    /// Answers on this machine's loopback from now on, in a thread of its own.
    ///
    /// - Returns: the port.
    /// - Throws: `unavailable` when the port is taken.
    package func serve(_ configuration: AgentConfiguration, port: Int) throws(Fault) -> Int {
        let directory = StateDirectory(path: configuration.stateDirectory)
        let rules = configuration.participation
        return try MetricsPort.serve(port: port) {
            let conditions = WorkConditions(rules, of: directory).examine()
            let families =
                ProcessMetrics.families(role: "agent", version: softwareVersion)
                + self.families(conditions: conditions.map { ($0.subject, $0.holds) })
            return families.text
        }
    }
}

extension AgentMetrics.Outcome {
    /// Nil: the verdict settles nothing.
    init?(_ verdict: SubmitVerdict) {
        switch verdict {
        case .wanted, .later: return nil
        case .accepted, .duplicate: self = .accepted
        case .gone: self = .unwanted
        case .rejected: self = .rejected
        }
    }
}

extension AgentMetrics.Trouble {
    init(_ setback: Setback) {
        self =
            switch setback {
            case .connection: .connection
            case .refusal: .refusal
            case .local: .local
            case .model: .model
            }
    }
}
