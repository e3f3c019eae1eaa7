import Kernels
import Testing

@Suite("Inputs that are rounded")
struct RoundedInputTests {
    private static let (rows, width, channels) = (9, 45, 12)
    private var random = Dice(seed: 6)

    @Test("bytes become what the same numbers become", arguments: [0.001, 0.0039, 0.02] as [Float])
    mutating func byteTable(scale: Float) {
        let bytes = (0..<Self.rows * Self.width).map { _ in UInt8(truncatingIfNeeded: random.bits())
        }
        let encoding = Int8Encoding(scale: scale, zeroPoint: 0)
        var values = bytes.map { Float($0) }
        Int8Kernels.normalise(
            &values, rows: Self.rows, features: Self.width, offset: [30], scale: [255])
        var expected = Int8Matrix(rows: Self.rows, width: Self.width)
        Int8Kernels.quantise(&values, rows: Self.rows, as: encoding, into: &expected)

        var table = ByteTable(offset: 30, scale: 255)
        table.quantise(as: encoding)
        var got = Int8Matrix(rows: Self.rows, width: Self.width)
        table.quantise(bytes, rows: Self.rows, into: &got)
        #expect(got.values == expected.values)

        let (gradient, weights) = layer()
        var ofBytes = RoundedInput(rows: Self.rows, width: Self.width, channels: Self.channels)
        var ofValues = ofBytes
        ofBytes.note(bytes: bytes, rows: Self.rows, table: table)
        ofValues.note(scaled: values, rows: Self.rows, encoding: encoding)
        #expect(
            ofBytes.gradientByScale(gradient, rows: Self.rows, weights: weights)
                == ofValues.gradientByScale(gradient, rows: Self.rows, weights: weights))
    }

    @Test(
        "the gradient by the scale is LSQ's of the gradient by the input", arguments: [false, true])
    mutating func gradientByScale(clamps: Bool) {
        let encoding = Int8Encoding(scale: 0.5, zeroPoint: 0)
        let size: Float = clamps ? 400 : 200
        let scaled = (0..<Self.rows * Self.width).map { _ in (random.unit() - 0.5) * size }
        #expect(clamps == scaled.contains { $0 > 127 || $0 < -128 })
        let (gradient, weights) = layer()
        var input = RoundedInput(rows: Self.rows, width: Self.width, channels: Self.channels)
        // Whatever the batch before left must not count.
        input.note(scaled: scaled.map { $0 * 3 }, rows: Self.rows, encoding: encoding)
        input.note(scaled: scaled, rows: Self.rows, encoding: encoding)
        let got = input.gradientByScale(gradient, rows: Self.rows, weights: weights)

        let elements = weights.matrix.elements
        var (expected, square) = (0.0, 0.0)
        for (index, value) in scaled.enumerated() {
            var byInput = 0.0
            for channel in 0..<Self.channels {
                let weight =
                    Double(elements[channel * Self.width + index % Self.width])
                    * Double(weights.scales[channel])
                byInput += Double(gradient[index / Self.width * Self.channels + channel]) * weight
            }
            let bounded = min(max(value, encoding.low), encoding.high)
            let moved = bounded == value ? value.rounded(.toNearestOrEven) - value : bounded
            expected += byInput * Double(moved)
            square += byInput * byInput
        }
        // The error of each value is kept to 1/129032.
        #expect(abs(Double(got) - expected) < 0.00002 * square.squareRoot())
        #expect(abs(expected) > 0.02 * square.squareRoot())
    }

    @Test("the gradient through a convolution is that through the sum of its windows")
    mutating func convolution() {
        let window = ImageWindow(
            height: 5, width: 6, channels: 2, kernelHeight: 3, kernelWidth: 2, strideHeight: 2,
            paddingHeight: 1, paddingWidth: 1)
        let (images, channels) = (30, 700)
        let encoding = Int8Encoding(scale: 0.5, zeroPoint: 0)
        let scaled = (0..<images * window.imageLength).map { _ in (random.unit() - 0.5) * 300 }
        let gradient = (0..<images * window.positions * channels).map { _ in random.unit() - 0.5 }
        var weights = Int8Weights(channels: channels, width: window.patchLength)
        weights.quantise(
            weights: (0..<channels * window.patchLength).map { _ in random.unit() - 0.5 },
            bias: [Float](repeating: 0, count: channels), inputScale: 1)
        var input = RoundedInput(
            rows: images, width: window.imageLength, window: window, channels: channels)
        input.note(scaled: scaled, rows: images, encoding: encoding)
        let got = input.gradientByScale(gradient, rows: images, weights: weights)

        let moved = scaled.map { value in
            let bounded = min(max(value, encoding.low), encoding.high)
            return bounded == value ? value.rounded(.toNearestOrEven) - value : bounded
        }
        var patches = [Float](
            repeating: 0, count: images * window.positions * window.patchLength)
        Convolution.patches(of: moved, rows: images, window: window, into: &patches)
        let elements = weights.matrix.elements
        var (expected, square) = (0.0, 0.0)
        for patch in 0..<images * window.positions {
            for channel in 0..<channels {
                var sum = 0.0
                for tap in 0..<window.patchLength {
                    sum +=
                        Double(elements[channel * window.patchLength + tap])
                        * Double(patches[patch * window.patchLength + tap])
                }
                let term =
                    sum * Double(weights.scales[channel])
                    * Double(gradient[patch * channels + channel])
                expected += term
                square += term * term
            }
        }
        #expect(abs(Double(got) - expected) < 0.0001 * square.squareRoot())
    }

    private mutating func layer() -> (gradient: [Float], weights: Int8Weights) {
        let gradient = (0..<Self.rows * Self.channels).map { _ in random.unit() - 0.5 }
        let values = (0..<Self.channels * Self.width).map { _ in random.unit() - 0.5 }
        var weights = Int8Weights(channels: Self.channels, width: Self.width)
        weights.quantise(
            weights: values, bias: [Float](repeating: 0, count: Self.channels), inputScale: 1)
        return (gradient, weights)
    }
}
