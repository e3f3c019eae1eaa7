import Federation
import Registry
import Wire

extension Fleet {
    /// Charges in one answer: a few of 100 bytes each in a frame of a mebibyte.
    private static let chargesInAnAnswer = 5000

    /// What a plan's population has spent, a piece at a time.
    ///
    /// - Throws: `notFound`; `conflict` when the plan is not private.
    func showLedger(_ show: LedgerShow) async throws(Fault) -> LedgerRecord {
        let plan = try plan(named: show.plan).plan
        guard let privacy = plan.privacy else {
            throw Fault(
                .conflict, "plan \(plan.id) has no [privacy], so it spends nothing",
                remedy: "name a private plan of the population")
        }
        let ledger = try await registry.ledger(
            population: plan.population, after: show.after, limit: Self.chargesInAnAnswer)
        return LedgerRecord(
            plan: plan.id.name, population: plan.population,
            noiseMultiplier: privacy.noiseMultiplier, samplingRate: privacy.sampling.rate,
            delta: privacy.delta, maxEpsilon: privacy.maxEpsilon ?? -1,
            total: UInt64(ledger.total), charges: ledger.charges.map(ChargeRecord.init))
    }
}

extension ChargeRecord {
    fileprivate init(_ charge: StoredCharge) {
        self.init(
            plan: charge.plan.name, round: charge.at.round.number, attempt: charge.at.attempt,
            noiseMultiplier: charge.noiseMultiplier, samplingRate: charge.samplingRate,
            delta: charge.delta, epsilonAfter: charge.epsilonAfter,
            chargedUnix: charge.chargedUnix)
    }
}
