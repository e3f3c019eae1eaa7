import Federation
import Kernels

/// The backward pass in fp32: takes a loss's gradient from a layer's output to its input, and sets
/// the gradients of its parameters.
///
/// Images have their channels innermost. Integer training and fp32 training both run this code; they
/// differ in the values they pass to it.
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
    /// batch; with them their patches.
    private var patches: [Float]
    private var images: [Float]
    private var outputs: [Float]
    /// The gradient that additions bring to an activation, for the activations that are added.
    private var pending: [[Float]]
    private let addends: [Int?]

    /// - Parameter capacity: most rows of a pass.
    init(shape: StudentShape, capacity: Int) {
        self.shape = shape
        windows = shape.layers.indices.map { shape.window(layer: $0) }
        addends = shape.layers.indices.map { shape.addend(layer: $0) }
        let weighted = shape.weightedLayers
        weightIndices = shape.layers.indices.map { weighted.firstIndex(of: $0) }
        gradient = [Float](repeating: 0, count: capacity * (shape.widths.max() ?? 0))
        inputGradient = gradient
        let sizes = PatchBuffers(shape: shape, capacity: capacity)
        patches = [Float](repeating: 0, count: sizes.patches)
        images = [Float](repeating: 0, count: sizes.images)
        outputs = [Float](repeating: 0, count: sizes.outputs)
        let added = Set(addends.compactMap { $0 })
        pending = shape.activations.indices.map { index in
            let count = added.contains(index) ? capacity * shape.activations[index].count : 0
            return [Float](repeating: 0, count: count)
        }
    }

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
        layer: Int, input: [Float], rows: Int, parameters: inout StudentParameters
    ) {
        switch shape.layers[layer].kind {
        case .dense:
            guard let index = weightIndices[layer] else { return }
            parameters.layers[index].differentiate(gradient: gradient, input: input, rows: rows)
            parameters.layers[index].propagate(gradient, rows: rows, into: &inputGradient)
        case .conv(let conv):
            guard let index = weightIndices[layer], let window = windows[layer] else { return }
            if conv.isDepthwise {
                passDepthwise(&parameters.layers[index], window, input: input, rows: rows)
            } else {
                passPatches(&parameters.layers[index], window, input: input, rows: rows)
            }
        case .averagePool: passAverage(layer: layer, rows: rows)
        case .maxPool, .flatten, .add, .dropout: return
        }
        swap(&gradient, &inputGradient)
    }

    private mutating func clearInput(_ count: Int) {
        for index in 0..<count { inputGradient[index] = 0 }
    }

    private mutating func passPatches(
        _ layer: inout LinearLayer, _ window: ImageWindow, input: [Float], rows: Int
    ) {
        guard !window.isPointwise else {
            let positions = rows * window.positions
            layer.differentiate(gradient: gradient, input: input, rows: positions)
            layer.propagate(gradient, rows: positions, into: &inputGradient)
            return
        }
        layer.clearGradient()
        let (inputs, results) = (window.imageLength, window.positions * layer.outputs)
        let chunk = PatchBuffers.rows(of: window)
        for first in stride(from: 0, to: rows, by: chunk) {
            let count = min(chunk, rows - first)
            let place = first * inputs..<(first + count) * inputs
            images.replaceSubrange(0..<count * inputs, with: input[place])
            outputs.replaceSubrange(
                0..<count * results, with: gradient[first * results..<(first + count) * results])
            Convolution.patches(of: images, rows: count, window: window, into: &patches)
            let patchRows = count * window.positions
            layer.differentiate(gradient: outputs, input: patches, rows: patchRows, adding: true)
            layer.propagate(outputs, rows: patchRows, into: &patches)
            for index in 0..<count * inputs { images[index] = 0 }
            Convolution.add(patches: patches, rows: count, window: window, to: &images)
            inputGradient.replaceSubrange(place, with: images[..<(count * inputs)])
        }
    }

    private mutating func passDepthwise(
        _ layer: inout LinearLayer, _ window: ImageWindow, input: [Float], rows: Int
    ) {
        layer.clearGradient()
        layer.addBias(gradient: gradient, rows: rows * window.positions)
        clearInput(rows * window.imageLength)
        let weights = layer.weights.values
        Convolution.depthwiseGradient(
            gradient, images: input, rows: rows, window: window, weights: weights,
            weightGradient: &layer.weights.gradient, imageGradient: &inputGradient)
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

/// How many elements the buffers of convolutions over all channels need.
struct PatchBuffers {
    private(set) var patches = 0
    private(set) var images = 0
    private(set) var outputs = 0

    /// Patches of this size stay in a processor's second cache with what they are multiplied by.
    private static let enough = 1 << 16

    init(shape: StudentShape, capacity: Int) {
        for (index, layer) in shape.layers.enumerated() {
            guard case .conv(let conv) = layer.kind, !conv.isDepthwise,
                let window = shape.window(layer: index), !window.isPointwise
            else { continue }
            let rows = min(PatchBuffers.rows(of: window), capacity)
            patches = max(patches, rows * window.positions * window.patchLength)
            images = max(images, rows * window.imageLength)
            outputs = max(outputs, rows * window.positions * conv.channels)
        }
    }

    /// Images whose patches are made at a time.
    static func rows(of window: ImageWindow) -> Int {
        max(1, enough / (window.positions * window.patchLength))
    }
}

extension ImageWindow {
    /// Whether each patch is one pixel, and so the patches are the image.
    fileprivate var isPointwise: Bool {
        taps == 1 && strideHeight == 1 && strideWidth == 1
    }
}
