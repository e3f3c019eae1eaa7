import Federation
import Kernels

/// The orthonormal random rotation of a round, which spreads an update's energy evenly over all D
/// coordinates.
///
/// Forward is: signs, Hadamard in blocks of b, transpose of the (D/b x b) matrix whose rows are the
/// blocks, signs, Hadamard in blocks of b. Each Hadamard lacks a factor 1/sqrt(b), so both together
/// lack 1/b: a power of two, hence exact.
///
/// Coordinate i's two signs are bits i and i of two runs of ceil(D/64) words, least significant bit
/// of a word first, 1 for minus; the runs follow each other in `SeededRandom(seed: rotationSeed)`.
/// Everything else is additions, subtractions and copies in a fixed order, so every CPU computes
/// the same bits.
struct Rotation {
    private let block: Int
    private let dimension: Int
    private let firstSigns: [UInt64]
    private let secondSigns: [UInt64]

    init(_ lattice: Lattice) {
        block = lattice.blockSize
        dimension = lattice.dimension
        var random = SeededRandom(seed: lattice.rotationSeed)
        let words = (dimension + 63) / 64
        firstSigns = (0..<words).map { _ in random.next() }
        secondSigns = (0..<words).map { _ in random.next() }
    }

    /// Rotates `values` (D of them).
    func forward(_ values: inout [Float]) {
        applySigns(firstSigns, to: &values)
        Hadamard.transformBlocks(&values, block: block)
        values = scaledTranspose(values, rows: dimension / block, columns: block)
        applySigns(secondSigns, to: &values)
        Hadamard.transformBlocks(&values, block: block)
    }

    /// Undoes `forward`.
    func inverse(_ values: inout [Float]) {
        Hadamard.transformBlocks(&values, block: block)
        applySigns(secondSigns, to: &values)
        values = scaledTranspose(values, rows: block, columns: dimension / block)
        Hadamard.transformBlocks(&values, block: block)
        applySigns(firstSigns, to: &values)
    }

    /// The transpose of a `rows` x `columns` matrix (row-major), each value divided by b.
    private func scaledTranspose(_ values: [Float], rows: Int, columns: Int) -> [Float] {
        let scale = 1 / Float(block)
        return [Float](unsafeUninitializedCapacity: values.count) { transposed, count in
            values.withUnsafeBufferPointer { values in
                for column in 0..<columns {
                    for row in 0..<rows {
                        transposed[column * rows + row] = scale * values[row * columns + column]
                    }
                }
            }
            count = values.count
        }
    }

    private func applySigns(_ signs: [UInt64], to values: inout [Float]) {
        values.withUnsafeMutableBufferPointer { values in
            for (word, bits) in signs.enumerated() {
                let start = 64 * word
                for index in start..<min(start + 64, values.count) {
                    let sign = UInt32(truncatingIfNeeded: bits >> UInt64(index - start)) << 31
                    values[index] = Float(bitPattern: values[index].bitPattern ^ sign)
                }
            }
        }
    }
}
