import Federation
import Glibc
import Learning
import Testing

@Suite("Losses")
struct LossTests {
    let rows = 3
    let classes = 4
    let logits: [Float] = [0.5, -1, 2, 0, 3, 1, -2, 0.25, 0, 0, 0, 0]
    let labels: [Int32] = [2, 1, 3]

    @Test("cross-entropy is the mean negative logarithm of the softmax, and its gradient agrees")
    func crossEntropy() {
        var loss = CrossEntropy(classes: classes)
        var gradient = [Float](repeating: 0, count: rows * classes)
        let sum = loss.gradient(
            logits: logits, labels: labels, rows: rows, classes: classes, into: &gradient)
        // Minus ln of the shares of the three targets, computed with Python.
        #expect((sum - (0.342_35 + 2.187_31 + 1.386_29)).magnitude < 1e-3)
        checkGradient(&loss)
    }

    @Test("with class counts each logit is moved by the logarithm of its class's share")
    func classCounts() {
        var loss = CrossEntropy(classCounts: [70, 20, 10, 0])
        checkGradient(&loss)
        // Logits that equal minus the offsets leave every class equally likely.
        let shares: [Double] = [70.5, 20.5, 10.5, 0.5].map { $0 / 102 }
        let level = shares.map { Float(-log($0)) }
        var gradient = [Float](repeating: 0, count: classes)
        let sum = loss.gradient(
            logits: level, labels: [1], rows: 1, classes: classes, into: &gradient)
        #expect((sum - 1.386_294).magnitude < 1e-5)
        for (index, value) in gradient.enumerated() {
            #expect((value - (index == 1 ? -0.75 : 0.25)).magnitude < 1e-6)
        }
    }

    @Test("the gradient of the distillation loss agrees with finite differences")
    func distillation() throws {
        let plan = try examplePlan(
            widths: [5, 4],
            training: TrainingPlan(epochs: 3, batchSize: 8, learningRate: 0.1, momentum: 0.5))
        var data = Table.clusters(32, features: 5, classes: classes, seed: 1)
        var random = SeededRandom(seed: 2)
        let teacher = try Teacher.trained(
            plan: plan, on: &data, random: &random, progress: always)
        var loss = DistillationLoss(teacher: teacher, plan: plan.distillation)
        loss.observe(raw: data.values, rows: rows)
        checkGradient(&loss)
    }

    private func checkGradient(_ loss: inout some Loss) {
        var gradient = [Float](repeating: 0, count: rows * classes)
        var unused = gradient
        _ = loss.gradient(
            logits: logits, labels: labels, rows: rows, classes: classes, into: &gradient)
        let step: Float = 1 / 64
        for index in logits.indices {
            var (above, below) = (logits, logits)
            above[index] += step
            below[index] -= step
            let difference =
                loss.gradient(
                    logits: above, labels: labels, rows: rows, classes: classes, into: &unused)
                - loss.gradient(
                    logits: below, labels: labels, rows: rows, classes: classes, into: &unused)
            let slope = difference / (2 * step) / Float(rows)
            #expect((gradient[index] - slope).magnitude < 3e-4, "logit \(index)")
        }
    }
}
