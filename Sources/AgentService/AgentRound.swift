import AgentSession
import DataSets
import Federation
import Kernels
import Learning
import Logging
import Provenance
import Telemetry
import Wire

// One assignment: verify its base model, train with heartbeats, encode, submit or decline.

extension Agent {
    /// Sees that the assignment can be worked on, and keeps what that takes.
    mutating func prepare(_ assignment: RoundAssignment) throws(Setback) {
        status.lastRound = (assignment.plan, assignment.at)
        report(.working)
        let index = try place(of: assignment.plan)
        if plans[index].known?.digest != assignment.planText.digest {
            _ = try adopt(
                PlanStanding(plan: assignment.plan, text: assignment.planText, serving: nil))
        } else {
            plans[index].reopenData()
            reportData(index)
        }
        guard let plan = plans[index].known?.plan, plans[index].examples > 0 else {
            throw .local(
                plans[index].refusal ?? plans[index].dataFault
                    ?? Fault(.notFound, "there is no data for the plan '\(assignment.plan)'"))
        }
        let plannedMiB = plans[index].plannedMiB
        if let fault = conditions.refusal(with: assignment, plannedMiB: plannedMiB) {
            throw .local(fault)
        }
        let base = try verified(assignment.base)
        training = try locally { () throws(Fault) in
            try LocalTraining(assignment, plan: plan, base: base)
        }
        try locally { () throws(Fault) in
            try conditions.recent.take(assignment.plan, assignment.at.round)
        }
    }

    /// Trains, and answers the machine's wishes on the way.
    mutating func train(_ assignment: RoundAssignment) throws(Setback) -> AgentAction {
        report(.training)
        let index = try place(of: assignment.plan)
        guard var work = training.take(), var data = plans[index].data else {
            throw .local(Fault(.internal, "there is nothing prepared to train"))
        }
        // Logs are often collected; what they say of a private plan's data is no more than the coordinator hears.
        let isPrivate = plans[index].isPrivate
        var metadata: Logger.Metadata = [
            "plan": "\(assignment.plan)", "round": "\(assignment.at)",
        ]
        if !isPrivate {
            metadata["examples"] = "\(data.count)"
            metadata["left_out"] = "\(data.unreadable)"
            metadata["of_each_class"] = "\(plans[index].classCounts ?? "-")"
        }
        log.info("training", metadata: metadata)
        let began = clock.now
        defer {
            let seconds = clock.now.seconds(since: began)
            trainedAt = clock.now
            metrics.note { $0.trainingSeconds += seconds }
        }
        var random = random
        var end: EarlyEnd?
        var pace = TrainingPace(percent: limits.cpuPercent)
        shrinkAfterPause()
        do throws(Fault) {
            let report = try work.train(on: &data, random: &random) { fraction in
                noticeMissingOpenBlas()
                let rest = pace.owed
                end = earlyEnd(assignment, at: index, progress: fraction, restSeconds: rest)
                if rest > 0 { pace.resume() }
                return end == nil
            }
            metadata = ["round": "\(assignment.at)"]
            if !isPrivate { metadata["loss"] = "\(report.meanLoss)" }
            log.info("trained", metadata: metadata)
            let examples = UInt64(data.count)
            metrics.note { $0.trainedExamples += examples }
        } catch {
            switch end {
            case .lapsed(let fault): throw .local(fault)
            case .interrupted:
                link.close()
                return machine.interrupted(now: clock.now)
            case .stopped:
                // After a stop of the agent its next run goes on with the assignment.
                if !stop.isRequested { marker.clear() }
                log.info("training stopped early", metadata: ["round": "\(assignment.at)"])
                return machine.trainingStopped(now: clock.now)
            case nil:
                plans[index].closeData(because: error)
                reportData(index)
                throw .local(error)
            }
        }
        training = work
        return machine.trained(now: clock.now)
    }

    /// Sees that what connecting and verifying took is not there at the same time as what training takes; where rounds follow
    /// one another at once, it would soon be back.
    private func shrinkAfterPause() {
        let pause = trainedAt.map { clock.now.seconds(since: $0) } ?? .infinity
        if pause >= Footprint.silenceSeconds { Footprint.shrink() }
    }

    /// Says once that training needs OpenBLAS and does without.
    private mutating func noticeMissingOpenBlas() {
        guard !hasMissedOpenBlas, Blas.isMissing else { return }
        hasMissedOpenBlas = true
        log.warning(
            "training is slow",
            Fault(
                .notFound, "there is no OpenBLAS on this device: matrix products take plain loops",
                remedy: openBlasRemedy))
    }

    /// Why training ends before it is done.
    private enum EarlyEnd {
        /// The device takes no work any more.
        case lapsed(Fault)
        /// The update is not wanted, or the agent is to stop.
        case stopped
        /// The device was paused while the coordinator was being asked, and that was cut short.
        case interrupted
    }

    /// How long training rests without a look at the rules, in seconds.
    private static var longestRestSeconds: Double { 0.5 }

    /// Why training is not to go on, after so much rest; nil when it is. The rules are looked at and heartbeats sent meanwhile.
    private mutating func earlyEnd(
        _ assignment: RoundAssignment, at index: Int, progress: Double, restSeconds: Double
    ) -> EarlyEnd? {
        let end = clock.now.advanced(bySeconds: restSeconds)
        while true {
            heedOwner()
            let plannedMiB = plans[index].plannedMiB
            if let fault = conditions.refusalWhileTraining(plannedMiB: plannedMiB) {
                return .lapsed(fault)
            }
            guard isWanted(assignment, progress: progress) else {
                return conditions.pause == nil ? .stopped : .interrupted
            }
            let left = end.seconds(since: clock.now)
            guard left > 0 else { return nil }
            owner.sleep(seconds: min(left, Self.longestRestSeconds), notifier)
            lookAtOwner()
        }
    }

    /// Whether the update is still wanted; sends a heartbeat or reconnects first when the machine wants it.
    private mutating func isWanted(_ assignment: RoundAssignment, progress: Double) -> Bool {
        if stop.isRequested { return false }
        notifier.alive()
        var step = machine.trainingProgressed(progress, now: clock.now)
        while true {
            switch step {
            case .carryOn: return true
            case .stop: return false
            case .heartbeat(let progress): step = heartbeat(assignment, progress: progress)
            case .reconnect: step = reconnect(progress: progress)
            }
        }
    }

    private mutating func heartbeat(
        _ assignment: RoundAssignment, progress: Double
    ) -> TrainingStep {
        let setback: Setback
        do throws(Setback) {
            // How fast training goes tells how much data there is.
            let isPrivate = plans[try place(of: assignment.plan)].isPrivate
            let answer = try link.exchange(
                .heartbeat(
                    Heartbeat(
                        round: assignment.at.round.number, attempt: assignment.at.attempt,
                        submitToken: assignment.submitToken,
                        progress: isPrivate ? 0 : Float(progress))))
            guard case .heartbeatAck(let ack) = answer else { throw link.unexpected() }
            return machine.heartbeatAnswered(
                wanted: ack.wanted, leaseSeconds: Double(ack.leaseSeconds), now: clock.now)
        } catch { setback = error }
        let isOwners = heedOwner()
        if stop.isRequested { return .stop }
        if isOwners {
            // The owner's word cut the wait for the answer short, and so ended the connection: nothing is wrong with it.
            return conditions.pause == nil ? reconnect(progress: progress) : .stop
        }
        switch setback {
        case .connection(let fault):
            link.close()
            log.warning("heartbeat failed, training goes on", fault)
            return machine.heartbeatFailed(fault, connectionLost: true, now: clock.now)
        case .refusal(let fault), .local(let fault), .model(let fault):
            log.warning("heartbeat refused", fault)
            return machine.heartbeatFailed(fault, connectionLost: false, now: clock.now)
        }
    }

    private mutating func reconnect(progress: Double) -> TrainingStep {
        do throws(Setback) { try link.open(enrolment) } catch {
            if heedOwner(), conditions.pause != nil { return .stop }
            log.debug("cannot reconnect yet", error.fault)
            return machine.reconnectFailed(error.fault, now: clock.now)
        }
        return machine.reconnected(progress: progress, now: clock.now)
    }

    /// Encodes what training changed and persists it before anybody hears of it.
    mutating func encode(_ assignment: RoundAssignment) throws(Setback) -> PendingUpdate {
        guard var work = training.take() else {
            throw .local(Fault(.internal, "there is nothing trained to encode"))
        }
        var random = random
        let update = try locally { () throws(Fault) in
            let (update, bytes, protection) = try work.encode(random: &random)
            try updates.save(update, bytes: bytes)
            keepRecord { () throws(Fault) in try sent.made(update, protection) }
            return update
        }
        marker.clear()
        note(update, verdict: "pending")
        return update
    }

    /// Sends a probe, with which its header leaves, a header or a finish and returns the verdict.
    mutating func submit(_ action: AgentAction) throws(Setback) -> SubmitVerdict {
        report(.submitting)
        let update: PendingUpdate
        let said: Message
        switch action {
        case .probe(let pending):
            update = pending
            said = try link.exchange(
                .submitProbe(SubmitProbe(update)), expecting: .submitHeader(SubmitHeader(update)))
        case .sendHeader(let pending):
            update = pending
            said = try link.answerToNext(.submitHeader(SubmitHeader(update)))
        case .finish(let pending):
            update = pending
            said = try link.exchange(
                .submitFinish(
                    SubmitFinish(round: update.at.round.number, attempt: update.at.attempt)))
        default: throw .local(Fault(.internal, "this action submits nothing"))
        }
        guard case .submitStatus(let answer) = said else { throw link.unexpected() }
        let verdict: SubmitVerdict
        do throws(Fault) { verdict = try SubmitVerdict(answer) } catch { throw .connection(error) }
        settle(update, verdict)
        return verdict
    }

    mutating func sendChunk(
        of update: PendingUpdate, offset: UInt64, count: Int
    ) throws(Setback) {
        let data = try locally { () throws(Fault) in
            try updates.read(update, offset: offset, count: count)
        }
        try link.send(.submitChunk(SubmitChunk(offset: offset, data: data)))
        metrics.note { $0.sentBytes += UInt64(data.count) }
        noteSending(update)
    }

    mutating func decline(_ assignment: RoundAssignment, reason: String) throws(Setback) {
        training = nil
        metrics.note { $0.rounds[.declined, default: 0] += 1 }
        log.notice(
            "assignment declined",
            metadata: ["round": "\(assignment.at)", "reason": "\(reason)"])
        // A reason may quote data or parameters, which a private plan keeps here. So does one that is not known any more.
        let plan = plans.first { $0.id == assignment.plan }
        let reason = plan?.known != nil && plan?.isPrivate == false ? reason : ""
        let answer = try link.exchange(
            .decline(
                Decline(
                    round: assignment.at.round.number, attempt: assignment.at.attempt,
                    submitToken: assignment.submitToken,
                    reason: String(decoding: reason.utf8.prefix(1_000), as: UTF8.self))))
        guard case .declineAck = answer else { throw link.unexpected() }
        marker.clear()
    }
}
