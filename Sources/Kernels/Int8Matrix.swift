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
    private(set) var packed: [Int8]

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
        precondition(weights.count == channels * width && fp32Bias.count == channels)
        ck_quantise_layer(
            weights, fp32Bias, channels, width, inputScale, &packed, &scales, &sums, &bias)
    }
}
