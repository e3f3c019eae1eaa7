/// What was asked of a run besides its plan: with the plan's text, all that it takes to repeat it.
package struct RunOptions: Codable, Sendable, Equatable {
    /// As it was named; its text is in the record.
    package var plan: String
    /// The data directory, absolute.
    package var data: String
    /// Nil: as many as the plan counts on.
    package var agents: Int?
    package var rounds: Int
    /// `iid`, `dirichlet:0.5`, `labels:2` or `natural`.
    package var partition: String
    /// The only one of the clients in `clients/` that takes part; nil: all.
    package var client: String?
    /// Examples that each agent draws; nil: they are dealt, while there are enough.
    package var examplesPerAgent: Int?
    package var samplingRate: Double?
    package var noiseMultiplier: Double?
    package var targetEpsilon: Double?
    package var delta: Double?
    package var seed: UInt64
    /// Whether it began with random weights though there were public examples.
    package var cold: Bool
    /// Whether nothing was rounded.
    package var float32: Bool
    /// Whether updates were added as floats, clipped, and on no lattice; nil as false.
    package var floatSum: Bool?
    /// Rounds from one measurement to the next.
    package var measureEvery: Int
    /// Values that a sweep put in the plan, and of which options: `learning_rate`: `0.01`.
    package var sweep: [String: String]

    package init(
        plan: String, data: String, agents: Int?, rounds: Int, partition: String,
        client: String? = nil, examplesPerAgent: Int?, samplingRate: Double?,
        noiseMultiplier: Double?,
        targetEpsilon: Double?, delta: Double?, seed: UInt64, cold: Bool, float32: Bool,
        floatSum: Bool? = nil, measureEvery: Int, sweep: [String: String] = [:]
    ) {
        self.plan = plan
        self.data = data
        self.agents = agents
        self.rounds = rounds
        self.partition = partition
        self.client = client
        self.examplesPerAgent = examplesPerAgent
        self.samplingRate = samplingRate
        self.noiseMultiplier = noiseMultiplier
        self.targetEpsilon = targetEpsilon
        self.delta = delta
        self.seed = seed
        self.cold = cold
        self.float32 = float32
        self.floatSum = floatSum
        self.measureEvery = measureEvery
        self.sweep = sweep
    }

    private enum CodingKeys: String, CodingKey {
        case plan, data, agents, rounds, partition, client, delta, seed, cold, float32, sweep
        case floatSum = "float_sum"
        case examplesPerAgent = "examples_per_agent"
        case samplingRate = "sampling_rate"
        case noiseMultiplier = "noise_multiplier"
        case targetEpsilon = "target_epsilon"
        case measureEvery = "measure_every"
    }
}
