import Federation
import Glibc
import Learning
import Testing

@Suite("Training the student")
struct StudentTrainerTests {
    let shape: StudentShape

    init() throws {
        shape = try StudentShape(widths: [12, 16, 3], relu: [true, false])
    }

    func trainer(_ parameters: [Float], _ training: TrainingPlan) -> StudentTrainer {
        StudentTrainer(
            shape: shape, normalisation: pixels, parameters: parameters, training: training)
    }

    @Test("training brings the loss down and the int8 accuracy up")
    func learns() throws {
        var data = Table.clusters(300, features: 12, classes: 3, seed: 5)
        var random = SeededRandom(seed: 1)
        let start = exampleParameters(shape, seed: 6)
        let measure = TrainingPlan(epochs: 1, batchSize: 32, learningRate: 0, momentum: 0)
        var before = trainer(start, measure)
        let lossBefore = try before.train(on: &data, random: &random, progress: always).meanLoss
        #expect(before.parameters == start)

        var subject = trainer(
            start, TrainingPlan(epochs: 10, batchSize: 32, learningRate: 0.05, momentum: 0.9))
        let report = try subject.train(on: &data, random: &random, progress: always)
        #expect(report.examples == 300)
        #expect(report.meanLoss < 0.2 * lossBefore)
        let model = try QuantizedModel(
            parameters: subject.parameters, shape: shape, normalisation: pixels)
        #expect(try accuracy(of: model, on: &data) > 0.97)
    }

    @Test("the same seed gives the same parameters, another seed others")
    func deterministic() throws {
        let training = TrainingPlan(epochs: 2, batchSize: 7, learningRate: 0.05, momentum: 0.9)
        var results: [[Float]] = []
        for seed: UInt64 in [1, 1, 2] {
            var data = Table.clusters(50, features: 12, classes: 3, seed: 5)
            var random = SeededRandom(seed: seed)
            var subject = trainer(exampleParameters(shape, seed: 6), training)
            _ = try subject.train(on: &data, random: &random, progress: always)
            results.append(subject.parameters)
        }
        #expect(results[0] == results[1])
        #expect(results[0] != results[2])
    }

    @Test("the descent follows the gradient of the fp32 network that the integers stand for")
    func gradient() throws {
        // One batch without momentum: parameters move by minus rate times gradient.
        let data = Table.clusters(30, features: 12, classes: 3, seed: 7)
        let start = exampleParameters(shape, seed: 8)
        let moved = try step(start, data: data)
        var (dot, ours, theirs) = (0.0, 0.0, 0.0)
        for index in stride(from: 0, to: shape.logScaleOffset, by: 3) {
            var (above, below) = (start, start)
            above[index] += 0.01
            below[index] -= 0.01
            let slope =
                (realLoss(above, data) - realLoss(below, data))
                / Double(above[index] - below[index])
            let descent = Double(start[index] - moved[index])
            dot += slope * descent
            ours += descent * descent
            theirs += slope * slope
        }
        #expect(dot / (ours * theirs).squareRoot() > 0.995)
        #expect((ours / theirs).squareRoot() > 0.95 && (ours / theirs).squareRoot() < 1.05)
    }

    @Test("where outputs saturate, a scale's gradient is LSQ's: the bound times the output's")
    func scaleGradient() throws {
        // Biases this large hold every logit at a bound of the last scale, so the loss is a smooth
        // function of it.
        let data = Table.clusters(30, features: 12, classes: 3, seed: 7)
        var start = exampleParameters(shape, seed: 8)
        let bias = shape.parameterRanges(layer: 1).bias
        for (index, value) in zip(bias, [90, -90, 90] as [Float]) { start[index] = value }
        let scale = shape.parameterCount - 1
        let descent = start[scale] - (try step(start, data: data))[scale]
        var (above, below) = (start, start)
        above[scale] += 0.01
        below[scale] -= 0.01
        let slope = (try loss(above, data: data) - loss(below, data: data)) / 0.02
        let factor = 1 / (Float(3) * 127).squareRoot()
        #expect(slope.magnitude > 0.1)
        #expect((descent - slope * factor).magnitude < 1e-3 * slope.magnitude)
    }

    @Test("a class that a device has never seen is not unlearned there")
    func absentClass() throws {
        var data = Table.clusters(60, features: 12, classes: 3, seed: 7)
        // Rows of class 2 become class 1: two thirds of the data, and class 2 is absent.
        for row in data.classes.indices where data.classes[row] == 2 { data.classes[row] = 1 }
        let start = exampleParameters(shape, seed: 8)
        let moved = try step(start, data: data)
        let bias = shape.parameterRanges(layer: 1).bias
        // The loss gives the class about its smoothed share, 0.5 / 61.5; uncorrected it would be
        // about a third, and the bias would move by as much.
        let last = bias.upperBound - 1
        #expect((moved[last] - start[last]).magnitude < 0.02)
    }

    @Test("progress rises to 1; refusing to go on stops the training and leaves the parameters")
    func progress() throws {
        var data = Table.clusters(100, features: 12, classes: 3, seed: 5)
        var random = SeededRandom(seed: 1)
        let training = TrainingPlan(epochs: 2, batchSize: 4, learningRate: 0.05, momentum: 0)
        var subject = trainer(exampleParameters(shape, seed: 6), training)
        var seen: [Double] = []
        _ = try subject.train(on: &data, random: &random) { (share) throws(Fault) in
            seen.append(share)
            return true
        }
        #expect(seen == seen.sorted())
        #expect(seen.last == 1)
        #expect(seen.count >= 5)

        let start = subject.parameters
        let fault = #expect(throws: Fault.self) {
            try subject.train(on: &data, random: &random) { (share) throws(Fault) in share < 0.5 }
        }
        #expect(fault?.code == .gone)
        #expect(subject.parameters == start)
    }

    @Test("parameters, data and labels that do not fit are refused")
    func refused() throws {
        let training = TrainingPlan(epochs: 1, batchSize: 4, learningRate: 0.05, momentum: 0)
        let good = exampleParameters(shape, seed: 6)
        var poisoned = good
        poisoned[40] = .nan
        let fitting = Table.clusters(10, features: 12, classes: 3, seed: 5)
        var mislabelled = fitting
        mislabelled.classes[9] = 3
        let cases: [([Float], Table)] = [
            (poisoned, fitting), (Array(good.dropLast()), fitting), (good, mislabelled),
            (good, Table.clusters(10, features: 11, classes: 3, seed: 5)),
            (good, Table(features: 12, values: [], classes: [])),
        ]
        for (parameters, table) in cases {
            var (table, random) = (table, SeededRandom(seed: 1))
            var subject = trainer(parameters, training)
            let fault = #expect(throws: Fault.self) {
                try subject.train(on: &table, random: &random, progress: always)
            }
            #expect(fault?.code == .invalid)
        }
    }

    @Test("a learning rate that destroys the parameters is reported, not published")
    func diverged() throws {
        var data = Table.clusters(100, features: 12, classes: 3, seed: 5)
        var random = SeededRandom(seed: 1)
        let start = exampleParameters(shape, seed: 6)
        var subject = trainer(
            start, TrainingPlan(epochs: 3, batchSize: 4, learningRate: 1e38, momentum: 0.9))
        let fault = #expect(throws: Fault.self) {
            try subject.train(on: &data, random: &random, progress: always)
        }
        #expect(fault?.message.contains("diverged") == true)
        #expect(subject.parameters == start)
    }

    /// The parameters after one descent on all of `data` with rate 1 and no momentum.
    private func step(_ parameters: [Float], data: Table) throws -> [Float] {
        var (data, random) = (data, SeededRandom(seed: 1))
        var subject = trainer(
            parameters,
            TrainingPlan(epochs: 1, batchSize: data.count, learningRate: 1, momentum: 0))
        _ = try subject.train(on: &data, random: &random, progress: always)
        return subject.parameters
    }

    /// The mean int8 training loss on all of `data`.
    private func loss(_ parameters: [Float], data: Table) throws -> Float {
        var (data, random) = (data, SeededRandom(seed: 1))
        var subject = trainer(
            parameters,
            TrainingPlan(epochs: 1, batchSize: data.count, learningRate: 0, momentum: 0))
        return try subject.train(on: &data, random: &random, progress: always).meanLoss
    }

    /// The mean cross-entropy of the network without any rounding; the classes of `data` are
    /// equally frequent, so their shares move no logit against another.
    private func realLoss(_ parameters: [Float], _ data: Table) -> Double {
        var loss = 0.0
        for row in 0..<data.count {
            var values = data.values[row * 12..<(row + 1) * 12].map { Double($0) / 255 }
            for layer in 0..<2 {
                let ranges = shape.parameterRanges(layer: layer)
                values = (0..<shape.widths[layer + 1]).map { channel in
                    var sum = Double(parameters[ranges.bias.lowerBound + channel])
                    for (column, value) in values.enumerated() {
                        let index = channel * shape.widths[layer] + column
                        sum += value * Double(parameters[ranges.weights.lowerBound + index])
                    }
                    return shape.relu[layer] ? max(sum, 0) : sum
                }
            }
            let total = values.reduce(0) { $0 + exp($1) }
            loss += log(total) - values[Int(data.classes[row])]
        }
        return loss / Double(data.count)
    }
}
