import Kernels
import Testing

@Suite("Integer kernels")
struct Int8KernelsTests {
    @Test("every instruction set gives the plain sum of products, whatever the sizes")
    func products() {
        var random = Dice(seed: 1)
        let sizes = [
            (1, 1, 1), (1, 3, 63), (2, 4, 64), (3, 5, 65), (7, 9, 130), (13, 10, 784),
            (32, 33, 200),
        ]
        for (rows, channels, width) in sizes {
            let input = random.bytes(rows * width, in: -128...127)
            let weights = random.bytes(channels * width, in: -127...127)
            check(input, weights, rows: rows, channels: channels, width: width)
        }
    }

    @Test("the largest values do not saturate")
    func extremes() {
        let width = 1024
        for (value, weight) in [(-128, -127), (-128, 127), (127, 127), (127, -127)] {
            check(
                [Int8](repeating: Int8(value), count: 2 * width),
                [Int8](repeating: Int8(weight), count: 5 * width), rows: 2, channels: 5,
                width: width)
        }
    }

    @Test("an instruction set that does not exist is refused")
    func unknownInstructionSet() {
        var products: [Int32] = [7]
        let weights = Int8Weights(weights: [1], width: 1, scales: [1], bias: [0])
        let ran = Int8Kernels.multiply(
            Int8Matrix(rows: 1, width: 1), rows: 1, by: weights, into: &products,
            instructionSet: "abacus")
        #expect(!ran)
        #expect(products == [7])
    }

    @Test("the instruction set in use is one of those available, and scalar always is")
    func detection() {
        #expect(CPU.availableInstructionSets.contains(CPU.instructionSet))
        #expect(CPU.availableInstructionSets.contains("scalar"))
        #expect(CPU.features.split(separator: " ").map(String.init) == CPU.availableInstructionSets)
    }

    @Test("requantising multiplies, clamps, rounds half to even and then adds the zero point")
    func requantise() {
        var random = Dice(seed: 2)
        let (rows, channels) = (9, 37)
        for zeroPoint: Int32 in [0, -128, 5] {
            let products = (0..<rows * channels).map { _ in random.integer(in: -60_000...60_000) }
            let bias = (0..<channels).map { _ in random.integer(in: -9_000...9_000) }
            let multipliers = (0..<channels).map { _ in random.unit() * 0.006 }
            var output = Int8Matrix(rows: rows, width: channels)
            var scaled = [Float](repeating: 0, count: rows * channels)
            Int8Kernels.requantise(
                products, rows: rows, bias: bias, multipliers: multipliers, zeroPoint: zeroPoint,
                into: &output, scaled: &scaled)
            let elements = output.elements
            for index in products.indices {
                let channel = index % channels
                let real = Float(products[index] + bias[channel]) * multipliers[channel]
                let low = Float(-128 - zeroPoint)
                let high = Float(127 - zeroPoint)
                let rounded = min(max(real, low), high).rounded(.toNearestOrEven)
                #expect(scaled[index] == real)
                #expect(Int32(elements[index]) == Int32(rounded) + zeroPoint)
            }
            var untraced = Int8Matrix(rows: rows, width: channels)
            Int8Kernels.requantise(
                products, rows: rows, bias: bias, multipliers: multipliers, zeroPoint: zeroPoint,
                into: &untraced)
            #expect(untraced.elements == elements)
        }
    }

    @Test("a layer in one step is the product and then the requantising")
    func layer() {
        var random = Dice(seed: 9)
        let (rows, channels, width) = (5, 19, 33)
        let input = Int8Matrix(
            rows: rows, width: width, elements: random.bytes(rows * width, in: -128...127))
        let multipliers = (0..<channels).map { _ in random.unit() * 0.002 }
        let weights = Int8Weights(
            weights: random.bytes(channels * width, in: -127...127), width: width,
            scales: [Float](repeating: 1, count: channels),
            bias: (0..<channels).map { _ in random.integer(in: -9_000...9_000) })
        var products = [Int32](repeating: 0, count: rows * channels)
        var (separate, fused, traced) = (
            Int8Matrix(rows: rows, width: channels), Int8Matrix(rows: rows, width: channels),
            Int8Matrix(rows: rows, width: channels)
        )
        var separateScaled = [Float](repeating: 0, count: rows * channels)
        var scaled = separateScaled
        Int8Kernels.multiply(input, rows: rows, by: weights, into: &products)
        Int8Kernels.requantise(
            products, rows: rows, bias: weights.bias, multipliers: multipliers, zeroPoint: -128,
            into: &separate, scaled: &separateScaled)
        Int8Kernels.layer(
            input, rows: rows, weights: weights, bias: weights.bias, multipliers: multipliers,
            zeroPoint: -128, into: &fused)
        Int8Kernels.layer(
            input, rows: rows, weights: weights, bias: weights.bias, multipliers: multipliers,
            zeroPoint: -128, into: &traced, scaled: &scaled)
        #expect(fused.elements == separate.elements)
        #expect(traced.elements == separate.elements)
        #expect(scaled == separateScaled)
    }

    @Test("halves round to the even neighbour")
    func halves() {
        var output = Int8Matrix(rows: 1, width: 6)
        Int8Kernels.requantise(
            [1, 3, 5, -1, -3, -5], rows: 1, bias: [0, 0, 0, 0, 0, 0],
            multipliers: [Float](repeating: 0.5, count: 6), zeroPoint: 0, into: &output)
        #expect(output.elements == [0, 2, 2, 0, -2, -2])
    }

    @Test("quantising divides, saturates and takes NaN for the lowest value")
    func quantise() {
        let encoding = Int8Encoding(scale: 0.3, zeroPoint: 0)
        var values: [Float] = [0, 0.45, 0.75, -0.45, 1e30, -.infinity, .nan, 38.1, 38.4]
        let given = values
        var output = Int8Matrix(rows: 1, width: values.count)
        Int8Kernels.quantise(&values, rows: 1, as: encoding, into: &output)
        let expected = given.map { value -> Int8 in
            if value.isNaN { return -128 }
            let rounded = (value / encoding.scale).rounded(.toNearestOrEven)
            return Int8(min(max(rounded, -128), 127))
        }
        #expect(output.elements == expected)
        for index in 0..<6 { #expect(values[index] == given[index] / encoding.scale) }

        var real = [Float](repeating: 0, count: given.count)
        Int8Kernels.dequantise(output, rows: 1, as: encoding, into: &real)
        #expect(real == expected.map { Float($0) * encoding.scale })
    }

    @Test("normalising subtracts and divides, by one value or by one a feature")
    func normalise() {
        var shared: [Float] = [3, 5, 7, 9]
        Int8Kernels.normalise(&shared, rows: 2, features: 2, offset: [1], scale: [4])
        #expect(shared == [0.5, 1, 1.5, 2])
        var each: [Float] = [3, 5, 7, 9, 11]
        Int8Kernels.normalise(&each, rows: 2, features: 2, offset: [1, 5], scale: [2, 4])
        #expect(each == [1, 0, 3, 1, 11])
    }

    @Test("rows beyond those in use are left alone")
    func partialBatch() {
        var values: [Float] = [1, 2, 3, 4]
        var output = Int8Matrix(rows: 2, width: 2, elements: [9, 9, 9, 9])
        Int8Kernels.quantise(
            &values, rows: 1, as: Int8Encoding(scale: 1, zeroPoint: 0), into: &output)
        #expect(output.elements == [1, 2, 9, 9])
        #expect(values == [1, 2, 3, 4])
    }

    @Test("the quantiser's gradient passes straight through inside the clamp and stops outside")
    func quantiserGradient() {
        let encoding = Int8Encoding(scale: 0.5, zeroPoint: -128)
        // ReLU: the clamp is [0, 255] in units of the scale.
        let scaled: [Float] = [-3, 0, 1.25, 1.75, 255, 255.5, 300]
        var gradient: [Float] = [1, 2, 3, 5, 7, 11, 13]
        let byScale = Int8Kernels.gradient(
            scaled: scaled, count: scaled.count, encoding: encoding, gradient: &gradient)
        #expect(gradient == [0, 2, 3, 5, 7, 0, 0])
        // Outside: bound; inside: rounded - scaled.
        let expected: Float = 1 * 0 + 3 * (-0.25) + 5 * 0.25 + 11 * 255 + 13 * 255
        #expect(byScale == expected)
    }

    private func check(_ input: [Int8], _ weights: [Int8], rows: Int, channels: Int, width: Int) {
        var expected: [Int32] = []
        for row in 0..<rows {
            for channel in 0..<channels {
                expected.append(
                    (0..<width).reduce(0) {
                        $0 + Int32(input[row * width + $1]) * Int32(weights[channel * width + $1])
                    })
            }
        }
        let matrix = Int8Matrix(rows: rows, width: width, elements: input)
        let prepared = Int8Weights(
            weights: weights, width: width, scales: [Float](repeating: 1, count: channels),
            bias: [Int32](repeating: 0, count: channels))
        for name in CPU.availableInstructionSets {
            var products = [Int32](repeating: .min, count: rows * channels)
            let ran = Int8Kernels.multiply(
                matrix, rows: rows, by: prepared, into: &products, instructionSet: name)
            #expect(ran)
            #expect(products == expected, "\(name) at \(rows) x \(channels) x \(width)")
        }
    }
}
