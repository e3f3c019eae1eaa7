import CKernels

/// How a tensor's real values map to signed bytes: real = (byte - zeroPoint) * scale.
package struct Int8Encoding: Sendable, Equatable {
    /// Finite and positive.
    package var scale: Float
    /// 0 for signed values, -128 for values that are never negative; the clamp at -128 then is the
    /// ReLU.
    package var zeroPoint: Int32

    package init(scale: Float, zeroPoint: Int32) {
        self.scale = scale
        self.zeroPoint = zeroPoint
    }

    /// The lower bound of the clamp in units of the scale.
    package var low: Float { Float(-128 - zeroPoint) }
    /// The upper bound of the clamp in units of the scale.
    package var high: Float { Float(127 - zeroPoint) }
}

/// Integer inference and what training needs of it; every result is the same to the bit on every
/// CPU and equals what onnxruntime computes for QuantizeLinear, QLinearConv and DequantizeLinear.
///
/// `rows` counts the examples in use: buffers may hold more.
package enum Int8Kernels {
    /// products [rows x weights.channels] = input [rows x width] times the transposed weights,
    /// exact.
    package static func multiply(
        _ input: Int8Matrix, rows: Int, by weights: Int8Weights, into products: inout [Int32]
    ) {
        multiply(input, rows: rows, by: weights, into: &products, instructionSet: CPU.preferred)
    }

    /// As above on an instruction set by name; false when this processor lacks it. For tests and
    /// benchmarks.
    package static func multiply(
        _ input: Int8Matrix, rows: Int, by weights: Int8Weights, into products: inout [Int32],
        instructionSet name: String
    ) -> Bool {
        guard let instructionSet = CPU.instructionSet(named: name) else { return false }
        multiply(input, rows: rows, by: weights, into: &products, instructionSet: instructionSet)
        return true
    }

    /// As the first for `rows` rows from `first` on.
    static func multiply(
        _ input: Int8Matrix, from first: Int, rows: Int, by weights: Int8Weights,
        into products: inout [Int32]
    ) {
        multiply(
            input, from: first, rows: rows, by: weights, into: &products,
            instructionSet: CPU.preferred)
    }

    private static func multiply(
        _ input: Int8Matrix, from first: Int = 0, rows: Int, by weights: Int8Weights,
        into products: inout [Int32], instructionSet: ck_isa
    ) {
        precondition(first >= 0 && first + rows <= input.rows && input.width == weights.width)
        precondition(products.count >= rows * weights.channels)
        input.values.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            ck_int8_gemm(
                instructionSet, values + first * input.stride, rows, input.stride, weights.packed,
                weights.channels, weights.width, &products)
        }
    }

    /// `multiply` and `requantise` in one: a dense layer's output [rows, weights.channels], or, with
    /// a row of `input` for each position, the images [rows, positions x weights.channels] of a
    /// convolution.
    ///
    /// - Parameters:
    ///   - first: the first row of `output` that is written.
    ///   - scaled: receives the values before the clamp, which `gradient` needs, like `output` but
    ///     without its padding; empty where they are not wanted.
    package static func layer(
        _ input: Int8Matrix, rows: Int, weights: Int8Weights, bias: [Int32], multipliers: [Float],
        zeroPoint: Int32, into output: inout Int8Matrix, from first: Int = 0,
        scaled: inout [Float]
    ) {
        let positions = output.width / weights.channels
        precondition(positions * weights.channels == output.width && input.width == weights.width)
        precondition(rows * positions <= input.rows && first + rows <= output.rows)
        precondition(bias.count == weights.channels && multipliers.count == weights.channels)
        precondition(scaled.isEmpty || scaled.count >= (first + rows) * output.width)
        let (stride, width, isWanted) = (output.stride, output.width, !scaled.isEmpty)
        output.values.withUnsafeMutableBufferPointer { output in
            scaled.withUnsafeMutableBufferPointer { scaled in
                guard let output = output.baseAddress, let scaled = scaled.baseAddress else {
                    return
                }
                ck_int8_images(
                    CPU.preferred, input.values, rows, positions, input.stride, weights.packed,
                    weights.channels, weights.width, bias, multipliers, zeroPoint,
                    output + first * stride, stride, isWanted ? scaled + first * width : nil)
            }
        }
    }

    /// As above without `scaled`.
    package static func layer(
        _ input: Int8Matrix, rows: Int, weights: Int8Weights, bias: [Int32], multipliers: [Float],
        zeroPoint: Int32, into output: inout Int8Matrix
    ) {
        var scaled: [Float] = []
        layer(
            input, rows: rows, weights: weights, bias: bias, multipliers: multipliers,
            zeroPoint: zeroPoint, into: &output, scaled: &scaled)
    }

    /// values [rows x features] become (values - offset) / scale; `offset` and `scale` hold one
    /// entry or one a feature.
    package static func normalise(
        _ values: inout [Float], rows: Int, features: Int, offset: [Float], scale: [Float]
    ) {
        precondition(offset.count == scale.count)
        precondition(offset.count == 1 || offset.count == features)
        precondition(values.count >= rows * features)
        values.withUnsafeMutableBufferPointer {
            ck_normalise(
                CPU.preferred, $0.baseAddress, rows, features, offset, scale, offset.count != 1,
                $0.baseAddress)
        }
    }

    /// QuantizeLinear: output = saturate(round-half-even(values / scale) + zero point).
    ///
    /// `values` [rows x output.width] become values / scale, which `gradient` needs.
    package static func quantise(
        _ values: inout [Float], rows: Int, as encoding: Int8Encoding, into output: inout Int8Matrix
    ) {
        precondition(rows <= output.rows && values.count >= rows * output.width)
        values.withUnsafeMutableBufferPointer {
            ck_quantise(
                CPU.preferred, $0.baseAddress, rows, output.width, encoding.scale,
                encoding.zeroPoint,
                &output.values, output.stride, $0.baseAddress)
        }
    }

    /// The end of QLinearConv: output = round-half-even(clamp(f32(products + bias) * multiplier)) +
    /// zero point.
    ///
    /// - Parameters:
    ///   - bias: one a channel, the input's zero point already taken off.
    ///   - multipliers: one a channel, (input scale * weight scale) / output scale in float32, in
    ///     that order.
    package static func requantise(
        _ products: [Int32], rows: Int, bias: [Int32], multipliers: [Float], zeroPoint: Int32,
        into output: inout Int8Matrix
    ) {
        precondition(rows <= output.rows && products.count >= rows * output.width)
        precondition(bias.count == output.width && multipliers.count == output.width)
        ck_requantise(
            CPU.preferred, products, rows, output.width, bias, multipliers, zeroPoint,
            &output.values, output.stride, nil)
    }

    /// As above, and `scaled` [rows x output.width] receives the values before the clamp, which
    /// `gradient` needs.
    package static func requantise(
        _ products: [Int32], rows: Int, bias: [Int32], multipliers: [Float], zeroPoint: Int32,
        into output: inout Int8Matrix, scaled: inout [Float]
    ) {
        precondition(rows <= output.rows && products.count >= rows * output.width)
        precondition(bias.count == output.width && multipliers.count == output.width)
        precondition(scaled.count >= rows * output.width)
        ck_requantise(
            CPU.preferred, products, rows, output.width, bias, multipliers, zeroPoint,
            &output.values, output.stride, &scaled)
    }

    /// DequantizeLinear: values [rows x input.width] = f32(input - zero point) * scale.
    package static func dequantise(
        _ input: Int8Matrix, rows: Int, as encoding: Int8Encoding, into values: inout [Float]
    ) {
        precondition(rows <= input.rows && values.count >= rows * input.width)
        ck_dequantise(
            CPU.preferred, input.values, input.stride, rows, input.width, encoding.scale,
            encoding.zeroPoint,
            &values)
    }

    /// The backward pass of rounding to `encoding`: straight-through for the values, LSQ for the
    /// scale.
    ///
    /// - Parameters:
    ///   - scaled: the first `count` hold value / scale before rounding and clamp.
    ///   - gradient: the loss's gradient by the rounded values; zeroed where the clamp acted.
    /// - Returns: the loss's gradient by the scale: the sum of gradient * (rounded - scaled) inside
    ///   the clamp and gradient * bound outside, without LSQ's factor 1 / sqrt(N Qp).
    package static func gradient(
        scaled: [Float], count: Int, encoding: Int8Encoding, gradient: inout [Float]
    ) -> Float {
        precondition(scaled.count >= count && gradient.count >= count)
        return ck_quantiser_gradient(
            CPU.preferred, scaled, count, encoding.low, encoding.high, &gradient)
    }
}
