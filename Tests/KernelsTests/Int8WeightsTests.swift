import Kernels
import Testing

@Suite("Weight quantisation")
struct Int8WeightsTests {
    @Test("each channel is scaled by its largest weight over 127 and rounded half to even")
    func channels() {
        var random = Dice(seed: 3)
        let (channels, width) = (6, 71)
        let weights = (0..<channels * width).map { _ in (random.unit() - 0.5) * 3 }
        let bias = (0..<channels).map { _ in random.unit() - 0.5 }
        var rounded = Int8Weights(channels: channels, width: width)
        rounded.quantise(weights: weights, bias: bias, inputScale: 0.02)
        let elements = rounded.matrix.elements
        for channel in 0..<channels {
            let row = weights[channel * width..<(channel + 1) * width]
            let largest = row.map(\.magnitude).max() ?? 0
            let scale = rounded.scales[channel]
            #expect((scale - largest / 127).magnitude <= scale.ulp)
            let integers = elements[channel * width..<(channel + 1) * width]
            for (weight, integer) in zip(row, integers) {
                #expect(Float(integer) == (weight / scale).rounded(.toNearestOrEven))
            }
            #expect(integers.map { abs(Int($0)) }.max() == 127)
            #expect(rounded.sums[channel] == integers.reduce(0) { $0 + Int32($1) })
            let unit = 0.02 as Float
            let exact = Double(bias[channel]) / (Double(unit) * Double(scale))
            #expect(Double(rounded.bias[channel]) == exact.rounded(.toNearestOrEven))
        }
    }

    @Test("a channel of zeros has scale 1, and its bias stays within the integer range")
    func zeroChannel() {
        var rounded = Int8Weights(channels: 3, width: 2)
        rounded.quantise(weights: [0, 0, 0, 0, 1e-30, 0], bias: [0, 2.5, 3], inputScale: 0.01)
        #expect(rounded.scales[0] == 1)
        #expect(rounded.matrix.elements == [0, 0, 0, 0, 0, 0])
        #expect(rounded.bias[0] == 0)
        for (channel, bias) in [(1, 2.5), (2, 3.0)] {
            #expect(rounded.scales[channel] > 0)
            #expect(rounded.bias[channel].magnitude <= 1 << 22)
            let unit = Double(0.01 as Float) * Double(rounded.scales[channel])
            #expect((Double(rounded.bias[channel]) * unit - bias).magnitude < 1e-2)
        }
    }

    @Test("quantising dequantised weights changes nothing")
    func fixedPoint() {
        var random = Dice(seed: 4)
        let (channels, width) = (400, 3)
        let weights = (0..<channels * width).map { _ in (random.unit() - 0.5) * 3 }
        let bias = (0..<channels).map { _ in random.unit() - 0.5 }
        let inputScale: Float = 0.0137
        var first = Int8Weights(channels: channels, width: width)
        first.quantise(weights: weights, bias: bias, inputScale: inputScale)
        let real = first.matrix.elements.enumerated().map {
            Float($0.element) * first.scales[$0.offset / width]
        }
        let realBias = zip(first.bias, first.scales).map {
            Float(Double($0) * Double(inputScale) * Double($1))
        }
        var second = Int8Weights(channels: channels, width: width)
        second.quantise(weights: real, bias: realBias, inputScale: inputScale)
        #expect(second.matrix.elements == first.matrix.elements)
        #expect(second.scales == first.scales)
        #expect(second.bias == first.bias)
    }

    @Test("rows are padded to 8 with zeros, and the elements come back without the padding")
    func padding() {
        let matrix = Int8Matrix(rows: 2, width: 3, elements: [1, 2, 3, 4, 5, 6])
        #expect(matrix.stride == 8)
        #expect(matrix.values.count == 16)
        #expect(matrix.values.filter { $0 != 0 } == [1, 2, 3, 4, 5, 6])
        #expect(matrix.elements == [1, 2, 3, 4, 5, 6])
    }
}
