package import Cryptography
import Federation
package import Provenance

/// Everything that a model directory, its signature and proof can be checked for, offline.
package struct ModelVerification: Sendable {
    /// Whom the verifier believes.
    package enum Trust: Sendable {
        /// A signing key, and nothing about the log.
        case key(PublicKey)
        case set(TrustSet)
    }

    private let directory: String
    private let signature: String
    private let proof: String
    private let trust: Trust
    private let log: LogLocation?
    private let remembered: RememberedCheckpoint?
    private let witness: WitnessKey?

    /// - Parameters:
    ///   - directory: the model's.
    ///   - signature: the bundle's file.
    ///   - proof: the log proof's file.
    ///   - log: nil when there is none to read.
    ///   - remembered: nil when nothing is kept, as with a bare key.
    package init(
        directory: String, signature: String, proof: String, trust: Trust, log: LogLocation?,
        remembered: RememberedCheckpoint?, witness: WitnessKey? = nil
    ) {
        self.directory = directory
        self.signature = signature
        self.proof = proof
        self.trust = trust
        self.log = log
        self.remembered = remembered
        self.witness = witness
    }

    /// The checks that only a whole log allows.
    private static let logChecks = ["parent chain", "budget", "provenance in the log"]
    /// The checks that a bare key does not allow.
    private static let trustChecks = [
        "proof", "checkpoint signature", "inclusion", "leaf", "signing key", "consistency",
    ]

    /// Makes every check that can be made.
    package func run() -> VerificationReport {
        var report = VerificationReport()
        report.about["model"] = .null
        report.about["key"] = .null
        let keys: [PublicKey]
        switch trust {
        case .key(let key): keys = [key]
        case .set(let set): keys = set.publicModelKeys
        }
        let signed = report.find("signature") { () throws(Fault) in
            let bundle = try CredentialFile.read(signature)
            let signed = try ModelSignature.verify(bundle: bundle, trusted: keys)
            let hint = ModelSignature.keyHint(of: signed.signer)
            return (signed, "signed as '\(signed.name)' by the trusted key \(hint)")
        }
        guard let signed else { return report }
        report.about["model"] = .text(signed.name)
        report.about["key"] = .text(ModelSignature.keyHint(of: signed.signer).hex)
        DirectoryCheck.compare(directory, with: signed, report: &report)
        switch trust {
        case .key:
            for name in Self.trustChecks + Self.logChecks {
                report.add(name, .skipped, "not checked: give --trust instead of --key")
            }
        case .set(let set): checkLog(signed, set, &report)
        }
        return report
    }

    private func checkLog(
        _ signed: SignedModel, _ trust: TrustSet, _ report: inout VerificationReport
    ) {
        let proof: [UInt8]
        do throws(Fault) { proof = try CredentialFile.read(self.proof) } catch {
            report.miss("proof", error)
            return
        }
        guard
            let model = LoggedModel.verify(signed, proof: proof, trust: trust, report: &report)
        else { return }
        describe(model, &report)
        let stated = ModelDocuments(directory: directory, model: model)
            .check(fleet: trust.fleet, report: &report)
        var newest = model.checkpoint
        if let log {
            guard var reading = LogReading(log, key: trust.log, report: &report) else { return }
            if reading.signed.checkpoint.size >= newest.checkpoint.size { newest = reading.signed }
            checkConsistency(of: model, trust, with: &reading, &report)
            checkHistory(of: model, stated, trust, in: &reading, &report)
        } else {
            for name in Self.logChecks {
                report.add(
                    name, .skipped,
                    "not checked: no log given; --log takes its directory or http:// URL")
            }
            checkConsistency(of: model, trust, &report)
        }
        if let witness { report.makeCosignature(by: witness, on: newest) }
        remember(newest, trust, &report)
    }

    private func describe(_ model: LoggedModel, _ report: inout VerificationReport) {
        report.about["plan"] = .text(model.plan.name)
        report.about["version"] = .integer(Int64(clamping: model.version))
        report.about["round"] = .integer(Int64(clamping: model.round))
        report.about["position"] = .integer(Int64(clamping: model.position))
        report.about["model_digest"] = .text(model.model.hex)
        report.about["checkpoint"] = model.checkpoint.checkpoint.json
    }

    /// Without a log: the proof's checkpoint against the one last seen.
    private func checkConsistency(
        of model: LoggedModel, _ trust: TrustSet, _ report: inout VerificationReport
    ) {
        guard let remembered else { return }
        report.make("consistency") { () throws(Fault) in
            let newest = model.checkpoint.checkpoint
            guard let seen = try remembered.load(key: trust.log)?.checkpoint else {
                return "the first checkpoint seen of this log"
            }
            guard seen.size == newest.size else {
                throw Fault(
                    .unavailable,
                    "the proof's checkpoint has \(newest.size) leaves and the one last seen"
                        + " \(seen.size), and only the log shows that they are of one log",
                    remedy: "give the log's directory or http:// URL with --log")
            }
            guard seen == newest else {
                throw wrong(
                    "the log is forked: \(seen.size) leaves had another root when last seen")
            }
            return "the checkpoint last seen, \(seen.size) leaves"
        }
    }

    /// With a log: it must go on from the checkpoint last seen, and from the proof's.
    private func checkConsistency(
        of model: LoggedModel, _ trust: TrustSet, with reading: inout LogReading,
        _ report: inout VerificationReport
    ) {
        report.makeConsistency(of: &reading, with: remembered, key: trust.log)
        report.make("consistency with the proof") { () throws(Fault) in
            let proven = model.checkpoint.checkpoint
            guard proven.size <= reading.signed.checkpoint.size else {
                throw Fault(
                    .unavailable,
                    "the log given has \(reading.signed.checkpoint.size) leaves, fewer than the"
                        + " \(proven.size) of the proof's checkpoint",
                    remedy: "give the log as it is now with --log")
            }
            return try reading.checkConsistency(with: proven, "the proof's checkpoint")
        }
    }

    private func checkHistory(
        of model: LoggedModel, _ stated: StatedProvenance?, _ trust: TrustSet,
        in reading: inout LogReading, _ report: inout VerificationReport
    ) {
        guard model.position < reading.signed.checkpoint.size else {
            for name in Self.logChecks {
                report.add(name, .skipped, "not checked: the log given ends before the model")
            }
            return
        }
        let read = report.find("log") { () throws(Fault) in
            let history = try reading.history()
            return (history, "every leaf and tile agrees with the checkpoint")
        }
        guard let history = read else { return }
        report.make("parent chain") { () throws(Fault) in
            let chain = ModelChain(
                leaves: history.models[model.plan] ?? [],
                keys: SigningKeys(trust, history.keyEvents), migratedAt: history.migratedAt)
            return try chain.check(upTo: model.position)
        }
        report.make("budget") { () throws(Fault) in
            try budget(of: model, stated, history)
        }
        if let stated {
            report.make("provenance in the log") { () throws(Fault) in
                let privacy = StatedPrivacy(stated: stated, model: model, history: history)
                return try privacy.check()
            }
        }
    }

    private func budget(
        of model: LoggedModel, _ stated: StatedProvenance?, _ history: LogHistory
    ) throws(Fault) -> String {
        try BudgetArithmetic.checkRounds(of: model.plan, in: history, before: model.position)
        let before = history.charges.filter { $0.position < model.position }
        let own = before.last { $0.plan == model.plan }
        guard let population = own?.population ?? stated?.population else {
            return "no round of \(model.plan) was charged"
        }
        let charges = before.filter { $0.population == population }
        return "\(population): " + (try BudgetArithmetic.check(charges, last: 1))
    }

    private func remember(
        _ newest: SignedCheckpoint, _ trust: TrustSet, _ report: inout VerificationReport
    ) {
        guard let remembered, report.verdict == .verified else { return }
        report.remember(newest, in: remembered, key: trust.log)
    }
}
