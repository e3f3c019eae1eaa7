import Federation
import Kernels

/// The backward pass: takes a loss's gradient from a layer's output to its input, and sets
/// the gradients of its parameters.
///
/// Images have their channels innermost. In fp32 training layers are fed reals, in integer training
/// bytes, whose products with a gradient are exact.
struct Backpropagation: Sendable {
    /// The loss's gradient by the current layer's output [rows x outputs]; after `pass`, by its
    /// input.
    var gradient: [Float]

    private let shape: StudentShape
    private let windows: [ImageWindow?]
    /// Which of the student's layers with weights each layer is.
    private let weightIndices: [Int?]
    private var inputGradient: [Float]
    /// Of a few images at a time, so that they stay in the cache and memory does not grow with the
    /// batch.
    private var patches: [Float]
    /// The gradient that additions bring to an activation, for the activations that are added.
    private var pending: [[Float]]
    private let addends: [Int?]

    /// - Parameter capacity: most rows of a pass.
    init(shape: StudentShape, capacity: Int) {
        var memory = PlannedMemory()
        self.init(
            shape: shape, capacity: capacity, inputs: .reals, reachesInput: true, memory: &memory)
    }

    /// What dense layers and convolutions over all channels are fed.
    enum Inputs {
        case reals, bytes
    }

    /// - Parameter reachesInput: whether it is taken back to the network's input.
    init(
        shape: StudentShape, capacity: Int, inputs: Inputs, reachesInput: Bool,
        memory: inout PlannedMemory
    ) {
        self.shape = shape
        windows = shape.layers.indices.map { shape.window(layer: $0) }
        addends = shape.layers.indices.map { shape.addend(layer: $0) }
        let weighted = shape.weightedLayers
        weightIndices = shape.layers.indices.map { weighted.firstIndex(of: $0) }
        let widest = shape.widths.dropFirst(reachesInput ? 0 : 1).max() ?? 0
        gradient = memory.buffer(0, count: capacity * widest)
        inputGradient = memory.buffer(0, count: capacity * widest)
        let counts = shape.layers.indices.map { layer in
            guard case .conv(let conv) = shape.layers[layer].kind, !conv.isDepthwise,
                let window = shape.window(layer: layer), inputs == .bytes || !window.isPointwise
            else { return 0 }
            return min(Backpropagation.rowsTogether(of: window), capacity) * window.positions
                * window.patchLength
        }
        patches = memory.buffer(0, count: counts.dropFirst(reachesInput ? 0 : 1).max() ?? 0)
        let added = Set(addends.compactMap { $0 })
        pending = []
        for (index, activation) in shape.activations.enumerated() {
            pending.append(
                memory.buffer(0, count: added.contains(index) ? capacity * activation.count : 0))
        }
    }

    /// Images whose patches are made at a time: as many as stay in a processor's second cache with
    /// what they are multiplied by.
    private static func rowsTogether(of window: ImageWindow) -> Int {
        max(1, (1 << 16) / (window.positions * window.patchLength))
    }

    /// Gives up the buffers.
    mutating func forget() { (gradient, inputGradient, patches, pending) = ([], [], [], []) }

    /// Adds to `gradient` what later additions brought to the output of layer `layer`.
    mutating func collect(layer: Int, rows: Int) {
        guard !pending[layer + 1].isEmpty else { return }
        for index in 0..<rows * shape.activations[layer + 1].count {
            gradient[index] += pending[layer + 1][index]
            pending[layer + 1][index] = 0
        }
    }

    /// Takes `gradient` through a layer with weights or an average.
    ///
    /// - Parameter input: the layer's input [rows x inputs].
    mutating func pass(
        layer: Int, input: [Float], rows: Int, parameters: inout some DifferentiatedWeights
    ) {
        if let index = weightIndices[layer] {
            let output = shape.activations[layer + 1]
            parameters.differentiateBias(index, gradient: gradient, rows: rows * output.area)
            let together = parameters.channelsTogether(index)
            WeightBlock.forEach(of: output.channels, size: together) { channels in
                parameters.differentiate(index, channels: channels) { weights, weightGradient in
                    let block = Block(channels: channels, weights: weights)
                    pass(layer, block, input: input, rows: rows, &weightGradient)
                }
            }
        } else {
            passAverage(layer: layer, rows: rows)
        }
        swap(&gradient, &inputGradient)
    }

    /// As `pass` through a dense layer, or a convolution over all channels, whose input is bytes.
    ///
    /// - Parameters:
    ///   - patches: of a convolution, room for those of one image or more.
    ///   - wantsInput: whether `gradient` is to become that by the input; otherwise what it holds
    ///     does not matter.
    mutating func pass(
        product layer: Int, input: ByteInput, patches bytePatches: inout Int8Matrix, rows: Int,
        wantsInput: Bool, parameters: inout some DifferentiatedWeights
    ) {
        guard let index = weightIndices[layer] else { return }
        let output = shape.activations[layer + 1]
        parameters.differentiateBias(index, gradient: gradient, rows: rows * output.area)
        if let window = windows[layer], wantsInput { clearInput(rows * window.imageLength) }
        let together = parameters.channelsTogether(index)
        WeightBlock.forEach(of: output.channels, size: together) { channels in
            guard let window = windows[layer] else {
                let batch = DenseBatch(
                    gradient: gradient, outputs: output.count, channels: channels, rows: rows,
                    input: input.values, encoding: input.encoding)
                parameters.differentiate(index, batch) { weights in
                    guard wantsInput else { return }
                    DenseTraining.inputGradient(
                        batch, weights: weights, adds: channels.lowerBound > 0,
                        into: &inputGradient)
                }
                return
            }
            parameters.differentiate(index, channels: channels) { weights, weightGradient in
                let block = Block(channels: channels, weights: weights)
                passBytes(
                    block, of: output.channels, window, input: input, patches: &bytePatches,
                    rows: rows, wantsInput: wantsInput, &weightGradient)
            }
        }
        if wantsInput { swap(&gradient, &inputGradient) }
    }

    /// A layer's input as bytes.
    struct ByteInput {
        let values: Int8Matrix
        let encoding: Int8Encoding
    }

    private mutating func passBytes(
        _ block: Block, of outputs: Int, _ window: ImageWindow, input: ByteInput,
        patches bytePatches: inout Int8Matrix, rows: Int, wantsInput: Bool,
        _ weightGradient: inout [Float]
    ) {
        var together = bytePatches.rows / window.positions
        if wantsInput { together = min(together, Backpropagation.rowsTogether(of: window)) }
        for first in stride(from: 0, to: rows, by: together) {
            let count = min(together, rows - first)
            Convolution.patches(
                of: input.values, from: first, rows: count, window: window,
                zeroPoint: input.encoding.zeroPoint, into: &bytePatches)
            let batch = DenseBatch(
                gradient: gradient, firstRow: first * window.positions, outputs: outputs,
                channels: block.channels, rows: count * window.positions, input: bytePatches,
                encoding: input.encoding)
            DenseTraining.weightGradient(batch, adds: first > 0, into: &weightGradient)
            guard wantsInput else { continue }
            DenseTraining.inputGradient(batch, weights: block.weights, adds: false, into: &patches)
            Convolution.add(
                patches: patches, rows: count, window: window, to: &inputGradient, from: first)
        }
    }

    /// Some output channels of a layer.
    private struct Block {
        let channels: Range<Int>
        /// [channels x inputs].
        let weights: MatrixPart

        var isFirst: Bool { channels.lowerBound == 0 }
    }

    private mutating func pass(
        _ layer: Int, _ block: Block, input: [Float], rows: Int, _ weightGradient: inout [Float]
    ) {
        let output = shape.activations[layer + 1]
        if let window = windows[layer], shape.layers[layer].kind.isDepthwise {
            passDepthwise(block, window, input: input, rows: rows, &weightGradient)
        } else if let window = windows[layer], !window.isPointwise {
            passPatches(
                block, of: output.channels, window, input: input, rows: rows, &weightGradient)
        } else {
            // A dense layer, or a convolution that is one at each position.
            let inputs = windows[layer]?.channels ?? shape.activations[layer].count
            passProduct(
                block, of: output.channels, input: MatrixPart(input, stride: inputs),
                inputs: inputs, rows: rows * output.area, &weightGradient)
        }
    }

    private mutating func clearInput(_ count: Int) {
        for index in 0..<count { inputGradient[index] = 0 }
    }

    private mutating func passProduct(
        _ block: Block, of outputs: Int, input: MatrixPart, inputs: Int, rows: Int,
        _ weightGradient: inout [Float]
    ) {
        let part = MatrixPart(gradient, offset: block.channels.lowerBound, stride: outputs)
        let channels = block.channels.count
        Blas.multiply(
            part, transposeA: true, input, m: channels, n: inputs, k: rows, into: &weightGradient)
        Blas.multiply(
            part, block.weights, m: rows, n: inputs, k: channels, beta: block.isFirst ? 0 : 1,
            into: &inputGradient)
    }

    private mutating func passPatches(
        _ block: Block, of outputs: Int, _ window: ImageWindow, input: [Float], rows: Int,
        _ weightGradient: inout [Float]
    ) {
        if block.isFirst { clearInput(rows * window.imageLength) }
        let (channels, length) = (block.channels.count, window.patchLength)
        let together = Backpropagation.rowsTogether(of: window)
        for first in stride(from: 0, to: rows, by: together) {
            let count = min(together, rows - first)
            let patchRows = count * window.positions
            Convolution.patches(
                of: input, from: first, rows: count, window: window, into: &patches)
            let part = MatrixPart(
                gradient, offset: first * window.positions * outputs + block.channels.lowerBound,
                stride: outputs)
            Blas.multiply(
                part, transposeA: true, MatrixPart(patches, stride: length), m: channels,
                n: length, k: patchRows, beta: first == 0 ? 0 : 1, into: &weightGradient)
            Blas.multiply(
                part, block.weights, m: patchRows, n: length, k: channels, into: &patches)
            Convolution.add(
                patches: patches, rows: count, window: window, to: &inputGradient, from: first)
        }
    }

    private mutating func passDepthwise(
        _ block: Block, _ window: ImageWindow, input: [Float], rows: Int,
        _ weightGradient: inout [Float]
    ) {
        clearInput(rows * window.imageLength)
        for index in 0..<window.channels * window.taps { weightGradient[index] = 0 }
        Convolution.depthwiseGradient(
            gradient, images: input, rows: rows, window: window, weights: block.weights.values,
            weightGradient: &weightGradient, imageGradient: &inputGradient)
    }

    private mutating func passAverage(layer: Int, rows: Int) {
        guard let window = windows[layer] else { return }
        clearInput(rows * window.imageLength)
        let share = 1 / Float(window.taps)
        let channels = window.channels
        gradient.withUnsafeBufferPointer { gradient in
            inputGradient.withUnsafeMutableBufferPointer { inputGradient in
                window.forEachTap(rows: rows) { _, to, from in
                    for channel in 0..<channels {
                        inputGradient[to + channel] += share * gradient[from + channel]
                    }
                }
            }
        }
    }

    /// Takes `gradient` through a max pool whose largest values are `winners`.
    mutating func pass(pool layer: Int, winners: [Int32], rows: Int) {
        let (inputs, outputs) = (shape.activations[layer].count, shape.activations[layer + 1].count)
        clearInput(rows * inputs)
        Convolution.add(
            gradient, toWinners: winners, rows: rows, outputs: outputs, inputs: inputs,
            of: &inputGradient)
        swap(&gradient, &inputGradient)
    }

    mutating func pass(flatten layer: Int, rows: Int) {
        interleaveChannels(
            gradient, rows: rows, shape: shape.activations[layer], into: &inputGradient)
        swap(&gradient, &inputGradient)
    }

    /// Takes `gradient` through an addition whose output moves by `shares` with its operands.
    mutating func pass(
        addition layer: Int, shares: (input: Float, addend: Float), rows: Int
    ) {
        guard let addend = addends[layer] else { return }
        for index in 0..<rows * shape.activations[layer].count {
            pending[addend][index] += shares.addend * gradient[index]
            gradient[index] *= shares.input
        }
    }

    mutating func pass(dropout: Dropout, count: Int) {
        for index in 0..<count {
            gradient[index] = dropout.keeps[index] ? dropout.gain * gradient[index] : 0
        }
    }
}

extension ImageWindow {
    /// Whether each patch is one pixel, and so the patches are the image.
    fileprivate var isPointwise: Bool {
        taps == 1 && strideHeight == 1 && strideWidth == 1
    }
}
