import Kernels
import Testing

@Suite("Weights that are trained as integers")
struct Int8TrainingTests {
    private let width = 37

    /// Weights of this many channels, with their fp32 values.
    private func example(_ channels: Int, seed: UInt64) -> (weights: Int8Weights, real: [Float]) {
        var random = Dice(seed: seed)
        let values = (0..<channels * width).map { _ in (random.unit() - 0.5) * 3 }
        var weights = Int8Weights(channels: channels, width: width)
        weights.quantise(
            weights: values, bias: [Float](repeating: 0, count: channels), inputScale: 1)
        var real = [Float](repeating: 0, count: channels * width)
        weights.dequantise(0..<channels, into: &real)
        return (weights, real)
    }

    @Test("weights come back in fp32, all at once or in blocks")
    func dequantise() {
        let (weights, real) = example(40, seed: 1)
        let integers = weights.matrix.elements
        for (index, value) in real.enumerated() {
            #expect(value == Float(integers[index]) * weights.scales[index / width])
        }
        for block in [0..<16, 16..<32, 32..<40] {
            var part = [Float](repeating: 0, count: 16 * width)
            weights.dequantise(block, into: &part)
            let place = block.lowerBound * width..<block.upperBound * width
            #expect(Array(part[..<place.count]) == Array(real[place]))
        }
    }

    @Test("blocks are rounded like the whole, and leave other channels alone")
    func blocks() {
        let (weights, real) = example(40, seed: 2)
        var changed = weights
        let zeros = [Float](repeating: 0, count: 16 * width)
        changed.quantise(
            16..<32, weights: Array(real[16 * width..<32 * width]), bias: zeros, inputScale: 1)
        #expect(changed.matrix.elements == weights.matrix.elements)
        #expect(changed.scales == weights.scales)
        #expect(changed.sums == weights.sums)
        changed.round(16..<32, weights: real.map { $0 * 0.9 }, key: 5)
        let (before, after) = (weights.matrix.elements, changed.matrix.elements)
        #expect(after[..<(16 * width)] == before[..<(16 * width)])
        #expect(after[(32 * width)...] == before[(32 * width)...])
        #expect(after != before)
        for channel in 0..<40 {
            let row = after[channel * width..<(channel + 1) * width]
            #expect(changed.sums[channel] == row.reduce(0) { $0 + Int32($1) })
        }
    }

    @Test("small movements add up, which rounding to the nearest would lose")
    func smallMovements() {
        var (weights, real) = example(16, seed: 3)
        let start = real
        let scales = weights.scales
        // The first of each channel stays its largest, and so the scale stays.
        let steps = 200
        for step in 0..<steps {
            weights.dequantise(0..<16, into: &real)
            for index in real.indices {
                let isLargest = weights.matrix.elements[index].magnitude == 127
                real[index] +=
                    isLargest ? 0 : (start[index] > 0 ? -0.05 : 0.05) * scales[index / width]
            }
            var nearest = weights
            nearest.quantise(
                weights: real, bias: [Float](repeating: 0, count: 16), inputScale: 1)
            #expect(nearest.matrix.elements == weights.matrix.elements)
            weights.round(0..<16, weights: real, key: UInt64(step))
        }
        #expect(weights.scales == scales)
        weights.dequantise(0..<16, into: &real)
        var (sum, count) = (0.0, 0)
        for index in real.indices where abs(start[index]) < 100 * scales[index / width] {
            let moved = (real[index] - start[index]) / scales[index / width]
            sum += Double(start[index] > 0 ? -moved : moved)
            count += 1
        }
        // 200 steps of 0.05: ten units, with a deviation of sqrt(200 * 0.05 * 0.95) a weight.
        #expect(abs(sum / Double(count) - 10) < 4 * 3.1 / Double(count).squareRoot())
    }

    @Test("a scale grows when a weight leaves 127, and is halved when half would do")
    func rescaling() {
        var weights = Int8Weights(channels: 4, width: 2)
        weights.quantise(
            weights: [127, 64, 127, 64, 127, 64, 0, 0], bias: [0, 0, 0, 0], inputScale: 1)
        #expect(weights.scales == [1, 1, 1, 1])
        // Beyond 127; as it was; less than half; out of nothing.
        weights.round(0..<4, weights: [168, 64, 127, 64, 63, 10, 0.007, 0.001], key: 1)
        #expect(weights.scales[0] == 1.5)
        #expect(weights.scales[1...2] == [1, 0.5])
        #expect(weights.scales[3] == 0x1p-14)
        let integers = weights.matrix.elements
        #expect(integers[0] == 112)
        #expect([42, 43].contains(integers[1]))
        #expect(integers[2...5] == [127, 64, 126, 20])
        #expect([114, 115].contains(integers[6]))
    }

    @Test("a weight that is not finite makes its channel's scale so, and no other")
    func notFinite() {
        for bad: Float in [.nan, .infinity, -.infinity] {
            var (weights, real) = example(3, seed: 4)
            real[width + 20] = bad
            weights.round(0..<3, weights: real, key: 1)
            #expect(weights.scales.map(\.isFinite) == [true, false, true])
        }
    }

    @Test("biases are rounded to the weights' scales, within 2^22")
    func bias() {
        var (weights, _) = example(4, seed: 5)
        let scales = weights.scales
        weights.setBias([0.5, -1e9, 1e9, .nan], inputScale: 0.25)
        let exact = (0.5 / (0.25 * Double(scales[0]))).rounded(.toNearestOrEven)
        #expect(weights.bias == [Int32(exact), -(1 << 22), 1 << 22, 0])
        #expect(weights.scales == scales)
    }

    @Test("the fused layer gives images as patches, product and requantising do")
    func images() {
        var random = Dice(seed: 6)
        // 15 and 16 values a pixel: with and without padding between images.
        for channels in [15, 16] {
            let window = ImageWindow(
                height: 5, width: 3, channels: 2, kernelHeight: 3, kernelWidth: 3,
                paddingHeight: 1, paddingWidth: 1)
            let images = Int8Matrix(
                rows: 4, width: 30, elements: random.bytes(4 * 30, in: -128...127))
            let weights = Int8Weights(
                weights: random.bytes(channels * 18, in: -127...127), width: 18,
                scales: [Float](repeating: 1, count: channels),
                bias: (0..<channels).map { _ in random.integer(in: -900...900) })
            let multipliers = (0..<channels).map { _ in random.unit() * 0.005 }
            var patches = Int8Matrix(rows: 4 * 15, width: 18)
            Convolution.patches(
                of: images, rows: 4, window: window, zeroPoint: -3, into: &patches)
            var products = [Int32](repeating: 0, count: 4 * 15 * channels)
            Int8Kernels.multiply(patches, rows: 60, by: weights, into: &products)
            var expected = Int8Matrix(rows: 4, width: 15 * channels)
            var expectedScaled = [Float](repeating: 0, count: products.count)
            Convolution.requantise(
                products, rows: 4, bias: weights.bias, multipliers: multipliers, zeroPoint: -128,
                into: &expected, scaled: &expectedScaled)
            var output = Int8Matrix(rows: 4, width: 15 * channels)
            var scaled = [Float](repeating: 0, count: products.count)
            for first in [0, 2] {
                Convolution.patches(
                    of: images, from: first, rows: 2, window: window, zeroPoint: -3,
                    into: &patches)
                Int8Kernels.layer(
                    patches, rows: 2, weights: weights, bias: weights.bias,
                    multipliers: multipliers, zeroPoint: -128, into: &output, from: first,
                    scaled: &scaled)
            }
            #expect(output.values == expected.values)
            #expect(scaled == expectedScaled)
        }
    }
}
