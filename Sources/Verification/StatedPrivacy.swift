import Federation
import Privacy
import Provenance

/// Compares what a provenance.json says with the log's leaves before the model's.
struct StatedPrivacy {
    let stated: StatedProvenance
    let model: LoggedModel
    let history: LogHistory

    /// Another plan on the same population may be charged while a version is sealed; this many
    /// charges are tried.
    private static let mostConcurrent = 16

    /// Checks the plan's text, the round's commitments and the privacy numbers.
    ///
    /// - Throws: `Fault.untrusted` naming what differs.
    func check() throws(Fault) -> String {
        let texts = (history.plans[model.plan] ?? []).filter { $0.position < model.position }
        guard texts.contains(where: { $0.digest == stated.planDigest }) else {
            throw wrong("no leaf before the model's applies a plan of digest \(stated.planDigest)")
        }
        if let round = stated.round { try checkRound(round) }
        guard let privacy = stated.privacy else {
            guard ownCharge == nil else {
                throw wrong("the log charges its round, and it claims to be without privacy")
            }
            return "plan and round are the log's; without privacy"
        }
        try check(privacy)
        return "epsilon \(privacy.epsilon) at delta \(privacy.delta) follows from the log's charges"
    }

    private func checkRound(_ round: RoundAttempt) throws(Fault) {
        let sealed = history.sealedRounds.last {
            $0.plan == model.plan && $0.at == round && $0.position < model.position
        }
        guard let sealed else { throw wrong("no leaf before the model's seals round \(round)") }
        guard sealed.updates == stated.updates?.root, sealed.capacity == stated.updates?.capacity
        else { throw wrong("leaf \(sealed.position) commits to other updates of round \(round)") }
    }

    /// Of the round that made the version.
    private var ownCharge: BudgetCharge? {
        history.charges.last {
            $0.plan == model.plan && $0.at == stated.round && $0.position < model.position
        }
    }

    private func check(_ privacy: StatedProvenance.Privacy) throws(Fault) {
        let charges = history.charges.filter {
            $0.population == stated.population && $0.position < model.position
        }
        var least = max(0, charges.count - Self.mostConcurrent)
        if stated.round != nil {
            guard let own = ownCharge, own.population == stated.population else {
                throw wrong("it claims privacy, and the log does not charge its round")
            }
            guard own.charge.noiseMultiplier == privacy.noiseMultiplier,
                own.charge.samplingRate == privacy.samplingRate, own.delta == privacy.delta
            else { throw wrong("its noise, sampling or delta is not that of leaf \(own.position)") }
            least = (charges.firstIndex { $0.position == own.position } ?? 0) + 1
        }
        for count in (least...max(least, charges.count)).reversed().prefix(Self.mostConcurrent + 1)
        {
            let before = charges.prefix(count)
            let last = before.last?.position ?? 0
            let rounds = history.charges.count { $0.plan == model.plan && $0.position <= last }
            guard UInt64(rounds) == privacy.rounds else { continue }
            let counts = before.reduce(into: [PrivacyCharge: Int]()) {
                $0[$1.charge, default: 0] += 1
            }
            let follows = BudgetArithmetic.epsilon(of: counts, delta: privacy.delta)
            let slack = follows * BudgetArithmetic.tolerance
            if privacy.epsilon == follows || abs(privacy.epsilon - follows) <= slack { return }
        }
        throw wrong(
            "its epsilon \(privacy.epsilon) after \(privacy.rounds) rounds does not follow from the"
                + " log's charges")
    }
}
