import AgentSession
import Cryptography
import DataSets
import Federation
import Logging
import Telemetry

// What the daemon tells people: the log, and status.json.

extension Setback {
    var fault: Fault {
        switch self {
        case .connection(let fault), .refusal(let fault), .local(let fault), .model(let fault):
            fault
        }
    }
}

extension Logger {
    func warning(_ what: String, _ fault: Fault, _ more: Metadata = [:]) {
        warning("\(what)", metadata: fault.metadata(more))
    }

    func debug(_ what: String, _ fault: Fault) { debug("\(what)", metadata: fault.metadata([:])) }
}

extension Fault {
    fileprivate func metadata(_ more: Logger.Metadata) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["reason": "\(message)"]
        if !remedy.isEmpty { metadata["remedy"] = "\(remedy)" }
        return more.merging(metadata) { old, _ in old }
    }
}

extension Agent {
    /// Writes status.json if anything in it has changed.
    mutating func report(_ state: AgentStatus.State) {
        var next = status
        next.state = state
        next.plans = plans.map { plan in
            AgentStatus.PlanLine(
                plan: plan.id, version: models.version(of: plan.id), examples: plan.examples,
                unreadable: plan.data?.unreadable ?? 0,
                problem: refusedModels[plan.id]?.description ?? plan.problem,
                heldOut: plan.heldOutMeasure)
        }
        status = next
        let certificateEnds = enrolment.certificate.notAfterUnix
        metrics.note {
            $0.state = next.state
            $0.takesWork = next.unavailable == nil
            $0.plans = next.plans
            $0.certificateEndsUnix = certificateEnds
        }
        let members = next.json
        guard members != reported else { return }
        reported = members
        notifier.status(next.line)
        let text = AgentStatus.json(members, unixSeconds: clock.unixSeconds) + "\n"
        do throws(Fault) {
            // Of this run of the agent, and written often: no power cut needs to find it.
            try RewrittenFile.replace(
                directory.statusFile, Array(text.utf8), mode: CredentialFile.publicMode,
                durability: .none)
            try RewrittenFile.replace(
                directory.summaryFile, Array(next.text.utf8), mode: CredentialFile.publicMode,
                durability: .none)
        } catch { log.warning("cannot write the status", error) }
    }

    /// Logs a setback, unless it is the one that keeps coming, and keeps it for the status.
    mutating func describe(_ setback: Setback, during action: AgentAction) {
        let fault = setback.fault
        // What the owner wants is no trouble.
        guard fault != conditions.pause?.fault else { return }
        metrics.note { $0.setbacks[.init(setback), default: 0] += 1 }
        let isNews = trouble.add(fault, now: clock.now, unixSeconds: clock.unixSeconds)
        status.lastError = fault
        status.lastErrorSince = trouble.sinceUnix
        guard isNews else { return log.debug("again: \(action.name)", fault) }
        if trouble.count > 1 {
            log.warning(
                "still the same trouble",
                metadata: [
                    "times": "\(trouble.count)",
                    "since": "\(dateText(Int64(clamping: trouble.sinceUnix)))",
                ])
        }
        let during: Logger.Metadata = ["during": "\(action.name)"]
        switch (setback, fault.code) {
        case (.connection, .forbidden), (.refusal, .forbidden), (.connection, .unauthenticated),
            (.refusal, .unauthenticated):
            log.warning(
                "the coordinator refuses this agent; it keeps asking, rarely", fault, during)
            log.warning(
                "to take part again, get a token from the admin and enroll with --force")
        case (.connection, _): log.warning("no connection", fault, during)
        case (.refusal, _): log.warning("the coordinator refused", fault, during)
        case (.local, _): log.warning("failed", fault, during)
        case (.model, _): log.error("model refused", metadata: fault.metadata(during))
        }
    }

    /// A check-in was answered: whatever went wrong is over.
    mutating func recover() {
        status.lastError = nil
        let now = clock.unixSeconds
        metrics.note { $0.lastContactUnix = now }
        let count = trouble.clear()
        guard count > 1 else { return }
        log.notice("the coordinator answers again", metadata: ["failed_attempts": "\(count)"])
    }

    /// Logs a final verdict and keeps it for the status.
    mutating func settle(_ update: PendingUpdate, _ verdict: SubmitVerdict) {
        isAwaitingAttempt = verdict == .later(seconds: 0)
        let word: String
        switch verdict {
        case .wanted: return
        case .accepted: word = "accepted"
        case .duplicate: word = "duplicate"
        case .gone: word = "gone"
        case .later: word = "put off"
        case .rejected(let reason): word = "rejected: \(reason.rawValue)"
        }
        count(verdict, on: update)
        note(update, verdict: word)
        keepRecord { () throws(Fault) in try sent.settled(update, word) }
        let metadata: Logger.Metadata = [
            "plan": "\(update.plan)", "round": "\(update.at)", "bytes": "\(update.size)",
            "verdict": "\(word)",
        ]
        if case .rejected = verdict {
            log.warning("update settled", metadata: metadata)
        } else {
            log.info("update settled", metadata: metadata)
        }
    }

    /// Counts the first verdict that settles an update: one that is kept is asked for again until its round is sealed.
    private func count(_ verdict: SubmitVerdict, on update: PendingUpdate) {
        let last = status.lastUpdate
        let isSettled =
            last?.plan == update.plan && last?.at == update.at
            && !["pending", "put off"].contains(last?.verdict)
        guard !isSettled, let outcome = AgentMetrics.Outcome(verdict) else { return }
        metrics.note { $0.rounds[outcome, default: 0] += 1 }
    }

    /// Some of the update has left the device.
    func noteSending(_ update: PendingUpdate) {
        guard sent.last(update.plan)?.at != update.at else { return }
        keepRecord { () throws(Fault) in
            try sent.sent(update, to: enrolment.coordinator, unixSeconds: clock.unixSeconds)
        }
    }

    /// A record for the device's owner is no reason to stop working.
    func keepRecord(_ keep: () throws(Fault) -> Void) {
        do throws(Fault) { try keep() } catch { log.warning("cannot note what is sent", error) }
    }

    mutating func note(_ update: PendingUpdate, verdict: String) {
        status.lastUpdate = AgentStatus.Update(
            plan: update.plan, at: update.at, bytes: update.size, verdict: verdict)
    }
}

extension AgentStatus {
    /// The state in a line, for `systemctl status`.
    fileprivate var line: String {
        var line = state.rawValue
        if let lastRound, [.working, .training, .submitting].contains(state) {
            line += " for round \(lastRound.at) of \(lastRound.plan)"
        }
        if let trouble = lastError?.description ?? unavailable { line += ": \(trouble)" }
        return line
    }
}

extension AgentAction {
    /// The action in a log line.
    fileprivate var name: String {
        switch self {
        case .wait: "pause"
        case .connect: "connecting"
        case .checkIn: "check-in"
        case .obtain(let blob): "fetching \(blob.digest)"
        case .updateTrustSet: "updating the trust set"
        case .renewCertificate: "renewing the certificate"
        case .reportRefusal(let model, _): "reporting model \(model.plan) \(model.version)"
        case .adoptPlan(let standing): "adopting plan \(standing.plan)"
        case .adoptModel(let model): "adopting model \(model.plan) \(model.version)"
        case .prepare(let assignment): "preparing round \(assignment.at)"
        case .train(let assignment): "training for round \(assignment.at)"
        case .encode(let assignment): "encoding for round \(assignment.at)"
        case .readdress, .probe, .sendHeader, .sendChunk, .finish: "submitting"
        case .discard: "discarding an update"
        case .decline(let assignment, _): "declining round \(assignment.at)"
        }
    }
}
