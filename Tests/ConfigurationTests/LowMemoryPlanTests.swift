import Configuration
import Federation
import Testing

@Suite struct LowMemoryPlanTests {
    private func plan(_ lines: String) -> String {
        validPlan.replacing("momentum = 0.5", with: lines, maxReplacements: 1)
    }

    @Test("low memory brings momentum 0 and goes with schedules and weight decay")
    func accepted() throws {
        #expect(try !parse(validPlan).training.lowMemory)
        let training = try parse(
            plan("low_memory = true\nschedule = \"cosine\"\nweight_decay = 0.125")
        ).training
        #expect(training.lowMemory)
        #expect(training.optimizer == .sgd(momentum: 0, nesterov: false))
        #expect(training.schedule == .cosine)
        #expect(training.weightDecay == 0.125)
        #expect(try parse(plan("low_memory = true\nmomentum = 0")).training.lowMemory)
    }

    @Test(
        "what needs room a weight is refused with the reason",
        arguments: [
            (
                "momentum = 0.5", "24:12",
                "momentum in [training] keeps a number a weight, and low_memory has room for none"
            ),
            (
                "optimizer = \"adamw\"", "24:13",
                "optimizer in [training] keeps two numbers a weight, and low_memory has room for"
                    + " none"
            ),
            (
                "proximal_mu = 0.5", "24:15",
                "proximal_mu in [training] needs the weights of the round's beginning, and"
                    + " low_memory has no room for them"
            ),
            (
                "gradient_clip = 5", "24:17",
                "gradient_clip in [training] needs the whole gradient, and low_memory has room for"
                    + " that of a few channels"
            ),
        ])
    func refused(_ line: String, _ position: String, _ reason: String) {
        let message = refusal(of: plan("low_memory = true\n\(line)")) ?? ""
        #expect(message.hasPrefix("tiny.toml:\(position): \(reason); "))
        #expect(refusal(of: plan("low_memory = false\n\(line)")) == nil)
    }

    @Test("it is true or false")
    func type() {
        #expect(refusal(of: plan("low_memory = 1"))?.contains("low_memory in [training]") == true)
    }
}
