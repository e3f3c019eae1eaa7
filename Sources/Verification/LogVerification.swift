import Federation
package import Provenance

/// Everything that a transparency log can be checked for by itself.
package struct LogVerification: Sendable {
    /// Whom the verifier believes.
    package enum Trust: Sendable {
        /// The log's key, and nothing about the keys that sign models but what the log says.
        case log(LogKey)
        case set(TrustSet)

        var key: LogKey {
            switch self {
            case .log(let key): key
            case .set(let set): set.log
            }
        }
    }

    /// Clocks are set now and then; leaves that go back further are reported, and no failure.
    private static let toleratedSeconds: UInt64 = 60

    private let log: LogLocation
    private let trust: Trust
    /// An older checkpoint's note.
    private let since: [UInt8]?
    private let remembered: RememberedCheckpoint?
    private let witness: WitnessKey?

    /// - Parameters:
    ///   - since: the note of an older checkpoint that the log must go on from.
    ///   - remembered: nil when nothing is kept.
    package init(
        log: LogLocation, trust: Trust, since: [UInt8]? = nil,
        remembered: RememberedCheckpoint?, witness: WitnessKey? = nil
    ) {
        self.log = log
        self.trust = trust
        self.since = since
        self.remembered = remembered
        self.witness = witness
    }

    /// Makes every check.
    package func run() -> VerificationReport {
        var report = VerificationReport()
        guard var reading = LogReading(log, key: trust.key, report: &report) else { return report }
        report.about["checkpoint"] = reading.signed.checkpoint.json
        if let witness { report.makeCosignature(by: witness, on: reading.signed) }
        report.makeConsistency(of: &reading, with: remembered, key: trust.key)
        if let since {
            report.make("since") { () throws(Fault) in
                let older = try SignedCheckpoint(note: since, key: trust.key).checkpoint
                return try reading.checkConsistency(with: older, "the given checkpoint")
            }
        }
        let history = report.find("log") { () throws(Fault) in
            let history = try reading.history()
            return (history, "every leaf and tile agrees with the checkpoint")
        }
        if let history { check(history, &report) }
        if let remembered, report.verdict == .verified {
            report.remember(reading.signed, in: remembered, key: trust.key)
        }
        return report
    }

    private func check(_ history: LogHistory, _ report: inout VerificationReport) {
        report.about["events"] = .object(history.counts.mapValues { .integer(Int64($0)) })
        checkLeaves(history, &report)
        let keys: SigningKeys
        switch trust {
        case .log:
            keys = SigningKeys(history.keyEvents)
            report.add("keys", .skipped, "not checked: give --trust")
        case .set(let set):
            keys = SigningKeys(set, history.keyEvents)
            report.make("keys") { () throws(Fault) in
                try SigningKeys.check(set, against: history)
            }
        }
        for (plan, leaves) in history.models.sorted(by: { $0.key.name < $1.key.name }) {
            report.make("models of \(plan)") { () throws(Fault) in
                let chain = ModelChain(
                    leaves: leaves, keys: keys, migratedAt: history.migratedAt)
                return try chain.check(
                    upTo: leaves.last?.position ?? 0, mayBeDisowned: true)
            }
        }
        checkBudgets(history, &report)
    }

    private func checkLeaves(_ history: LogHistory, _ report: inout VerificationReport) {
        report.make("leaves") { () throws(Fault) in
            if let first = history.malformed.first {
                throw wrong("leaf \(first.position) \(first.what)")
            }
            let kinds = history.counts.sorted { $0.key < $1.key }
            return kinds.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        }
        let (count, most) = history.backwards
        let words =
            most > Self.toleratedSeconds
            ? "\(count) leaves are older than one before them, by up to \(most) s: the"
                + " coordinator's clock was set back"
            : "from Unix time \(history.firstTime ?? 0) to \(history.lastTime)"
        report.add("times", .passed, words)
    }

    private func checkBudgets(_ history: LogHistory, _ report: inout VerificationReport) {
        for population in Set(history.charges.map(\.population)).sorted() {
            report.make("budget of \(population)") { () throws(Fault) in
                let charges = history.charges.filter { $0.population == population }
                return try BudgetArithmetic.check(
                    charges, last: BudgetArithmetic.mostRecomputed)
            }
        }
        report.make("charged rounds") { () throws(Fault) in
            let plans = Set(history.charges.map(\.plan))
            for plan in plans.sorted(by: { $0.name < $1.name }) {
                try BudgetArithmetic.checkRounds(of: plan, in: history)
            }
            return "every round of \(plans.count) private plans was charged before its sum"
        }
    }
}
