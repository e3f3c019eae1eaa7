import CKernels

/// What rounding a network's input to bytes left over; enough for the gradient by its scale.
package struct RoundedInput: Sendable {
    /// How far each value moved, in 254ths of the scale; 0 where it was clamped.
    private var errors: Int8Matrix
    /// What that leaves out, in 254ths of the same.
    private var rests: Int8Matrix
    /// The bound of each value that was clamped; else 0.
    private var bounds: Int8Matrix
    private var anyClamped = false
    /// How a convolution looks at the input; nil for a dense layer.
    private let window: ImageWindow?
    /// Of some rows, for a convolution.
    private var patches: Int8Matrix
    /// Products of some rows with weights.
    private var products: [Int32]

    /// - Parameters:
    ///   - width: of the input.
    ///   - window: how the layer that reads it, a convolution, looks at it; nil for a dense layer.
    ///   - channels: outputs of that layer.
    package init(rows: Int, width: Int, window: ImageWindow? = nil, channels: Int) {
        self.window = window
        errors = Int8Matrix(rows: rows, width: width)
        rests = Int8Matrix(rows: rows, width: width)
        bounds = Int8Matrix(rows: rows, width: width)
        let positions = window?.positions ?? 1
        let together = RoundedInput.rowsTogether(rows, positions * channels)
        patches = Int8Matrix(
            rows: window == nil ? 0 : together * positions, width: window?.patchLength ?? 0)
        products = [Int32](repeating: 0, count: together * positions * channels)
    }

    /// Bytes that one of these takes.
    package static func byteCount(
        rows: Int, width: Int, window: ImageWindow? = nil, channels: Int
    ) -> Int {
        let positions = window?.positions ?? 1
        let together = rowsTogether(rows, positions * channels)
        let patch = window.map { Int8Matrix.stride(width: $0.patchLength) } ?? 0
        return rows * 3 * Int8Matrix.stride(width: width) + together * positions
            * (patch + channels * MemoryLayout<Int32>.size)
    }

    /// Rows whose products, so many a row, stay in a processor's first or second cache.
    private static func rowsTogether(_ rows: Int, _ products: Int) -> Int {
        min(rows, max(1, (1 << 14) / products))
    }

    /// Takes the values [rows x width] in units of the scale before they were rounded to
    /// `encoding`.
    package mutating func note(scaled: [Float], rows: Int, encoding: Int8Encoding) {
        precondition(rows <= errors.rows && scaled.count >= rows * errors.width)
        anyClamped = ck_rounding_errors(
            CPU.preferred, scaled, rows, errors.width, encoding.low, encoding.high, &errors.values,
            &rests.values, &bounds.values, errors.stride)
    }

    /// Takes values that were bytes, quantised by `table`.
    package mutating func note(bytes: [UInt8], rows: Int, table: ByteTable) {
        precondition(rows <= errors.rows && bytes.count >= rows * errors.width)
        anyClamped = table.anyClamped
        table.look(bytes, rows: rows, table.errors, into: &errors)
        table.look(bytes, rows: rows, table.rests, into: &rests)
        if anyClamped { table.look(bytes, rows: rows, table.bounds, into: &bounds) }
    }

    /// The loss's gradient by the scale: the sum of gradient * (rounded - scaled) inside the clamp
    /// and gradient * bound outside, where the gradient by the input is `gradient` [rows x positions
    /// x channels] times the weights, as they were rounded, of the layer that reads it.
    package mutating func gradientByScale(
        _ gradient: [Float], rows: Int, weights: Int8Weights
    ) -> Float {
        let positions = window?.positions ?? 1
        precondition(rows <= errors.rows)
        precondition(gradient.count >= rows * positions * weights.channels)
        var sum = weightedSum(of: rests, gradient, rows, weights) / 254
        sum = (weightedSum(of: errors, gradient, rows, weights) + sum) / 254
        if anyClamped { sum += weightedSum(of: bounds, gradient, rows, weights) }
        return Float(sum)
    }

    private mutating func weightedSum(
        of matrix: Int8Matrix, _ gradient: [Float], _ rows: Int, _ weights: Int8Weights
    ) -> Double {
        let positions = window?.positions ?? 1
        let together = products.count / (positions * weights.channels)
        var sum = 0.0
        for first in stride(from: 0, to: rows, by: together) {
            let count = min(together, rows - first)
            if let window {
                Convolution.patches(
                    of: matrix, from: first, rows: count, window: window, zeroPoint: 0,
                    into: &patches)
                Int8Kernels.multiply(
                    patches, rows: count * positions, by: weights, into: &products)
            } else {
                Int8Kernels.multiply(
                    matrix, from: first, rows: count, by: weights, into: &products)
            }
            sum += gradient.withUnsafeBufferPointer {
                ck_weighted_sum(
                    CPU.preferred, $0.baseAddress.map { $0 + first * positions * weights.channels },
                    products, weights.scales, count * positions, weights.channels)
            }
        }
        return sum
    }
}

/// What each raw byte becomes in a network's input.
package struct ByteTable: Sendable {
    /// The 256 values after normalisation.
    private let normalised: [Float]
    private var scaled: [Float]
    private var rounded: Int8Matrix
    fileprivate var errors: [Int8]
    fileprivate var rests: [Int8]
    fileprivate var bounds: [Int8]
    fileprivate var anyClamped = false

    /// - Parameters:
    ///   - offset: of all features, as `scale` is: a byte stands for (byte - offset) / scale.
    package init(offset: Float, scale: Float) {
        var values = (0..<256).map { Float($0) }
        Int8Kernels.normalise(
            &values, rows: 1, features: values.count, offset: [offset], scale: [scale])
        normalised = values
        scaled = values
        rounded = Int8Matrix(rows: 1, width: values.count)
        errors = [Int8](repeating: 0, count: values.count)
        rests = errors
        bounds = errors
    }

    /// Quantises every byte's value to `encoding`.
    package mutating func quantise(as encoding: Int8Encoding) {
        for index in normalised.indices { scaled[index] = normalised[index] }
        Int8Kernels.quantise(&scaled, rows: 1, as: encoding, into: &rounded)
        anyClamped = ck_rounding_errors(
            CPU.preferred, scaled, 1, scaled.count, encoding.low, encoding.high, &errors, &rests,
            &bounds, scaled.count)
    }

    /// output [rows x width] = the quantised values of `bytes`.
    package func quantise(_ bytes: [UInt8], rows: Int, into output: inout Int8Matrix) {
        look(bytes, rows: rows, rounded.values, into: &output)
    }

    fileprivate func look(
        _ bytes: [UInt8], rows: Int, _ table: [Int8], into output: inout Int8Matrix
    ) {
        precondition(rows <= output.rows && bytes.count >= rows * output.width)
        precondition(table.count >= 256)
        ck_look_up(
            CPU.preferred, bytes, rows, output.width, table, &output.values, output.stride)
    }
}
