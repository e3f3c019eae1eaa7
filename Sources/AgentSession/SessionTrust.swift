import Federation

// Models that this device refuses, and its certificate: what is remembered of both, so that neither is asked for in vain
// again and again.

/// Why a model was refused.
struct ModelRefusal {
    var fault: Fault
    /// When to look at it again.
    var until: MonotonicInstant
    /// Whether the coordinator was told, as far as it can be.
    var isSettled: Bool
    /// Connections that broke while it was being told.
    var brokenReports = 0
}

extension SessionMemory {
    /// A report that breaks this many connections is not wanted.
    private static let mostBrokenReports = 3

    // MARK: Refused models

    /// The coordinator hears of it first; then the task comes up again, and finds its model refused.
    mutating func modelRefused(
        _ work: SessionState.Performing, because fault: Fault, now: MonotonicInstant
    ) -> Transition {
        guard let model = work.task.model else {
            return outOfOrder("modelRefused", in: .performing(work), now: now)
        }
        let wasSettled = refusals[model]?.isSettled ?? false
        remember(model, fault, isSettled: wasSettled, now: now)
        var agenda = work.agenda
        agenda.tasks.insert(work.task, at: 0)
        if !wasSettled {
            agenda.tasks.removeAll { $0.isReport(of: model) }
            agenda.tasks.insert(.reportRefusal(model, reason: fault.description), at: 0)
        }
        return proceed(agenda, now: now)
    }

    mutating func remember(
        _ model: ModelReference, _ fault: Fault, isSettled: Bool, now: MonotonicInstant
    ) {
        refusals[model] = ModelRefusal(
            fault: fault, until: now.advanced(bySeconds: timing.refusedModelSeconds),
            isSettled: isSettled, brokenReports: refusals[model]?.brokenReports ?? 0)
    }

    /// The refusals still to be told; those of models that the coordinator no longer names are forgotten.
    mutating func reports(
        named serving: [ModelReference], _ next: CheckInAnswer.Next
    ) -> [SessionTask] {
        var named = Set(serving)
        if case .work(let assignment) = next { named.insert(assignment.base) }
        refusals = refusals.filter { !$0.value.isSettled || named.contains($0.key) }
        return refusals.filter { !$0.value.isSettled }
            .sorted { ($0.key.plan.name, $0.key.version) < ($1.key.plan.name, $1.key.version) }
            .map { .reportRefusal($0.key, reason: $0.value.fault.description) }
    }

    /// The connection broke while `task` was at its end of it.
    mutating func broken(off task: SessionTask, now: MonotonicInstant) {
        switch task {
        case .renewCertificate: putOffRenewal(now: now)
        case .reportRefusal(let model, _):
            let count = (refusals[model]?.brokenReports ?? 0) + 1
            refusals[model]?.brokenReports = count
            if count >= Self.mostBrokenReports { refusals[model]?.isSettled = true }
        case .forsake(let assignment, _):
            brokenForsakes += 1
            if brokenForsakes < Self.mostBrokenReports { interrupted = assignment }
        case .submit, .readdress, .discard, .updateTrustSet, .adoptPlan, .adoptModel, .work: break
        }
    }

    // MARK: The certificate

    /// Whether to ask for a new certificate now. One that is no longer due starts the back-off anew.
    mutating func isTimeToRenew(_ answer: CheckInAnswer, now: MonotonicInstant) -> Bool {
        guard answer.renewalIsDue else {
            renewalAfter = nil
            renewals.reset()
            return false
        }
        return renewalAfter.map { now >= $0 } ?? true
    }

    /// Makes renewing the last thing on an agenda, unless it is on it or was tried lately.
    func renewAfter(_ agenda: inout Agenda, now: MonotonicInstant) {
        let isTime = renewalAfter.map { now >= $0 } ?? true
        guard isTime, !agenda.tasks.contains(.renewCertificate) else { return }
        agenda.tasks.append(.renewCertificate)
    }

    /// After an attempt, even one that succeeded: a certificate that is due again at once must not become a loop.
    mutating func putOffRenewal(now: MonotonicInstant) {
        renewalAfter = now.advanced(bySeconds: renewals.next(random: &random))
    }
}

extension SessionTask {
    fileprivate func isReport(of refused: ModelReference) -> Bool {
        if case .reportRefusal(refused, _) = self { true } else { false }
    }
}
