import CKernels

/// A matrix of signed bytes as the integer kernels read it: row-major, each row padded to a whole
/// number of cache lines.
package struct Int8Matrix: Sendable {
    /// Rows, in use or not.
    package let rows: Int
    /// Elements of a row that count.
    package let width: Int
    /// Elements from one row to the next: `width` rounded up to 64.
    package let stride: Int
    /// `rows` x `stride`; the elements from `width` on are zero.
    package internal(set) var values: [Int8]

    /// A matrix of zeros.
    package init(rows: Int, width: Int) {
        let alignment = CK_ROW_ALIGNMENT
        self.rows = rows
        self.width = width
        stride = (width + alignment - 1) / alignment * alignment
        values = [Int8](repeating: 0, count: rows * stride)
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

/// The weights of one dense layer as integers: what the forward pass multiplies by.
package struct Int8Weights: Sendable {
    /// Outputs x inputs, in [-127, 127]: one row a channel.
    package internal(set) var matrix: Int8Matrix
    /// One a channel.
    package internal(set) var scales: [Float]
    /// One a channel, in units of the input's scale times the channel's.
    package internal(set) var bias: [Int32]
    /// The sum of each channel's weights, with which zero points are taken off.
    package internal(set) var sums: [Int32]

    /// Outputs of the layer.
    package var channels: Int { matrix.rows }
    /// Inputs of the layer.
    package var width: Int { matrix.width }

    /// Room for weights that `quantise` fills.
    package init(channels: Int, width: Int) {
        matrix = Int8Matrix(rows: channels, width: width)
        scales = [Float](repeating: 1, count: channels)
        bias = [Int32](repeating: 0, count: channels)
        sums = [Int32](repeating: 0, count: channels)
    }

    /// Weights that are integers already.
    ///
    /// - Parameter weights: `scales.count` x `width`, row-major, without -128.
    package init(weights: [Int8], width: Int, scales: [Float], bias: [Int32]) {
        precondition(bias.count == scales.count)
        matrix = Int8Matrix(rows: scales.count, width: width, elements: weights)
        self.scales = scales
        self.bias = bias
        sums = (0..<scales.count).map { channel in
            weights[channel * width..<(channel + 1) * width].reduce(0) { $0 + Int32($1) }
        }
    }

    /// Rounds fp32 weights [channels x width] and bias [channels] of a layer whose input has scale
    /// `inputScale`: scale = max|w| / 127 a channel, 1 for a channel of zeros, more where the bias
    /// would pass 2^22 units.
    package mutating func quantise(weights: [Float], bias fp32Bias: [Float], inputScale: Float) {
        precondition(weights.count == channels * width && fp32Bias.count == channels)
        ck_quantise_layer(
            weights, fp32Bias, channels, width, inputScale, &matrix.values, matrix.stride, &scales,
            &sums, &bias)
    }
}
