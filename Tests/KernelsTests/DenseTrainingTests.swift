import Kernels
import Testing

@Suite("The backward pass of dense layers")
struct DenseTrainingTests {
    private static let (outputs, width) = (21, 50)
    private var random = Dice(seed: 4)

    private mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in random.unit() - 0.5 }
    }

    /// A batch at channels 2 ..< 19 of a layer, and its input in reals.
    private mutating func example(
        rows: Int, zeroPoint: Int32
    ) -> (batch: DenseBatch, gradient: [Float], input: [Double]) {
        let encoding = Int8Encoding(scale: 0.02, zeroPoint: zeroPoint)
        let bytes = random.bytes(rows * Self.width, in: -128...127)
        let gradient = floats(rows * Self.outputs)
        let batch = DenseBatch(
            gradient: gradient, outputs: Self.outputs, channels: 2..<19, rows: rows,
            input: Int8Matrix(rows: rows, width: Self.width, elements: bytes), encoding: encoding)
        return (batch, gradient, bytes.map { Double(Int32($0) - zeroPoint) * 0.02 })
    }

    @Test(
        "the gradient by the weights is the product of reals to five digits",
        arguments: [(1, 0), (7, -128), (32, 0), (128, -128), (129, 0), (300, -128)])
    mutating func weightGradient(rows: Int, zeroPoint: Int32) {
        let (batch, gradient, input) = example(rows: rows, zeroPoint: zeroPoint)
        var got = [Float](repeating: .nan, count: batch.weights)
        DenseTraining.weightGradient(batch, into: &got)
        for (index, value) in got.enumerated() {
            let (channel, column) = (index / Self.width + 2, index % Self.width)
            var (expected, size) = (0.0, 0.0)
            for row in 0..<rows {
                let product =
                    Double(gradient[row * Self.outputs + channel])
                    * input[row * Self.width + column]
                expected += product
                size += product * product
            }
            #expect(abs(Double(value) - expected) < 1e-4 * size.squareRoot() + 1e-5)
        }
    }

    @Test("weights descend along the gradient as if it had been kept")
    mutating func descent() {
        let (batch, _, _) = example(rows: 30, zeroPoint: -128)
        var gradient = [Float](repeating: 0, count: batch.weights)
        DenseTraining.weightGradient(batch, into: &gradient)
        let steps = [
            DescentStep(learningRate: 0.1),
            DescentStep(learningRate: 0.1, momentum: 0.9),
            DescentStep(learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01),
            DescentStep(learningRate: 0.1, weightDecay: 0.01, pull: 0.5),
        ]
        for step in steps {
            let count = batch.weights + 11
            var kept = DescendingValues(
                values: floats(count), velocity: step.momentum > 0 ? floats(count) : [],
                start: step.pull > 0 ? floats(count) : [])
            let before = kept
            var atOnce = kept
            kept.descend(from: 6, count: batch.weights, along: gradient, step)
            atOnce.descend(from: 6, along: batch, step)
            #expect(kept.values == atOnce.values)
            #expect(kept.velocity == atOnce.velocity)
            #expect(kept.values != before.values)
            let outside = Array(0..<6) + Array(count - 5..<count)
            #expect(outside.allSatisfy { kept.values[$0] == before.values[$0] })
            for index in 0..<batch.weights {
                let value = before.values[index + 6]
                var direction = gradient[index] + step.weightDecay * value
                if step.pull > 0 { direction += step.pull * (value - before.start[index + 6]) }
                if step.momentum > 0 {
                    let velocity = step.momentum * before.velocity[index + 6] + direction
                    direction = step.nesterov ? direction + step.momentum * velocity : velocity
                }
                #expect(abs(kept.values[index + 6] - (value - 0.1 * direction)) < 1e-6)
            }
        }
    }

    @Test("a gradient that is not finite does not pass for one that is")
    mutating func divergence() {
        for bad in [Float.nan, .infinity, -.infinity] {
            var gradient = floats(4 * Self.outputs)
            gradient[2 * Self.outputs + 5] = bad
            let batch = DenseBatch(
                gradient: gradient, outputs: Self.outputs, channels: 0..<Self.outputs, rows: 4,
                input: Int8Matrix(rows: 4, width: Self.width),
                encoding: Int8Encoding(scale: 1, zeroPoint: -128))
            var got = [Float](repeating: 0, count: batch.weights)
            DenseTraining.weightGradient(batch, into: &got)
            for (index, value) in got.enumerated() {
                #expect(value.isFinite == (index / Self.width != 5))
            }
        }
    }

    @Test("the gradient by the input is the product of reals, over some channels or all")
    mutating func inputGradient() {
        let rows = 6
        let (batch, gradient, _) = example(rows: rows, zeroPoint: 0)
        let weights = floats(3 + batch.weights)
        let given = floats(rows * Self.width)
        for adds in [false, true] {
            var got = given
            DenseTraining.inputGradient(
                batch, weights: MatrixPart(weights, offset: 3, stride: Self.width), adds: adds,
                into: &got)
            for (index, value) in got.enumerated() {
                let (row, column) = (index / Self.width, index % Self.width)
                var expected = adds ? Double(given[index]) : 0
                for channel in 0..<17 {
                    expected +=
                        Double(gradient[row * Self.outputs + channel + 2])
                        * Double(weights[3 + channel * Self.width + column])
                }
                #expect(abs(Double(value) - expected) < 1e-5)
            }
        }
    }
}
