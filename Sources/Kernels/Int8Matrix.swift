import CKernels

/// A matrix of signed bytes as the integer kernels read it: row-major, each row padded to a whole
/// number of eight bytes.
package struct Int8Matrix: Sendable {
    /// Rows, in use or not.
    package let rows: Int
    /// Elements of a row that count.
    package let width: Int
    /// Elements from one row to the next: `width` rounded up to 8.
    package let stride: Int
    /// `rows` x `stride`; the elements from `width` on are zero, and whoever writes keeps them so.
    package var values: [Int8]

    /// A matrix of zeros.
    package init(rows: Int, width: Int) {
        self.rows = rows
        self.width = width
        stride = Int8Matrix.stride(width: width)
        values = [Int8](repeating: 0, count: rows * stride)
    }

    /// Elements from one row of `width` to the next.
    package static func stride(width: Int) -> Int {
        let alignment = CK_ROW_ALIGNMENT
        return (width + alignment - 1) / alignment * alignment
    }

    /// A copy of `elements`, `rows` x `width`, row-major.
    package init(rows: Int, width: Int, elements: [Int8]) {
        precondition(elements.count == rows * width)
        self.init(rows: rows, width: width)
        for row in 0..<rows {
            for column in 0..<width {
                values[row * stride + column] = elements[row * width + column]
            }
        }
    }

    /// The elements without the padding, `rows` x `width`, row-major.
    package var elements: [Int8] {
        var elements: [Int8] = []
        elements.reserveCapacity(rows * width)
        for row in 0..<rows { elements += values[row * stride..<row * stride + width] }
        return elements
    }
}

/// The weights of one layer as integers: what the forward pass multiplies by.
package struct Int8Weights: Sendable {
    /// Outputs of the layer.
    package let channels: Int
    /// Inputs of each output.
    package let width: Int
    /// One a channel.
    package internal(set) var scales: [Float]
    /// One a channel, in units of the input's scale times the channel's.
    package internal(set) var bias: [Int32]
    /// The sum of each channel's weights, with which zero points are taken off.
    package internal(set) var sums: [Int32]
    /// The weights as the kernels read them.
    fileprivate(set) var packed: [Int8]

    /// Room for weights that `quantise` fills.
    package init(channels: Int, width: Int) {
        self.channels = channels
        self.width = width
        scales = [Float](repeating: 1, count: channels)
        bias = [Int32](repeating: 0, count: channels)
        sums = [Int32](repeating: 0, count: channels)
        packed = [Int8](repeating: 0, count: ck_packed_size(channels, width))
    }

    /// Bytes that the weights of such a layer take, with their scales, biases and sums.
    package static func byteCount(channels: Int, width: Int) -> Int {
        ck_packed_size(channels, width) + channels * 3 * MemoryLayout<Int32>.size
    }

    /// Weights that are integers already.
    ///
    /// - Parameter weights: `scales.count` x `width`, row-major, without -128.
    package init(weights: [Int8], width: Int, scales: [Float], bias: [Int32]) {
        precondition(bias.count == scales.count && weights.count == scales.count * width)
        self.init(channels: scales.count, width: width)
        self.scales = scales
        self.bias = bias
        sums = (0..<scales.count).map { channel in
            weights[channel * width..<(channel + 1) * width].reduce(0) { $0 + Int32($1) }
        }
        ck_pack(weights, channels, width, &packed)
    }

    /// The weights, outputs x inputs, row-major, in [-127, 127].
    package var elements: [Int8] {
        [Int8](unsafeUninitializedCapacity: channels * width) { elements, count in
            guard let output = elements.baseAddress else { return }
            ck_unpack(packed, channels, width, output, width)
            count = channels * width
        }
    }

    /// A copy of the weights, outputs x inputs, in [-127, 127].
    package var matrix: Int8Matrix {
        var matrix = Int8Matrix(rows: channels, width: width)
        ck_unpack(packed, channels, width, &matrix.values, matrix.stride)
        return matrix
    }

    /// Rounds fp32 weights [channels x width] and bias [channels] of a layer whose input has scale
    /// `inputScale`: scale = max|w| / 127 a channel, 1 for a channel of zeros, more where the bias
    /// would pass 2^22 units.
    package mutating func quantise(weights: [Float], bias fp32Bias: [Float], inputScale: Float) {
        quantise(0..<channels, weights: weights, bias: fp32Bias, inputScale: inputScale)
    }
}

// Some channels at a time, from a multiple of `channelAlignment` on: so weights need not all be
// there in fp32.
extension Int8Weights {
    /// Blocks of channels begin at a multiple of this.
    package static let channelAlignment = Int(CK_PANEL_CHANNELS)

    /// As `quantise` for a block of channels, whose weights [some.count x width] and biases begin
    /// their arrays.
    package mutating func quantise(
        _ some: Range<Int>, weights: [Float], bias fp32Bias: [Float], inputScale: Float
    ) {
        check(some, weights)
        precondition(fp32Bias.count >= some.count)
        let (first, width) = (some.lowerBound, width)
        withPointers { packed, scales, sums, bias in
            ck_quantise_layer(
                CPU.preferred, weights, fp32Bias, some.count, width, inputScale,
                packed + ck_packed_size(first, width), scales + first, sums + first, bias + first)
        }
    }

    /// The real weights of a block of channels, to the beginning of `weights` [some.count x width].
    package func dequantise(_ some: Range<Int>, into weights: inout [Float]) {
        check(some, weights)
        let first = some.lowerBound
        packed.withUnsafeBufferPointer { packed in
            scales.withUnsafeBufferPointer { scales in
                guard let packed = packed.baseAddress, let scales = scales.baseAddress else {
                    return
                }
                ck_dequantise_weights(
                    packed + ck_packed_size(first, width), some.count, width, scales + first,
                    &weights)
            }
        }
    }

    /// Replaces the weights of a block of channels by `weights` [some.count x width], rounded up or
    /// down at random so that their mean is the value itself.
    ///
    /// A channel keeps its scale as long as its weights fit into it and use it. When one would
    /// leave +-127 the scale grows to an eighth more than it needs, so that this is rare; when half
    /// of it would do, it is halved, which leaves the weights that have not moved as they are. A
    /// channel with a weight that is not finite gets a scale that is not.
    ///
    /// - Parameter key: decides every rounding; a new one each time.
    package mutating func round(_ some: Range<Int>, weights: [Float], key: UInt64) {
        check(some, weights)
        let (first, width) = (some.lowerBound, width)
        withPointers { packed, scales, sums, _ in
            ck_round_weights(
                CPU.preferred, weights, some.count, width, key,
                packed + ck_packed_size(first, width), scales + first, sums + first)
        }
    }

    /// Rounds the bias [channels] of a layer whose input has scale `inputScale`, to the weights'
    /// scales as they are; within 2^22 units.
    package mutating func setBias(_ fp32Bias: [Float], inputScale: Float) {
        precondition(fp32Bias.count == channels)
        ck_quantise_bias(fp32Bias, channels, inputScale, scales, &bias)
    }

    private func check(_ some: Range<Int>, _ weights: [Float]) {
        precondition(some.lowerBound >= 0 && some.upperBound <= channels)
        precondition(some.lowerBound.isMultiple(of: Int8Weights.channelAlignment))
        precondition(weights.count >= some.count * width)
    }

    private mutating func withPointers(
        _ body: (
            UnsafeMutablePointer<Int8>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Int32>,
            UnsafeMutablePointer<Int32>
        ) -> Void
    ) {
        packed.withUnsafeMutableBufferPointer { packed in
            scales.withUnsafeMutableBufferPointer { scales in
                sums.withUnsafeMutableBufferPointer { sums in
                    bias.withUnsafeMutableBufferPointer { bias in
                        guard let packed = packed.baseAddress, let scales = scales.baseAddress,
                            let sums = sums.baseAddress, let bias = bias.baseAddress
                        else { return }
                        body(packed, scales, sums, bias)
                    }
                }
            }
        }
    }
}
