import CKernels

/// What the update codec does to runs of values; the same bits on every CPU.
package enum CodecKernels {
    /// The sum of the squares in Double, added in one fixed order.
    package static func sumOfSquares(_ values: [Float]) -> Double {
        ck_sum_of_squares(CPU.preferred, values, values.count)
    }

    /// Writes what is left of `values` when equally many `others` are taken off to the beginning of
    /// `output`.
    ///
    /// - Returns: the sum of its squares, as above.
    package static func difference(
        _ values: [Float], minus others: [Float], into output: UnsafeMutableBufferPointer<Float>
    ) -> Double {
        precondition(values.count == others.count && values.count <= output.count)
        return ck_subtract_floats(
            CPU.preferred, values, others, values.count, output.baseAddress)
    }

    /// Multiplies each value by `factor` in Double and rounds it to Float.
    package static func scale(_ values: UnsafeMutableBufferPointer<Float>, by factor: Double) {
        ck_scale_floats(CPU.preferred, values.baseAddress, values.count, factor)
    }

    /// output[i] = values[i] times `factor`, multiplied in Double and rounded to Float.
    package static func scale(
        _ values: UnsafeBufferPointer<Int64>, by factor: Double,
        into output: UnsafeMutablePointer<Float>
    ) {
        ck_scale_integers(CPU.preferred, values.baseAddress, values.count, factor, output)
    }

    /// As above of integers of 32 bits.
    package static func scale(
        _ values: UnsafeBufferPointer<Int32>, by factor: Double,
        into output: UnsafeMutablePointer<Float>
    ) {
        ck_scale_integers_32(CPU.preferred, values.baseAddress, values.count, factor, output)
    }

    /// output[i] = values[i] times `factor`.
    package static func scale(
        _ values: UnsafeBufferPointer<Int8>, by factor: Float,
        into output: UnsafeMutablePointer<Float>
    ) {
        ck_scale_bytes(CPU.preferred, values.baseAddress, values.count, factor, output)
    }

    /// Whether no value is infinite or NaN.
    package static func areFinite(_ values: [Float]) -> Bool {
        ck_all_finite(CPU.preferred, values, values.count)
    }

    /// A matrix in memory: the rows begin `stride` values apart.
    package struct Matrix {
        package let start: UnsafeMutablePointer<Float>
        package let stride: Int

        package init(_ start: UnsafeMutablePointer<Float>, stride: Int) {
            self.start = start
            self.stride = stride
        }
    }

    /// Writes the transpose of a `rows` x `columns` matrix, each value times `factor`.
    package static func transpose(
        _ values: Matrix, rows: Int, columns: Int, times factor: Float, into output: Matrix
    ) {
        precondition(values.stride >= columns && output.stride >= rows)
        ck_transpose(
            CPU.preferred, values.start, values.stride, rows, columns, factor, output.start,
            output.stride)
    }

    /// Which of a change of signs and a Hadamard transform comes first.
    package enum Order {
        case signsFirst, signsLast
    }

    /// Changes the sign of each value whose bit in `signs` is set, the least significant bit of a
    /// word first, and transforms each run of `block` values as `Hadamard.transformBlocks` does.
    ///
    /// Both are done to a few blocks at a time, which stay in the first-level cache in between.
    package static func rotateBlocks(
        _ values: UnsafeMutableBufferPointer<Float>, block: Int, signs: ArraySlice<UInt64>,
        _ order: Order
    ) {
        precondition(block > 0 && block & (block - 1) == 0, "the block is not a power of two")
        precondition(values.count.isMultiple(of: block), "the values are not whole blocks")
        precondition(values.count <= 64 * signs.count, "a value has no sign")
        let count = values.count
        // A multiple of 64, and of the block, which is a power of two like it.
        let chunk = max(block, 4096)
        signs.withUnsafeBufferPointer { signs in
            guard let values = values.baseAddress, let signs = signs.baseAddress else { return }
            for start in stride(from: 0, to: count, by: chunk) {
                let (part, size) = (values + start, min(chunk, count - start))
                switch order {
                case .signsFirst:
                    ck_rotate(CPU.preferred, part, size, block, signs + start / 64)
                case .signsLast:
                    ck_hadamard(CPU.preferred, part, size, block)
                    ck_flip_signs(CPU.preferred, part, size, signs + start / 64)
                }
            }
        }
    }

    /// Rounds each of `values`, limited to +-127, to one of its two neighbouring integers, up with
    /// the probability of its fraction to 2^-32.
    ///
    /// - Parameter random: 32 random bits a value.
    /// - Returns: the sum of the squares of `output`.
    package static func roundToLattice(
        _ values: UnsafeBufferPointer<Float>, random: [UInt32],
        into output: UnsafeMutablePointer<Int8>
    ) -> Int64 {
        precondition(values.count <= random.count)
        return ck_round_to_lattice(
            CPU.preferred, values.baseAddress, values.count, random, output)
    }
}
