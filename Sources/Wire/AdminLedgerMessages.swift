// Administration, answers about the privacy ledger: admin.proto.

/// What one attempt of a round cost its population, written before its noise was drawn.
package struct ChargeRecord: Sendable, Equatable {
    package var plan: String
    package var round: UInt64
    package var attempt: UInt32
    package var noiseMultiplier: Double
    /// 1 without sampling.
    package var samplingRate: Double
    package var delta: Double
    /// The population's total as it was charged.
    package var epsilonAfter: Double
    package var chargedUnix: UInt64

    package init(
        plan: String = "", round: UInt64 = 0, attempt: UInt32 = 0, noiseMultiplier: Double = 0,
        samplingRate: Double = 0, delta: Double = 0, epsilonAfter: Double = 0,
        chargedUnix: UInt64 = 0
    ) {
        self.plan = plan
        self.round = round
        self.attempt = attempt
        self.noiseMultiplier = noiseMultiplier
        self.samplingRate = samplingRate
        self.delta = delta
        self.epsilonAfter = epsilonAfter
        self.chargedUnix = chargedUnix
    }
}

/// The charges against a population, oldest first, and what the plan that was asked for allows.
package struct LedgerRecord: Sendable, Equatable {
    package var plan: String
    package var population: String
    /// Of the plan's next round.
    package var noiseMultiplier: Double
    package var samplingRate: Double
    package var delta: Double
    /// Negative: no limit.
    package var maxEpsilon: Double
    /// Charges in the ledger.
    package var total: UInt64
    /// Some of them, after those the request skips.
    package var charges: [ChargeRecord]

    package init(
        plan: String = "", population: String = "", noiseMultiplier: Double = 0,
        samplingRate: Double = 0, delta: Double = 0, maxEpsilon: Double = 0, total: UInt64 = 0,
        charges: [ChargeRecord] = []
    ) {
        self.plan = plan
        self.population = population
        self.noiseMultiplier = noiseMultiplier
        self.samplingRate = samplingRate
        self.delta = delta
        self.maxEpsilon = maxEpsilon
        self.total = total
        self.charges = charges
    }
}
