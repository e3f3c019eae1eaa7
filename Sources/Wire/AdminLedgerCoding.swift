import CMessages
import Federation

extension ChargeRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ChargeRecord>) {
        tributary__v1__charge_record__init(raw)
    }

    init(raw: Tributary__V1__ChargeRecord) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "ChargeRecord.plan"),
            round: raw.round,
            attempt: raw.attempt,
            noiseMultiplier: raw.noise_multiplier,
            samplingRate: raw.sampling_rate,
            delta: raw.delta,
            epsilonAfter: raw.epsilon_after,
            chargedUnix: raw.charged_unix)
    }

    func fill(_ raw: inout Tributary__V1__ChargeRecord, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "ChargeRecord.plan")
        raw.round = round
        raw.attempt = attempt
        raw.noise_multiplier = noiseMultiplier
        raw.sampling_rate = samplingRate
        raw.delta = delta
        raw.epsilon_after = epsilonAfter
        raw.charged_unix = chargedUnix
    }
}

extension LedgerRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__LedgerRecord>) {
        tributary__v1__ledger_record__init(raw)
    }

    init(raw: Tributary__V1__LedgerRecord) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "LedgerRecord.plan"),
            population: try Read.text(raw.population, "LedgerRecord.population"),
            noiseMultiplier: raw.noise_multiplier,
            samplingRate: raw.sampling_rate,
            delta: raw.delta,
            maxEpsilon: raw.max_epsilon,
            total: raw.total,
            charges: try Read.messages(
                raw.charges, raw.n_charges, "LedgerRecord.charges", limit: WireLimits.items))
    }

    func fill(_ raw: inout Tributary__V1__LedgerRecord, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "LedgerRecord.plan")
        raw.population = try arena.text(population, "LedgerRecord.population")
        raw.noise_multiplier = noiseMultiplier
        raw.sampling_rate = samplingRate
        raw.delta = delta
        raw.max_epsilon = maxEpsilon
        raw.total = total
        (raw.charges, raw.n_charges) = try arena.messages(
            charges, "LedgerRecord.charges", limit: WireLimits.items)
    }
}
