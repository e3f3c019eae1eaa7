import Federation
import Learning
import Testing

@Suite("Batch normalisation")
struct BatchNormTests {
    private let training = TrainingPlan(epochs: 1, batchSize: 1, learningRate: 0, momentum: 0)
    private let rows = 6
    private let channels = 3
    private let values: [Float] = [
        0.5, 2, -30, 1.5, 1, -29, -0.25, 4, -31.5, 0.75, -2, -30.5, 2.25, 0, -28, -1, 3, -33,
    ]
    private let gain: [Float] = [1.5, 0.5, -2]
    private let shift: [Float] = [0.1, -0.3, 0.75]

    private func norm(gain: [Float]? = nil, shift: [Float]? = nil) -> BatchNorm {
        BatchNorm(
            gain: gain ?? self.gain, shift: shift ?? self.shift, capacity: rows, training: training)
    }

    @Test("gives each channel the mean and the deviation that it asks for")
    func forward() {
        var result = values
        var norm = self.norm()
        norm.normalise(&result, rows: rows, relu: false)
        for channel in 0..<channels {
            let column = (0..<rows).map { result[$0 * channels + channel] }
            let mean = column.reduce(0, +) / Float(rows)
            let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(rows)
            #expect(abs(mean - shift[channel]) < 1e-4)
            #expect(abs(variance.squareRoot() - gain[channel].magnitude) < 1e-3)
        }
        var rectified = values
        norm.normalise(&rectified, rows: rows, relu: true)
        #expect(rectified == result.map { max($0, 0) })
        #expect(rectified != result)
    }

    @Test("its gradients agree with finite differences, by input, gain and shift")
    func gradients() {
        // A loss that weighs every value differently, and whose slope changes with the value.
        let weights = values.indices.map { Float(($0 * 7) % 5) - 2 }
        func loss(_ values: [Float], _ gain: [Float], _ shift: [Float]) -> Double {
            var result = values
            var norm = self.norm(gain: gain, shift: shift)
            norm.normalise(&result, rows: rows, relu: false)
            return zip(result, weights).reduce(0) {
                $0 + Double($1.1 * $1.0 + 0.5 * $1.0 * $1.0)
            }
        }
        var result = values
        var norm = self.norm()
        norm.normalise(&result, rows: rows, relu: false)
        var gradient = zip(result, weights).map { $1 + $0 }
        norm.differentiate(&gradient, rows: rows)
        func expect(_ derivative: Float, _ above: Double, _ below: Double, _ name: String) {
            let quotient = (above - below) / 0.02
            #expect(
                abs(quotient - Double(derivative)) < 0.02, "\(name): \(derivative), \(quotient)")
        }
        func moved(_ values: [Float], _ index: Int, _ step: Float) -> [Float] {
            var values = values
            values[index] += step
            return values
        }
        for index in values.indices {
            expect(
                gradient[index], loss(moved(values, index, 0.01), gain, shift),
                loss(moved(values, index, -0.01), gain, shift), "value \(index)")
        }
        for index in gain.indices {
            expect(
                norm.gain.gradient[index], loss(values, moved(gain, index, 0.01), shift),
                loss(values, moved(gain, index, -0.01), shift), "gain \(index)")
            expect(
                norm.shift.gradient[index], loss(values, gain, moved(shift, index, 0.01)),
                loss(values, gain, moved(shift, index, -0.01)), "shift \(index)")
        }
    }

    @Test("folded into a layer it does what it does with its running mean and variance")
    func folding() {
        var norm = self.norm()
        for _ in 0..<5 {
            var batch = values
            norm.normalise(&batch, rows: rows, relu: false)
        }
        #expect(norm.mean[2] < -10)
        // Two inputs an output, and something before and after that must stay.
        let parameters: [Float] = [9, 1, 2, -3, 0.5, 4, -1, 0.25, -0.5, 1, 8]
        var folded = parameters
        norm.fold(into: &folded, weights: 1..<7, bias: 7..<10)
        #expect(folded[0] == 9 && folded[10] == 8)
        func sum(_ parameters: [Float], _ channel: Int) -> Float {
            let (first, second) = (parameters[1 + 2 * channel], parameters[2 + 2 * channel])
            return 0.75 * first - 1.25 * second + parameters[7 + channel]
        }
        for channel in 0..<channels {
            let distance = sum(parameters, channel) - norm.mean[channel]
            let deviation = (norm.variance[channel] + 1e-5).squareRoot()
            let expected = gain[channel] * distance / deviation + shift[channel]
            #expect(abs(sum(folded, channel) - expected) < 1e-5 * max(1, abs(expected)))
        }
    }

    /// A convolution, a depthwise convolution and a dense layer, all normalised, and a residual.
    private func graph(normalised: Bool) throws -> StudentShape {
        let kinds: [LayerKind] = [
            .conv(ConvPlan(channels: 3, kernel: [3, 3], padding: [1, 1])),
            .conv(
                ConvPlan(
                    channels: 3, kernel: [3, 3], padding: [1, 1], isDepthwise: true, relu: false)),
            .add(from: "l0", relu: true), .averagePool(size: [2, 2], stride: [2, 2]), .flatten,
            .dense(units: 5, relu: true), .dense(units: 3, relu: false),
        ]
        let layers = kinds.enumerated().map { index, kind in
            LayerPlan(
                name: "l\(index)", kind: kind,
                hasBatchNorm: normalised && [0, 1, 5].contains(index))
        }
        return try StudentShape(input: TensorShape(2, 4, 4), layers: layers)
    }

    @Test("the gradients of a network with it agree with finite differences")
    func network() throws {
        let shape = try graph(normalised: true)
        let parameters = graphParameters(shape, seed: 21)
        let raw = randomBytes(shape, rows: 8, seed: 22)
        let labels = (0..<8).map { Int32($0 % 3) }
        func evaluate(_ parameters: [Float]) throws -> (loss: Float, gradient: [Float]) {
            try FloatStudent(shape: shape, normalisation: pixels, parameters: parameters)
                .gradient(of: CrossEntropy(classes: 3), raw: raw, labels: labels)
        }
        let gradient = try evaluate(parameters).gradient
        let largest = try #require(gradient.map(\.magnitude).max())
        #expect(largest > 0.05)
        var compared = 0
        let step: Float = 2e-3
        for index in 0..<shape.logScaleOffset {
            var moved = parameters
            moved[index] += step
            let above = try evaluate(moved)
            moved[index] = parameters[index] - step
            let below = try evaluate(moved)
            // Past a kink the derivative differs on the two sides.
            guard abs(above.gradient[index] - below.gradient[index]) < 0.02 * largest else {
                continue
            }
            compared += 1
            let quotient = (above.loss - below.loss) / (2 * step)
            #expect(
                abs(quotient - gradient[index]) < 0.01 * largest,
                "parameter \(index): \(gradient[index]), by differences \(quotient)")
        }
        #expect(compared > shape.logScaleOffset * 2 / 3, "only \(compared) were smooth")
        // The mean takes a bias away again.
        for index in shape.parameterRanges(layer: 0).bias {
            #expect(gradient[index].magnitude < 1e-3 * largest)
        }
    }

    @Test("a trained network is handed out folded: it gives what it gave with batch normalisation")
    func folded() throws {
        let shape = try graph(normalised: true)
        let plain = try graph(normalised: false)
        let raw = randomBytes(shape, rows: 24, seed: 23)
        let labels = (0..<24).map { Int32($0 % 3) }
        var data = Table(features: shape.inputs, values: raw, classes: labels)
        let start = graphParameters(shape, seed: 24)
        // Nothing moves but the running mean and variance, which become the one batch's.
        var training = TrainingPlan(epochs: 200, batchSize: 24, learningRate: 0, momentum: 0)
        training.balancesClasses = false
        var random = SeededRandom(seed: 25)
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: start, training: training,
            arithmetic: .float32)
        _ = try trainer.train(on: &data, random: &random, progress: always)
        #expect(trainer.parameters != start)
        let loss = CrossEntropy(classes: 3)
        let before = try FloatStudent(shape: shape, normalisation: pixels, parameters: start)
            .gradient(of: loss, raw: raw, labels: labels).loss
        let after = try FloatStudent(
            shape: plain, normalisation: pixels, parameters: trainer.parameters
        ).gradient(of: loss, raw: raw, labels: labels).loss
        #expect(abs(before - after) < 1e-5)
        let unfolded = try FloatStudent(shape: plain, normalisation: pixels, parameters: start)
            .gradient(of: loss, raw: raw, labels: labels).loss
        #expect(abs(before - unfolded) > 1e-2)
    }
}
