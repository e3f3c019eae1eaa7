import Configuration
import Federation
import Privacy
import Testing

@Suite struct PlanPrivacyTests {
    private static let adaptive = """
        kappa = 5
        adaptive = true
        quantile = 0.75
        rate = 0.5
        count_noise = 3
        """

    /// The private plan of `PlanText.swift` with `old` replaced by `new`.
    private func changed(_ old: String, _ new: String) throws -> String {
        try #require(validPrivatePlan.contains(old))
        return validPrivatePlan.replacing(old, with: new, maxReplacements: 1)
    }

    @Test("a clipping norm is fixed unless the plan says that it adapts")
    func adaptive() throws {
        #expect(try parse(validPrivatePlan).clipping.adaptive == nil)
        #expect(
            try parse(changed("kappa = 5", Self.adaptive)).clipping
                == ClippingPlan(
                    norm: 1.5, kappa: 5,
                    adaptive: AdaptiveClipping(quantile: 0.75, rate: 0.5, countNoise: 3)))
        // A twentieth of the ten agents that are selected on average.
        #expect(
            try parse(
                changed("kappa = 5", "adaptive = true").replacing(
                    "noise_multiplier = 0.5", with: "noise_multiplier = 0.9")
            ).clipping.adaptive == AdaptiveClipping(quantile: 0.5, rate: 0.2, countNoise: 0.5))
        let open = validPlan.replacing("kappa = 5", with: "adaptive = true")
        #expect(
            try parse(open).clipping.adaptive
                == AdaptiveClipping(quantile: 0.5, rate: 0.2, countNoise: nil))
    }

    @Test("a target epsilon calibrates the noise for the coordinator, and is the budget")
    func target() throws {
        let text = try changed("noise_multiplier = 0.5", "target_epsilon = 4\nrounds = 50")
            .replacing("max_epsilon = 8", with: "")
        let privacy = try #require(try parse(text).privacy)
        #expect(privacy.target == PrivacyPlan.Target(epsilon: 4, rounds: 50))
        #expect(privacy.maxEpsilon == 4)
        let budget = PrivacyBudget(plan: privacy, roundsCharged: 50)
        #expect(budget.epsilon <= 4 && budget.epsilon > 3.8)
        #expect(PrivacyBudget(plan: privacy, roundsCharged: 49).refusal() == nil)
        #expect(budget.refusal() != nil)
        let device = try PlanFile.parse(Array(text.utf8), file: "tiny.toml", for: .device)
        #expect(device.privacy?.noiseMultiplier == .infinity)
        #expect(device.privacy?.target == privacy.target)
    }

    @Test("agents add noise of their own when the plan says how much")
    func local() throws {
        #expect(try parse(validPrivatePlan).privacy?.localNoiseMultiplier == 0)
        let coins = "sampling = \"poisson\"\nsampling_rate = 0.25\nagents = 40"
        let text = try changed(coins, "agents = 10\nlocal_noise_multiplier = 1.5")
        #expect(try parse(text).privacy?.localNoiseMultiplier == 1.5)
        // A coin that always says yes keeps nothing secret.
        let sure = try changed(
            "sampling_rate = 0.25\nagents = 40",
            "sampling_rate = 1\nagents = 10\nlocal_noise_multiplier = 1.5")
        #expect(try parse(sure).privacy?.localNoiseMultiplier == 1.5)
    }

    @Test(
        "coins do not select agents whose own noise tells how many they are, on either side",
        arguments: [PlanFile.Reader.coordinator, .device])
    func coinsAndLocal(reader: PlanFile.Reader) throws {
        let text = try changed("agents = 40", "agents = 40\nlocal_noise_multiplier = 1.5")
        let fault = #expect(throws: Fault.self) {
            try PlanFile.parse(Array(text.utf8), file: "tiny.toml", for: reader)
        }
        #expect(fault?.code == .invalid)
        #expect(
            fault?.description
                == "tiny.toml:59:26: local_noise_multiplier in [privacy] is 1.5, and coins select the"
                + " agents: the noise that they add tells how many they are, and what coins gain"
                + " rests on that being secret; write sampling = \"everyone\" without a"
                + " sampling_rate, or remove local_noise_multiplier")
    }

    @Test(
        "what the accountant could not describe is refused, with the reason",
        arguments: [
            Mistake(
                #"sampling = "poisson""#, #"sampling = "fixed""#, "56:12",
                #"sampling in [privacy] is "fixed": a cohort of a fixed size has no coins, and what"#
                    + " it spends is not what Poisson sampling spends",
                #"write "poisson" with a sampling_rate, or "everyone""#),
            Mistake(
                "noise_multiplier = 0.5", "noise_multiplier = 0.5\ntarget_epsilon = 2\nrounds = 9",
                "55:18",
                "target_epsilon in [privacy] and noise_multiplier both say how much noise there is",
                "remove one of them: target_epsilon with rounds calibrates the noise"),
            Mistake(
                "noise_multiplier = 0.5", "target_epsilon = 2", "53:1",
                "[privacy] has no rounds", "write a whole number from 1 to 1000000"),
            Mistake(
                "noise_multiplier = 0.5", "noise_multiplier = 0.5\nrounds = 9", "55:10",
                "rounds in [privacy] does not belong to a plan without target_epsilon",
                "remove rounds"),
            Mistake(
                "noise_multiplier = 0.5", "target_epsilon = 1e-6\nrounds = 1000000",
                "54:18",
                "target_epsilon in [privacy] is 1e-06, which 1000000 rounds cannot reach with a"
                    + " noise_multiplier of up to 1000",
                "write a larger target_epsilon, fewer rounds or a larger delta"),
            Mistake(
                "noise_multiplier = 0.5", "target_epsilon = 9\nrounds = 9", "60:15",
                "max_epsilon in [privacy] is 8 and target_epsilon 9",
                "write at least target_epsilon, or remove max_epsilon"),
            Mistake(
                "noise_multiplier = 0.5", "noise_multiplier = 0.5\nlocal_noise_multiplier = -1",
                "55:26", "local_noise_multiplier in [privacy] is -1",
                "write a number from 0 to 1000"),
            Mistake(
                "kappa = 5", "kappa = 5\nadaptive = true\ncount_noise = 0.25", "49:15",
                "count_noise in [clipping] is 0.25, which leaves nothing of a noise multiplier of"
                    + " 0.5 for the updates", "write more than half the noise multiplier"),
            Mistake(
                "kappa = 5", "kappa = 5\nrate = 0.5", "48:8",
                "rate in [clipping] does not belong to a clipping norm that is not adaptive",
                "remove rate"),
            Mistake(
                "kappa = 5", "kappa = 5\nadaptive = true\nquantile = 1", "49:12",
                "quantile in [clipping] is 1", "write a number above 0 and below 1"),
            Mistake(
                "kappa = 5", "kappa = 5\nadaptive = 1", "48:12",
                "adaptive in [clipping] is a whole number", "write true or false"),
        ])
    func mistake(_ mistake: Mistake) throws {
        #expect(try refusal(of: changed(mistake.line, mistake.written)) == mistake.message)
    }

    @Test("the default noise on the count is refused when it is too little for the plan")
    func defaultCountNoise() throws {
        let text = try changed("kappa = 5", "kappa = 5\nadaptive = true")
            .replacing("noise_multiplier = 0.5", with: "noise_multiplier = 1")
        #expect(
            refusal(of: text)
                == "tiny.toml:45:1: count_noise in [clipping] would be 0.5, which leaves nothing of a"
                + " noise multiplier of 1 for the updates; write more than half the noise multiplier"
        )
        // The device cannot know what a target comes to, and need not.
        let target = text.replacing("noise_multiplier = 1", with: "target_epsilon = 8\nrounds = 90")
        #expect(refusal(of: target) != nil)
        #expect(
            throws: Never.self,
            performing: { try PlanFile.parse(Array(target.utf8), file: "tiny.toml", for: .device) })
    }

    @Test("whether an update was clipped does not leave a device that adds noise itself")
    func adaptiveAndLocal() throws {
        let text = try changed("kappa = 5", "kappa = 5\nadaptive = true")
            .replacing(
                "sampling = \"poisson\"\nsampling_rate = 0.25\nagents = 40",
                with: "agents = 10\nlocal_noise_multiplier = 1")
        #expect(
            refusal(of: text)
                == "tiny.toml:48:12: adaptive in [clipping] is true, and agents add local noise;"
                + " write false: whether an update was clipped would leave its device without noise"
        )
    }

    @Test("without privacy the count of unclipped updates has no noise")
    func openCount() {
        let text = validPlan.replacing("kappa = 5", with: "adaptive = true\ncount_noise = 1")
        #expect(
            refusal(of: text)
                == "tiny.toml:48:15: count_noise in [clipping] does not belong to a plan without"
                + " [privacy], which counts exactly; remove count_noise")
    }

    @Test("a device's floor of noise is a number of its own configuration")
    func floor() throws {
        let text = "[privacy]\nlocal_noise_floor = 0.5\n"
        let agent = try AgentConfiguration.parse(Array(text.utf8), file: "agent.toml")
        #expect(agent.localNoiseFloor == 0.5)
        #expect(try AgentConfiguration.parse([], file: "agent.toml").localNoiseFloor == 0)
        let wrong = text.replacing("0.5", with: "-1")
        let fault = #expect(throws: Fault.self) {
            try AgentConfiguration.parse(Array(wrong.utf8), file: "agent.toml")
        }
        #expect(
            fault?.description
                == "agent.toml:2:21: local_noise_floor in [privacy] is -1; write a number from 0 to"
                + " 1000")
    }
}
