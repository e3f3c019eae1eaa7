import ArgumentParser
import Federation
import Privacy
import RunRecords

/// What `simulate` may change of a plan's privacy, to see what it costs.
struct SimulatedPrivacy: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Poisson sampling: the coin's probability.",
            discussion: "Without noise, this share of the agents takes part in each round."))
    var samplingRate: Double?

    @Option(help: "The noise over the sensitivity; 0 for no noise, and weights by examples.")
    var noiseMultiplier: Double?

    @Option(help: "The epsilon that the rounds are to spend: calibrates the noise.")
    var targetEpsilon: Double?

    @Option(help: "The delta of every epsilon.")
    var delta: Double?

    func validate() throws {
        guard noiseMultiplier == nil || targetEpsilon == nil else {
            throw ValidationError(
                "--noise-multiplier and --target-epsilon both say how much noise there is.")
        }
        guard samplingRate.map({ $0 > 0 && $0 <= 1 }) ?? true else {
            throw ValidationError("--sampling-rate must be above 0, at most 1.")
        }
        let noises = 0...PrivacyPlan.largestNoiseMultiplier
        guard noiseMultiplier.map(noises.contains) ?? true else {
            throw ValidationError("--noise-multiplier must be from 0 to \(noises.upperBound).")
        }
        guard targetEpsilon.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw ValidationError("--target-epsilon must be above 0.")
        }
        guard delta.map({ $0 > 0 && $0 < 1 }) ?? true else {
            throw ValidationError("--delta must be above 0 and below 1.")
        }
    }
}

extension RunOptions {
    private var changesPrivacy: Bool {
        samplingRate != nil || noiseMultiplier != nil || targetEpsilon != nil || delta != nil
    }

    /// `plan` with what these options say of its privacy, and of who takes part.
    ///
    /// - Throws: as `withPrivacy`, or `Fault.invalid` for a private plan of one client.
    func applied(to plan: Plan) throws(Fault) -> Plan {
        var plan = try withPrivacy(plan)
        guard let client else { return plan }
        guard plan.privacy == nil else {
            throw Fault(
                .invalid, "a private plan cannot hide '\(client)' among one client",
                remedy: "add --noise-multiplier 0 to see what it learns alone")
        }
        (plan.round.agents, plan.round.minimum) = (1, 1)
        return plan
    }

    /// `plan` with what these options say of its privacy. A plan without any gets noise and its
    /// accounting when they ask for noise; else --sampling-rate is the share that takes part.
    ///
    /// - Throws: `Fault.invalid` when no noise reaches the target, a delta is given without noise, or coins
    ///   are to select agents who add noise themselves.
    private func withPrivacy(_ plan: Plan) throws(Fault) -> Plan {
        guard changesPrivacy || fittingDelta(of: plan) != nil else { return plan }
        let wantsNoise = targetEpsilon != nil || (noiseMultiplier ?? 0) > 0
        guard var privacy = plan.privacy ?? (wantsNoise ? newPrivacy(of: plan) : nil) else {
            guard delta == nil else {
                throw Fault(
                    .invalid, "plan \(plan.id) has no [privacy] that a delta could be of",
                    remedy: "give --noise-multiplier or --target-epsilon too")
            }
            return sampled(plan)
        }
        if let agents { privacy.agents = agents }
        if let samplingRate { privacy.sampling = .poisson(rate: samplingRate) }
        privacy.delta = delta ?? fittingDelta(of: plan) ?? privacy.delta
        if let noiseMultiplier {
            privacy.noiseMultiplier = noiseMultiplier
            (privacy.target, privacy.maxEpsilon) = (nil, nil)
        }
        if let targetEpsilon {
            privacy.target = PrivacyPlan.Target(epsilon: targetEpsilon, rounds: rounds)
            privacy.maxEpsilon = targetEpsilon
        }
        try calibrate(&privacy)
        return try changed(plan, privacy)
    }

    /// A delta for as many agents as are asked for; nil when one is given, or the plan's is small enough.
    func fittingDelta(of plan: Plan) -> Double? {
        guard delta == nil, let agents, let privacy = plan.privacy,
            privacy.delta * Double(agents) >= 1
        else { return nil }
        return 1 / Double(10 * agents)
    }

    /// As many agents a round as the plan wants, now on average, and a delta that is small for all.
    private func newPrivacy(of plan: Plan) -> PrivacyPlan {
        let agents = agents ?? plan.round.agents
        let rate = Double(plan.round.agents) / Double(agents)
        return PrivacyPlan(
            noiseMultiplier: noiseMultiplier ?? 0, delta: min(1e-5, 1 / Double(10 * agents)),
            sampling: rate < 1 ? .poisson(rate: rate) : .everyone, agents: agents, maxEpsilon: nil)
    }

    private func sampled(_ plan: Plan) -> Plan {
        var plan = plan
        guard let samplingRate else { return plan }
        let share = samplingRate * Double(agents ?? plan.round.agents)
        plan.round.agents = max(1, Int(share.rounded()))
        plan.round.minimum = min(plan.round.minimum, plan.round.agents)
        return plan
    }

    /// A target's noise depends on everything else.
    private func calibrate(_ privacy: inout PrivacyPlan) throws(Fault) {
        guard let target = privacy.target else { return }
        let noise = PrivacyPlan.noiseMultiplier(
            for: target, samplingRate: privacy.sampling.rate, delta: privacy.delta)
        guard let noise else {
            throw Fault(
                .invalid, "no noise brings \(target.rounds) rounds to epsilon \(target.epsilon)",
                remedy: "use a larger --target-epsilon or --delta, or fewer --rounds")
        }
        privacy.noiseMultiplier = noise
    }

    private func changed(_ plan: Plan, _ privacy: PrivacyPlan) throws(Fault) -> Plan {
        var plan = plan
        if privacy.denominator != plan.privacy?.denominator {
            plan.clipping.adaptive?.countNoise = privacy.denominator / 20
        }
        plan.round.agents = max(1, Int(privacy.denominator.rounded()))
        if privacy.noiseMultiplier == 0 {
            plan.privacy = nil
            plan.clipping.adaptive?.countNoise = nil
            return plan
        }
        guard !privacy.betraysCoins else {
            throw Fault(
                .invalid,
                "plan \(plan.id) has agents add noise of their own, which tells how many a coin"
                    + " selects, and what coins gain rests on that being secret",
                remedy: "leave --sampling-rate out, or simulate the plan without"
                    + " local_noise_multiplier")
        }
        plan.privacy = privacy
        guard plan.updateNoiseMultiplier != nil else {
            throw Fault(
                .invalid,
                "a noise multiplier of \(privacy.noiseMultiplier) leaves nothing beside the count of"
                    + " unclipped updates",
                remedy: "turn adaptive clipping off in the plan, or simulate more agents")
        }
        return plan
    }
}
