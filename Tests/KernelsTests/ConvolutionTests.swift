import Kernels
import Testing

@Suite("Convolution and pooling")
struct ConvolutionTests {
    private let window = ImageWindow(
        height: 5, width: 4, channels: 3, kernelHeight: 3, kernelWidth: 2, strideHeight: 2,
        strideWidth: 1, paddingHeight: 1, paddingWidth: 1)

    @Test("sizes follow from the image, the kernel, the stride and the padding")
    func sizes() {
        #expect(window.outputHeight == 3)
        #expect(window.outputWidth == 5)
        #expect(window.positions == 15)
        #expect(window.taps == 6)
        #expect(window.patchLength == 18)
        #expect(window.imageLength == 60)
        let row = ImageWindow(
            height: 1, width: 9, channels: 1, kernelHeight: 1, kernelWidth: 4, strideWidth: 3)
        #expect(row.positions == 2)
    }

    @Test("patches times weights are the convolution, with the zero point outside the image")
    func convolution() {
        var random = Dice(seed: 5)
        let (rows, outputs) = (2, 7)
        let images = random.bytes(rows * window.imageLength, in: -128...127)
        let kernel = random.bytes(outputs * window.patchLength, in: -127...127)
        let zeroPoint: Int32 = -9
        var patches = Int8Matrix(rows: rows * window.positions, width: window.patchLength)
        Convolution.patches(
            of: Int8Matrix(rows: rows, width: window.imageLength, elements: images), rows: rows,
            window: window, zeroPoint: zeroPoint, into: &patches)
        var products = [Int32](repeating: 0, count: rows * window.positions * outputs)
        Int8Kernels.multiply(
            patches, rows: rows * window.positions,
            by: weights(kernel, channels: outputs, width: window.patchLength), into: &products)
        for (index, product) in products.enumerated() {
            let (position, output) = (index / outputs, index % outputs)
            var expected: Int32 = 0
            for element in 0..<window.patchLength {
                let source = source(position % window.positions, element)
                let image = position / window.positions * window.imageLength
                let value = source.map { Int32(images[image + $0]) } ?? zeroPoint
                expected += value * Int32(kernel[output * window.patchLength + element])
            }
            #expect(product == expected)
        }
    }

    @Test("adding patches is the transpose of taking them")
    func transpose() {
        var random = Dice(seed: 6)
        let rows = 2
        // Small integers, so that every sum is exact.
        let images = (0..<rows * window.imageLength).map { _ in Float(random.integer(in: -9...9)) }
        let count = rows * window.positions * window.patchLength
        let given = (0..<count).map { _ in Float(random.integer(in: -9...9)) }
        var patches = [Float](repeating: .nan, count: count)
        Convolution.patches(of: images, rows: rows, window: window, into: &patches)
        for index in patches.indices {
            let (position, element) = index.quotientAndRemainder(dividingBy: window.patchLength)
            let image = position / window.positions * window.imageLength
            let expected = source(position % window.positions, element).map { images[image + $0] }
            #expect(patches[index] == expected ?? 0)
        }
        var gradient = [Float](repeating: 1, count: images.count)
        Convolution.add(patches: given, rows: rows, window: window, to: &gradient)
        let forward = zip(patches, given).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        let backward = zip(images, gradient).reduce(Float(0)) { $0 + $1.0 * ($1.1 - 1) }
        #expect(forward == backward)
    }

    @Test("a depthwise convolution multiplies each channel by its own weights, and so backwards")
    func depthwise() {
        var random = Dice(seed: 7)
        let rows = 2
        let channels = window.channels
        let images = random.bytes(rows * window.imageLength, in: -9...9)
        let kernel = random.bytes(channels * window.taps, in: -9...9)
        let outputs = rows * window.positions * channels
        var products = [Int32](repeating: 0, count: outputs)
        Convolution.depthwise(
            Int8Matrix(rows: rows, width: window.imageLength, elements: images), rows: rows,
            window: window, zeroPoint: 0,
            by: weights(kernel, channels: channels, width: window.taps), into: &products)
        let gradient = (0..<outputs).map { _ in Float(random.integer(in: -3...3)) }
        var expected = [Int32](repeating: 0, count: outputs)
        var expectedWeight = [Float](repeating: 1, count: kernel.count)
        var expectedImage = [Float](repeating: 2, count: images.count)
        for index in products.indices {
            let (position, channel) = index.quotientAndRemainder(dividingBy: channels)
            let image = position / window.positions * window.imageLength
            for tap in 0..<window.taps {
                guard let source = source(position % window.positions, tap * channels + channel)
                else { continue }
                let weight = channel * window.taps + tap
                expected[index] += Int32(images[image + source]) * Int32(kernel[weight])
                expectedWeight[weight] += gradient[index] * Float(images[image + source])
                expectedImage[image + source] += gradient[index] * Float(kernel[weight])
            }
        }
        #expect(products == expected)

        var byWeight = [Float](repeating: 1, count: kernel.count)
        var byImage = [Float](repeating: 2, count: images.count)
        Convolution.depthwiseGradient(
            gradient, images: images.map { Float($0) }, rows: rows, window: window,
            weights: kernel.map { Float($0) }, weightGradient: &byWeight, imageGradient: &byImage)
        #expect(byWeight == expectedWeight)
        #expect(byImage == expectedImage)
        var alone = [Float](repeating: 1, count: kernel.count)
        Convolution.depthwiseGradient(
            gradient, images: images.map { Float($0) }, rows: rows, window: window,
            weights: kernel.map { Float($0) }, weightGradient: &alone)
        #expect(alone == expectedWeight)
    }

    @Test("max pooling finds each window's first largest value, and padding never wins")
    func maxPool() {
        let pool = ImageWindow(
            height: 3, width: 3, channels: 1, kernelHeight: 2, kernelWidth: 2, strideHeight: 2,
            strideWidth: 2, paddingHeight: 1, paddingWidth: 1)
        let images = Int8Matrix(
            rows: 2, width: 9,
            elements: [-128, -5, -5, -7, -6, -6, 1, 2, 3, 9, 8, 7, 6, 5, 4, 3, 2, 1])
        var output = Int8Matrix(rows: 2, width: 4)
        var winners = [Int32](repeating: -1, count: 8)
        Convolution.maxPool(images, rows: 2, window: pool, into: &output, winners: &winners)
        #expect(output.elements == [-128, -5, 1, 3, 9, 8, 6, 5])
        #expect(winners == [0, 1, 6, 8, 0, 1, 3, 4])
        var inference = Int8Matrix(rows: 2, width: 4)
        Convolution.maxPool(images, rows: 2, window: pool, into: &inference)
        #expect(inference.elements == output.elements)

        var gradient = [Float](repeating: 0, count: 18)
        Convolution.add(
            [1, 2, 3, 4, 5, 6, 7, 8], toWinners: winners, rows: 2, outputs: 4, inputs: 9,
            of: &gradient)
        #expect(gradient == [1, 2, 0, 0, 0, 0, 3, 0, 4, 5, 6, 0, 7, 8, 0, 0, 0, 0])
    }

    @Test("products of images are requantised as those of a dense layer")
    func requantise() {
        let products: [Int32] = [100, -100, 50, 7, -9, 300, 30, 20, 10, 5, 1, 0]
        let (bias, multipliers): ([Int32], [Float]) = ([1, -1], [0.5, 0.25])
        var images = Int8Matrix(rows: 2, width: 6)
        var scaled = [Float](repeating: 0, count: 12)
        Convolution.requantise(
            products, rows: 2, bias: bias, multipliers: multipliers, zeroPoint: -128,
            into: &images, scaled: &scaled)
        var flat = Int8Matrix(rows: 6, width: 2)
        var flatScaled = [Float](repeating: 0, count: 12)
        Int8Kernels.requantise(
            products, rows: 6, bias: bias, multipliers: multipliers, zeroPoint: -128, into: &flat,
            scaled: &flatScaled)
        #expect(images.elements == flat.elements)
        #expect(scaled == flatScaled)
        var untraced = Int8Matrix(rows: 2, width: 6)
        Convolution.requantise(
            products, rows: 2, bias: bias, multipliers: multipliers, zeroPoint: -128,
            into: &untraced)
        #expect(untraced.elements == images.elements)
    }

    /// The index in an image of a patch's element; nil outside.
    private func source(_ position: Int, _ element: Int) -> Int? {
        let (tap, channel) = element.quotientAndRemainder(dividingBy: window.channels)
        let y =
            position / window.outputWidth * window.strideHeight + tap / window.kernelWidth
            - window.paddingHeight
        let x =
            position % window.outputWidth * window.strideWidth + tap % window.kernelWidth
            - window.paddingWidth
        guard 0..<window.height ~= y, 0..<window.width ~= x else { return nil }
        return (y * window.width + x) * window.channels + channel
    }

    private func weights(_ values: [Int8], channels: Int, width: Int) -> Int8Weights {
        Int8Weights(
            weights: values, width: width, scales: [Float](repeating: 1, count: channels),
            bias: [Int32](repeating: 0, count: channels))
    }
}
