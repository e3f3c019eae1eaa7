package import AgentSession
import Cryptography
package import Federation

/// What a device made of its training and sent for one plan, for the device's owner: nothing of it leaves the device.
package struct SentUpdate: Sendable, Equatable {
    /// What keeps an update from telling much of the data.
    package struct Protection: Sendable, Equatable {
        /// The L2 norm of the change that training made, in parameter units.
        package var norm: Double
        /// What a larger norm is scaled down to, before anything leaves the device.
        package var clippingNorm: Double
        /// The standard deviation of the noise that this device added to each element, in parameter units; 0: none.
        package var ownNoise: Double
        /// The noise that the coordinator adds to the sum of a round's updates, over the clipping norm; infinite where only it
        /// knows; nil: it adds none.
        package var addedNoiseMultiplier: Double?
        /// The epsilon for which the coordinator finds that noise, where the plan says so.
        package var targetEpsilon: Double?

        package init(
            norm: Double, clippingNorm: Double, ownNoise: Double, addedNoiseMultiplier: Double?,
            targetEpsilon: Double? = nil
        ) {
            self.norm = norm
            self.clippingNorm = clippingNorm
            self.ownNoise = ownNoise
            self.addedNoiseMultiplier = addedNoiseMultiplier
            self.targetEpsilon = targetEpsilon
        }
    }

    package var plan: PlanID
    package var at: RoundAttempt
    /// Of the packed update.
    package var bytes: UInt64
    package var protection: Protection
    /// When it began to leave, in seconds since 1970; nil: it has not left.
    package var sentUnix: UInt64?
    /// Whom it was sent to, `host:port`; empty: nobody yet.
    package var coordinator = ""
    /// What the coordinator said of it; `pending`: nothing final yet.
    package var verdict = "pending"
    /// Updates of this plan that have left the device since it enrolled, and their bytes.
    package var count: UInt64 = 0
    package var totalBytes: UInt64 = 0

    package init(plan: PlanID, at: RoundAttempt, bytes: UInt64, protection: Protection) {
        self.plan = plan
        self.at = at
        self.bytes = bytes
        self.protection = protection
    }
}

/// The last update of each plan: `sent/<plan>.made` is the one at hand, `sent/<plan>.sent` the last of which bytes have left.
package struct SentUpdates: Sendable {
    private let directory: String

    /// - Parameter directory: exists and is this type's alone.
    package init(directory: String) { self.directory = directory }

    /// Notes an update that was just made.
    package func made(
        _ update: PendingUpdate, _ protection: SentUpdate.Protection
    ) throws(Fault) {
        try write(
            SentUpdate(
                plan: update.plan, at: update.at, bytes: update.size, protection: protection),
            file(update.plan, "made"))
    }

    /// Notes that it leaves the device.
    package func sent(
        _ update: PendingUpdate, to coordinator: NetworkAddress, unixSeconds: UInt64
    ) throws(Fault) {
        let before = last(update.plan)
        let made = read(file(update.plan, "made"), update.plan)
        guard var record = made?.at.round == update.at.round ? made : before else { return }
        // Sending the rest of the same bytes again is no second update.
        let isNew = before?.at.round != update.at.round
        record.count = (before?.count ?? 0) + (isNew ? 1 : 0)
        record.totalBytes = (before?.totalBytes ?? 0) + (isNew ? update.size : 0)
        record.at = update.at
        record.sentUnix = unixSeconds
        record.coordinator = "\(coordinator)"
        try write(record, file(update.plan, "sent"))
    }

    /// Notes what the coordinator said of it at last.
    package func settled(_ update: PendingUpdate, _ verdict: String) throws(Fault) {
        guard var record = last(update.plan), record.at.round == update.at.round,
            record.verdict != verdict
        else { return }
        record.verdict = verdict
        try write(record, file(update.plan, "sent"))
    }

    /// The last update of `plan` that has left; nil when none has.
    package func last(_ plan: PlanID) -> SentUpdate? { read(file(plan, "sent"), plan) }

    /// The update of `plan` that was made last.
    package func lastMade(_ plan: PlanID) -> SentUpdate? { read(file(plan, "made"), plan) }

    private func file(_ plan: PlanID, _ suffix: String) -> String {
        "\(directory)/\(plan).\(suffix)"
    }

    /// A line a member: its name, a space and its value.
    private func write(_ record: SentUpdate, _ path: String) throws(Fault) {
        var lines = [
            ("round", "\(record.at.round.number)"), ("attempt", "\(record.at.attempt)"),
            ("bytes", "\(record.bytes)"), ("norm", "\(record.protection.norm)"),
            ("clipping_norm", "\(record.protection.clippingNorm)"),
            ("own_noise", "\(record.protection.ownNoise)"), ("coordinator", record.coordinator),
            ("verdict", record.verdict), ("count", "\(record.count)"),
            ("total_bytes", "\(record.totalBytes)"),
        ]
        if let multiplier = record.protection.addedNoiseMultiplier {
            lines.append(("added_noise_multiplier", "\(multiplier)"))
        }
        if let target = record.protection.targetEpsilon {
            lines.append(("target_epsilon", "\(target)"))
        }
        if let sent = record.sentUnix { lines.append(("sent_unix", "\(sent)")) }
        let text = lines.map { "\($0.0) \($0.1)\n" }.joined()
        // What a power cut takes is a line of a report.
        try RewrittenFile.replace(
            path, Array(text.utf8), mode: CredentialFile.secretMode, durability: .none)
    }

    /// Nil for a record that is not there or damaged.
    private func read(_ path: String, _ plan: PlanID) -> SentUpdate? {
        guard fileSize(path) != nil, let bytes = try? CredentialFile.read(path) else { return nil }
        var members: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            members[String(words[0])] = words.count > 1 ? String(words[1]) : ""
        }
        func number(_ name: String) -> Double? { members[name].flatMap { Double($0) } }
        func whole(_ name: String) -> UInt64? { members[name].flatMap { UInt64($0) } }
        guard let round = whole("round"), let attempt = members["attempt"].flatMap({ UInt32($0) }),
            let size = whole("bytes"), let norm = number("norm"),
            let clippingNorm = number("clipping_norm"), let ownNoise = number("own_noise")
        else { return nil }
        var record = SentUpdate(
            plan: plan, at: RoundAttempt(round: RoundID(round), attempt: attempt), bytes: size,
            protection: SentUpdate.Protection(
                norm: norm, clippingNorm: clippingNorm, ownNoise: ownNoise,
                addedNoiseMultiplier: number("added_noise_multiplier"),
                targetEpsilon: number("target_epsilon")))
        record.sentUnix = whole("sent_unix")
        record.coordinator = members["coordinator"] ?? ""
        record.verdict = members["verdict"] ?? ""
        record.count = whole("count") ?? 0
        record.totalBytes = whole("total_bytes") ?? 0
        return record
    }
}
