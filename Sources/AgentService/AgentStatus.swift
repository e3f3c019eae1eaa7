package import Federation

/// What the daemon says about itself, for `tributary-agent status` and for other programs: `status.json`.
package struct AgentStatus: Sendable {
    package enum State: String, Sendable, CaseIterable {
        case connecting, idle, working, training, submitting, retrying, paused, stopped
    }

    package struct PlanLine: Sendable, Equatable {
        package var plan: PlanID
        /// The version held to predict with.
        package var version: UInt64?
        package var examples: Int
        /// Rows that did not parse.
        package var unreadable: Int
        /// Why the newest model is refused, why there are no examples, or the first row left out.
        package var problem: String?
        /// How the newest version that was measured does on examples held out.
        package var heldOut: HeldOutMeasure?

        package init(
            plan: PlanID, version: UInt64?, examples: Int, unreadable: Int, problem: String?,
            heldOut: HeldOutMeasure? = nil
        ) {
            self.plan = plan
            self.version = version
            self.examples = examples
            self.unreadable = unreadable
            self.problem = problem
            self.heldOut = heldOut
        }
    }

    package struct Update: Sendable, Equatable {
        package var plan: PlanID
        package var at: RoundAttempt
        package var bytes: UInt64
        /// `pending` until the coordinator has said something final.
        package var verdict: String

        package init(plan: PlanID, at: RoundAttempt, bytes: UInt64, verdict: String) {
            self.plan = plan
            self.at = at
            self.bytes = bytes
            self.verdict = verdict
        }
    }

    package var state = State.connecting
    package var coordinator: NetworkAddress
    package var agent: String
    package var fleet: String
    package var plans: [PlanLine] = []
    /// The last assignment taken up.
    package var lastRound: (plan: PlanID, at: RoundAttempt)?
    package var lastUpdate: Update?
    /// Why the device takes no work now, by its owner's rules.
    package var unavailable: String?
    /// What went wrong since the last check-in that was answered.
    package var lastError: Fault?
    /// When that came first, in seconds since 1970.
    package var lastErrorSince: UInt64 = 0

    package init(coordinator: NetworkAddress, agent: String, fleet: String) {
        self.coordinator = coordinator
        self.agent = agent
        self.fleet = fleet
    }

    /// One JSON object.
    package func json(unixSeconds: UInt64) -> String {
        AgentStatus.json(json, unixSeconds: unixSeconds)
    }

    /// The same of what is in `json`.
    static func json(_ members: String, unixSeconds: UInt64) -> String {
        members.dropLast() + ",\(jsonString("updated_unix")):\(unixSeconds)}"
    }

    /// The object without its time.
    var json: String {
        object([
            ("state", jsonString(state.rawValue)),
            ("coordinator", jsonString(coordinator.description)),
            ("agent", jsonString(agent)),
            ("fleet", jsonString(fleet)),
            ("agent_version", jsonString(softwareVersion)),
            ("plans", "[" + plans.map(json).joined(separator: ",") + "]"),
            ("last_round", lastRound.map { json($0.plan, $0.at, []) } ?? "null"),
            (
                "last_update",
                lastUpdate.map {
                    json(
                        $0.plan, $0.at,
                        [("bytes", String($0.bytes)), ("verdict", jsonString($0.verdict))])
                } ?? "null"
            ),
            ("unavailable", unavailable.map(jsonString) ?? "null"),
            (
                "last_error",
                lastError.map {
                    object([
                        ("code", jsonString($0.code.rawValue)),
                        ("message", jsonString($0.message)), ("remedy", jsonString($0.remedy)),
                        ("since_unix", String(lastErrorSince)),
                    ])
                } ?? "null"
            ),
        ])
    }

    /// A line each, for people.
    package var text: String {
        var lines = [
            "state        \(state.rawValue)", "agent        \(agent) of fleet \(fleet)",
            "coordinator  \(coordinator)",
        ]
        for plan in plans {
            let version = plan.version.map { "model version \($0)" } ?? "no model yet"
            lines.append(
                "plan         \(plan.plan): \(version), \(counted(plan.examples, "example"))")
            if plan.unreadable > 0 { lines[lines.count - 1] += ", \(plan.unreadable) unreadable" }
            if let heldOut = plan.heldOut {
                lines.append(
                    "             version \(heldOut.version) on \(heldOut.examples) examples held out:"
                        + " accuracy \(heldOut.accuracy)")
            }
            if let problem = plan.problem { lines.append("             \(problem)") }
        }
        if let lastRound { lines.append("last round   \(lastRound.at) of \(lastRound.plan)") }
        if let lastUpdate {
            lines.append("last update  \(byteCount(lastUpdate.bytes)), \(lastUpdate.verdict)")
        }
        if let unavailable { lines.append("unavailable  \(unavailable)") }
        if let lastError {
            lines.append(
                "last error   \(lastError), since \(dateText(Int64(clamping: lastErrorSince)))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func json(_ line: PlanLine) -> String {
        object([
            ("plan", jsonString(line.plan.name)),
            ("model_version", line.version.map { String($0) } ?? "null"),
            ("examples", String(line.examples)),
            ("unreadable", String(line.unreadable)),
            ("problem", line.problem.map(jsonString) ?? "null"),
            ("held_out", line.heldOut.map(json) ?? "null"),
        ])
    }

    private func json(_ measure: HeldOutMeasure) -> String {
        object([
            ("model_version", String(measure.version)), ("examples", String(measure.examples)),
            ("accuracy", "\(measure.accuracy)"),
        ])
    }

    private func json(
        _ plan: PlanID, _ at: RoundAttempt, _ more: [(String, String)]
    ) -> String {
        object(
            [
                ("plan", jsonString(plan.name)), ("round", String(at.round.number)),
                ("attempt", String(at.attempt)),
            ] + more)
    }
}

/// A JSON object of members whose values are JSON already.
func object(_ members: [(String, String)]) -> String {
    "{" + members.map { "\(jsonString($0)):\($1)" }.joined(separator: ",") + "}"
}

/// What a command prints with `--json` when it fails.
package func faultDocument(_ fault: Fault) -> String {
    object([
        (
            "error",
            object([
                ("code", jsonString(fault.code.rawValue)), ("message", jsonString(fault.message)),
                ("remedy", jsonString(fault.remedy)),
            ])
        )
    ])
}
