import Federation
import Learning
import Testing

/// Steps of the optimisers in fp32 on one example, against the same steps written out here.
@Suite("Optimisers")
struct OptimizerTests {
    private let shape: StudentShape
    private let start: [Float]
    private let raw: [Float]
    private let rate: Float = 0.1

    init() throws {
        shape = try StudentShape(widths: [4, 5, 3], relu: [true, false])
        start = exampleParameters(shape, seed: 21)
        raw = randomBytes(shape, rows: 1, seed: 22)
    }

    private func plan(
        _ optimizer: TrainingPlan.Optimizer, epochs: Int = 3
    ) -> TrainingPlan {
        var plan = TrainingPlan(
            epochs: epochs, batchSize: 1, learningRate: rate, optimizer: optimizer)
        plan.balancesClasses = false
        return plan
    }

    private func trained(_ plan: TrainingPlan) throws -> [Float] {
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: start, training: plan,
            arithmetic: .float32)
        var data = Table(features: 4, values: raw, classes: [2])
        var random = SeededRandom(seed: 23)
        _ = try trainer.train(on: &data, random: &random, progress: always)
        return trainer.parameters
    }

    private func gradient(_ parameters: [Float]) throws -> [Float] {
        try FloatStudent(shape: shape, normalisation: pixels, parameters: parameters)
            .gradient(of: CrossEntropy(classes: 3), raw: raw, labels: [2]).gradient
    }

    private func isWeight(_ index: Int) -> Bool {
        shape.weightedLayers.contains { shape.parameterRanges(layer: $0).weights.contains(index) }
    }

    /// Three steps of `step`, which sees a parameter's index, value, gradient and its own memory.
    private func stepped(
        adjust: ([Float], [Float]) -> [Float] = { gradient, _ in gradient },
        _ step: (Int, Float, Float, inout (Float, Float), Int) -> Float
    ) throws -> [Float] {
        var parameters = start
        var memory = [(Float, Float)](repeating: (0, 0), count: start.count)
        for count in 1...3 {
            let gradient = adjust(try gradient(parameters), parameters)
            for index in parameters.indices {
                parameters[index] = step(
                    index, parameters[index], gradient[index], &memory[index], count)
            }
        }
        return parameters
    }

    private func expectEqual(_ trained: [Float], _ expected: [Float]) {
        #expect(trained != start)
        for (index, (value, wanted)) in zip(trained, expected).enumerated() {
            #expect(abs(value - wanted) < 2e-6, "parameter \(index): \(value), not \(wanted)")
        }
    }

    @Test("SGD with momentum, which no device leaves out (NVFLARE PR 4723)")
    func momentum() throws {
        let expected = try stepped { _, value, gradient, memory, _ in
            memory.0 = 0.9 * memory.0 + gradient
            return value - rate * memory.0
        }
        expectEqual(try trained(plan(.sgd(momentum: 0.9, nesterov: false))), expected)
    }

    @Test("Nesterov looks a step ahead along the velocity")
    func nesterov() throws {
        let expected = try stepped { _, value, gradient, memory, _ in
            memory.0 = 0.9 * memory.0 + gradient
            return value - rate * (gradient + 0.9 * memory.0)
        }
        expectEqual(try trained(plan(.sgd(momentum: 0.9, nesterov: true))), expected)
    }

    @Test("weight decay joins the gradient of weights, not that of biases and scales")
    func weightDecay() throws {
        var plan = plan(.sgd(momentum: 0.5, nesterov: false))
        plan.weightDecay = 0.3
        let expected = try stepped { index, value, gradient, memory, _ in
            memory.0 = 0.5 * memory.0 + gradient + (isWeight(index) ? 0.3 * value : 0)
            return value - rate * memory.0
        }
        expectEqual(try trained(plan), expected)
    }

    @Test("AdamW decays weights beside the step, and corrects its means for their start")
    func adamW() throws {
        var plan = plan(.adamW(beta1: 0.8, beta2: 0.9, epsilon: 1e-3))
        plan.weightDecay = 0.2
        func power(_ base: Float, _ exponent: Int) -> Float {
            (0..<exponent).reduce(1) { product, _ in product * base }
        }
        let expected = try stepped { index, value, gradient, memory, count in
            memory.0 = 0.8 * memory.0 + 0.2 * gradient
            memory.1 = 0.9 * memory.1 + 0.1 * gradient * gradient
            let mean = memory.0 / (1 - power(0.8, count))
            let square = memory.1 / (1 - power(0.9, count))
            let decay = isWeight(index) ? 0.2 * value : 0
            return value - rate * (mean / (square.squareRoot() + 1e-3) + decay)
        }
        expectEqual(try trained(plan), expected)
    }

    @Test("clipping shortens a long gradient to its norm and leaves a short one")
    func clipping() throws {
        let norm = try gradient(start).reduce(0) { $0 + $1 * $1 }.squareRoot()
        var plan = plan(.sgd(momentum: 0, nesterov: false))
        plan.clipNorm = norm / 4
        let clipped = try stepped(adjust: { gradient, _ in
            let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return gradient.map { $0 * min(1, plan.clipNorm / norm) }
        }) { _, value, gradient, _, _ in value - rate * gradient }
        expectEqual(try trained(plan), clipped)
        plan.clipNorm = 100 * norm
        #expect(
            try trained(plan) == trained(self.plan(.sgd(momentum: 0, nesterov: false))))
    }

    @Test("FedProx pulls towards the start, from the second step on")
    func proximal() throws {
        var plan = plan(.sgd(momentum: 0, nesterov: false))
        plan.proximalMu = 2
        let expected = try stepped(adjust: { gradient, parameters in
            gradient.indices.map { gradient[$0] + 2 * (parameters[$0] - start[$0]) }
        }) { _, value, gradient, _, _ in value - rate * gradient }
        expectEqual(try trained(plan), expected)
        func distance(_ parameters: [Float]) -> Float {
            zip(parameters, start).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        let free = try trained(self.plan(.sgd(momentum: 0, nesterov: false)))
        #expect(distance(try trained(plan)) < 0.9 * distance(free))
    }

    @Test("a cosine schedule ends with steps of nearly nothing")
    func cosine() throws {
        var plan = plan(.sgd(momentum: 0, nesterov: false))
        plan.schedule = .cosine
        let rates: [Float] = [0.1, 0.075, 0.025]
        let expected = try stepped { _, value, gradient, _, count in
            value - rates[count - 1] * gradient
        }
        expectEqual(try trained(plan), expected)
    }
}
