import Federation

// [round], [clipping], [privacy], [server] and [sealing]
extension PlanFile {
    enum RoundKey: String, SectionKey {
        case agents, minimum
        case overSelection = "over_selection"
        case selectionSeconds = "selection_seconds"
        case reportSeconds = "report_seconds"
        case leaseSeconds = "lease_seconds"
        case maxExamples = "max_examples"
    }

    enum ClippingKey: String, SectionKey { case norm, kappa }

    enum PrivacyKey: String, SectionKey {
        case noiseMultiplier = "noise_multiplier"
        case delta, sampling
        case samplingRate = "sampling_rate"
        case agents
        case maxEpsilon = "max_epsilon"
    }

    enum ServerKey: String, SectionKey {
        case learningRate = "learning_rate"
        case momentum
    }

    enum SealingKey: String, SectionKey { case maxAccuracyDrop = "max_accuracy_drop" }

    private static let agentCounts = 1...1_000_000

    static func roundPlan(
        _ section: Section<RoundKey>, _ privacy: PrivacyPlan?
    ) throws(Fault) -> RoundPlan {
        let (agents, minimum, overSelection) =
            if let privacy { try privateCohort(section, privacy) } else { try cohort(section) }
        let week = 604_800.0
        return RoundPlan(
            agents: agents, minimum: minimum, overSelection: overSelection,
            selectionSeconds: try section.number(.selectionSeconds, .positive(week), default: 60),
            reportSeconds: try section.number(.reportSeconds, .positive(week), default: 600),
            leaseSeconds: try section.number(.leaseSeconds, .positive(week), default: 60),
            maxExamples: try section.integer(
                .maxExamples, 1...1_000_000_000, default: 1_000_000))
    }

    private typealias Cohort = (agents: Int, minimum: Int, overSelection: Double)

    private static func cohort(_ section: Section<RoundKey>) throws(Fault) -> Cohort {
        let agents = try section.integer(.agents, agentCounts)
        let minimum = try section.integer(
            .minimum, agentCounts, default: (agents + 1) / 2)
        guard minimum <= agents else {
            throw section.fault(
                .minimum, "is \(minimum) and agents is \(agents)",
                "write a whole number from 1 to \(agents)")
        }
        return (agents, minimum, try section.number(.overSelection, .from(1, to: 10), default: 1))
    }

    /// A private round takes whom the coins choose and always releases, or the accountant would
    /// describe something else.
    private static func privateCohort(
        _ section: Section<RoundKey>, _ privacy: PrivacyPlan
    ) throws(Fault) -> Cohort {
        let expected = Int(privacy.denominator.rounded())
        let agents = try section.integer(.agents, agentCounts, default: expected)
        guard agents == expected else {
            throw section.fault(
                .agents, "is \(agents) and [privacy] selects \(expected)",
                "write \(expected) or remove agents: [privacy] says who takes part"
            )
        }
        let minimum = try section.integer(.minimum, 0...agentCounts.upperBound, default: 0)
        guard minimum == 0 else {
            throw section.fault(
                .minimum, "is \(minimum) in a private plan",
                "write 0 or remove minimum: a private round always releases")
        }
        let overSelection = try section.number(.overSelection, .from(1, to: 10), default: 1)
        guard overSelection == 1 else {
            throw section.fault(
                .overSelection, "is \(short(overSelection)) in a private plan",
                "write 1 or remove over_selection: a private round waits for everyone selected")
        }
        return (agents, minimum, overSelection)
    }

    static func clippingPlan(_ section: Section<ClippingKey>) throws(Fault) -> ClippingPlan {
        // Below 1 most coordinates would be clipped, above 64 the lattice is coarser than the noise
        // of any plan.
        ClippingPlan(
            norm: try section.float(.norm, .positive(1e6)),
            kappa: try section.float(.kappa, .from(1, to: 64), default: 6))
    }

    static func privacyPlan(_ section: Section<PrivacyKey>) throws(Fault) -> PrivacyPlan {
        let agents = try section.integer(.agents, agentCounts)
        let noise = try section.number(.noiseMultiplier, .positive(1000))
        let delta = try section.number(.delta, Bounds(lower: .excluding(0), upper: .excluding(1)))
        guard delta < 1 / Double(agents) else {
            throw section.fault(
                .delta, "is \(delta) with \(agents) agents",
                "write a number below 1/agents = \(1 / Double(agents))"
            )
        }
        return PrivacyPlan(
            noiseMultiplier: noise, delta: delta, sampling: try sampling(section), agents: agents,
            maxEpsilon: section.has(.maxEpsilon)
                ? try section.number(.maxEpsilon, .positive(1e9)) : nil)
    }

    private static func sampling(
        _ section: Section<PrivacyKey>
    ) throws(Fault) -> PrivacyPlan.Sampling {
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

    static func serverPlan(_ section: Section<ServerKey>?) throws(Fault) -> ServerPlan {
        ServerPlan(
            learningRate: try section?.float(.learningRate, .positive(100), default: 1) ?? 1,
            momentum: try section?.float(.momentum, .from(0, below: 1), default: 0) ?? 0)
    }

    static func sealingPlan(_ section: Section<SealingKey>?) throws(Fault) -> SealingPlan {
        SealingPlan(
            maxAccuracyDrop: try section?.number(.maxAccuracyDrop, .from(0, to: 1), default: 0.1)
                ?? 0.1)
    }
}
