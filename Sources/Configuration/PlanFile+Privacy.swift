import Federation
import Privacy

// [privacy] and [clipping]
extension PlanFile {
    enum PrivacyKey: String, SectionKey {
        case noiseMultiplier = "noise_multiplier"
        case targetEpsilon = "target_epsilon"
        case rounds, delta, sampling
        case samplingRate = "sampling_rate"
        case agents
        case maxEpsilon = "max_epsilon"
        case localNoiseMultiplier = "local_noise_multiplier"
    }

    enum ClippingKey: String, SectionKey {
        case norm, kappa, adaptive, quantile, rate
        case countNoise = "count_noise"
    }

    static func privacyPlan(
        _ section: Section<PrivacyKey>?, for reader: Reader
    ) throws(Fault) -> PrivacyPlan? {
        guard let section else { return nil }
        let agents = try section.integer(.agents, agentCounts)
        let delta = try section.number(.delta, Bounds(lower: .excluding(0), upper: .excluding(1)))
        guard delta < 1 / Double(agents) else {
            throw section.fault(
                .delta, "is \(delta) with \(agents) agents",
                "write a number below 1/agents = \(1 / Double(agents))"
            )
        }
        let sampling = try sampling(section)
        let localNoise = try section.number(
            .localNoiseMultiplier, .from(0, to: PrivacyPlan.largestNoiseMultiplier), default: 0)
        let target = try target(section)
        let noise =
            if let target {
                try calibrated(section, target, sampling, delta, for: reader)
            } else {
                try section.number(
                    .noiseMultiplier, .positive(PrivacyPlan.largestNoiseMultiplier))
            }
        let privacy = PrivacyPlan(
            noiseMultiplier: noise, delta: delta, sampling: sampling, agents: agents,
            maxEpsilon: try maxEpsilon(section, target), target: target,
            localNoiseMultiplier: localNoise)
        guard !privacy.betraysCoins else {
            throw section.fault(
                .localNoiseMultiplier,
                "is \(short(localNoise)), and coins select the agents: the noise that they add tells"
                    + " how many they are, and what coins gain rests on that being secret",
                "write sampling = \"everyone\" without a sampling_rate, or remove"
                    + " local_noise_multiplier")
        }
        return privacy
    }

    private static func sampling(
        _ section: Section<PrivacyKey>
    ) throws(Fault) -> PrivacyPlan.Sampling {
        if case .text("fixed")? = section.value(.sampling)?.content {
            throw section.fault(
                .sampling,
                "is \"fixed\": a cohort of a fixed size has no coins, and what it spends is not"
                    + " what Poisson sampling spends",
                "write \"poisson\" with a sampling_rate, or \"everyone\"")
        }
        if try section.word(.sampling, ["everyone", "poisson"], default: "everyone") == "poisson" {
            return .poisson(rate: try section.number(.samplingRate, .positive(1)))
        }
        if section.has(.samplingRate) {
            throw section.fault(
                .samplingRate, "has no meaning when everyone takes part",
                "write sampling = \"poisson\" or remove sampling_rate")
        }
        return .everyone
    }

    /// `target_epsilon` and `rounds`, which stand in for `noise_multiplier`.
    private static func target(
        _ section: Section<PrivacyKey>
    ) throws(Fault) -> PrivacyPlan.Target? {
        guard section.has(.targetEpsilon) else {
            try section.refuse([.rounds], in: "a plan without target_epsilon")
            return nil
        }
        guard !section.has(.noiseMultiplier) else {
            throw section.fault(
                .targetEpsilon, "and noise_multiplier both say how much noise there is",
                "remove one of them: target_epsilon with rounds calibrates the noise")
        }
        return PrivacyPlan.Target(
            epsilon: try section.number(.targetEpsilon, .positive(1e6)),
            rounds: try section.integer(.rounds, 1...1_000_000))
    }

    private static func calibrated(
        _ section: Section<PrivacyKey>, _ target: PrivacyPlan.Target,
        _ sampling: PrivacyPlan.Sampling, _ delta: Double, for reader: Reader
    ) throws(Fault) -> Double {
        guard reader == .coordinator else { return .infinity }
        let noise = PrivacyPlan.noiseMultiplier(
            for: target, samplingRate: sampling.rate, delta: delta)
        guard let noise else {
            throw section.fault(
                .targetEpsilon,
                "is \(short(target.epsilon)), which \(target.rounds) rounds cannot reach with a"
                    + " noise_multiplier of up to \(short(PrivacyPlan.largestNoiseMultiplier))",
                "write a larger target_epsilon, fewer rounds or a larger delta")
        }
        return noise
    }

    /// What the population may spend: never less than the target, and the target unless more is said.
    private static func maxEpsilon(
        _ section: Section<PrivacyKey>, _ target: PrivacyPlan.Target?
    ) throws(Fault) -> Double? {
        guard section.has(.maxEpsilon) else { return target?.epsilon }
        let most = try section.number(.maxEpsilon, .positive(1e9))
        if let target, most < target.epsilon {
            throw section.fault(
                .maxEpsilon, "is \(short(most)) and target_epsilon \(short(target.epsilon))",
                "write at least target_epsilon, or remove max_epsilon")
        }
        return most
    }

    static func clippingPlan(
        _ section: Section<ClippingKey>, _ privacy: PrivacyPlan?, for reader: Reader
    ) throws(Fault) -> ClippingPlan {
        // Below 1 most coordinates would be clipped, above 64 the lattice is coarser than the noise
        // of any plan.
        ClippingPlan(
            norm: try section.float(.norm, .positive(1e6)),
            kappa: try section.float(.kappa, .from(1, to: 64), default: 6),
            adaptive: try adaptiveClipping(section, privacy, for: reader))
    }

    private static func adaptiveClipping(
        _ section: Section<ClippingKey>, _ privacy: PrivacyPlan?, for reader: Reader
    ) throws(Fault) -> AdaptiveClipping? {
        guard try section.truth(.adaptive, default: false) else {
            try section.refuse(
                [.quantile, .rate, .countNoise], in: "a clipping norm that is not adaptive")
            return nil
        }
        if let privacy, privacy.localNoiseMultiplier > 0 {
            throw section.fault(
                .adaptive, "is true, and agents add local noise",
                "write false: whether an update was clipped would leave its device without noise")
        }
        let quantile = try section.number(
            .quantile, Bounds(lower: .excluding(0), upper: .excluding(1)), default: 0.5)
        return AdaptiveClipping(
            quantile: quantile, rate: try section.number(.rate, .positive(2), default: 0.2),
            countNoise: try countNoise(section, privacy, for: reader))
    }

    private static func countNoise(
        _ section: Section<ClippingKey>, _ privacy: PrivacyPlan?, for reader: Reader
    ) throws(Fault) -> Double? {
        guard let privacy else {
            try section.refuse([.countNoise], in: "a plan without [privacy], which counts exactly")
            return nil
        }
        let noise = try section.number(
            .countNoise, .positive(1e6), default: privacy.denominator / 20)
        let multiplier = privacy.noiseMultiplier
        guard reader == .device || multiplier < 2 * noise else {
            throw section.fault(
                .countNoise,
                "\(section.has(.countNoise) ? "is" : "would be") \(short(noise)), which leaves"
                    + " nothing of a noise multiplier of \(short(multiplier)) for the updates",
                "write more than half the noise multiplier")
        }
        return noise
    }
}
