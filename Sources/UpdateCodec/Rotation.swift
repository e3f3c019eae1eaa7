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
///
/// The transposed matrix is never in memory as a whole, but a strip of its rows, as long as they
/// fit the second-level cache.
struct Rotation {
    private let block: Int
    private let dimension: Int
    private let firstSigns: [UInt64]
    private let secondSigns: [UInt64]

    init(_ lattice: Lattice) {
        block = lattice.blockSize
        dimension = lattice.dimension
        let words = (dimension + 63) / 64
        var random = SeededRandom(seed: lattice.rotationSeed)
        firstSigns = Rotation.words(words, after: random.state)
        random.skip(words)
        secondSigns = Rotation.words(words, after: random.state)
    }

    private static func words(_ count: Int, after state: UInt64) -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: count) { words, initialised in
            SeededWords.fill(UnsafeMutableRawBufferPointer(words), after: state)
            initialised = count
        }
    }

    /// Columns of the matrix in a strip: rows of its transpose.
    ///
    /// A strip begins with a word of signs, so with blocks that are shorter it is the whole.
    private var stripColumns: Int { block < 64 ? block : 64 }

    /// Rows of the matrix.
    private var rows: Int { dimension / block }

    /// The first half of the rotation of `values` (D of them), up to the transpose.
    func begin(_ values: UnsafeMutableBufferPointer<Float>) {
        CodecKernels.rotateBlocks(values, block: block, signs: firstSigns[...], .signsFirst)
    }

    /// The second half, run by run in order; `values` is as `begin` left it and stays so.
    ///
    /// - Parameter use: gets rotated values and the index of the first.
    func finish(
        _ values: UnsafeMutableBufferPointer<Float>,
        _ use: (UnsafeBufferPointer<Float>, Int) -> Void
    ) {
        AlignedFloats.with(count: block + stripColumns * rows) { strip in
            finish(values, strip, use)
        }
    }

    private func finish(
        _ values: UnsafeMutableBufferPointer<Float>, _ strip: UnsafeMutableBufferPointer<Float>,
        _ use: (UnsafeBufferPointer<Float>, Int) -> Void
    ) {
        var first = 0
        var pending = 0
        guard let values = values.baseAddress, let start = strip.baseAddress else { return }
        for column in stride(from: 0, to: block, by: stripColumns) {
            let columns = min(stripColumns, block - column)
            CodecKernels.transpose(
                CodecKernels.Matrix(values + column, stride: block), rows: rows,
                columns: columns, times: 1 / Float(block),
                into: CodecKernels.Matrix(start + pending, stride: rows))
            pending += columns * rows
            let run = UnsafeMutableBufferPointer(
                rebasing: strip[..<(pending / block * block)])
            CodecKernels.rotateBlocks(
                run, block: block, signs: secondSigns[(first / 64)...], .signsFirst)
            use(UnsafeBufferPointer(run), first)
            first += run.count
            pending -= run.count
            start.update(from: start + run.count, count: pending)
        }
    }

    /// Undoes the rotation.
    ///
    /// - Parameter source: writes as many rotated values as there is room for; they follow those of
    ///   the call before.
    func inverse<Failure: Error>(
        _ source: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Void
    ) throws(Failure) -> [Float] {
        var values = [Float](unsafeUninitializedCapacity: dimension) { _, count in
            // All of them are written below, or nobody gets them.
            count = dimension
        }
        try values.withUnsafeMutableBufferPointer { (values) throws(Failure) in
            try AlignedFloats.with(
                count: block + stripColumns * rows
            ) { (strip) throws(Failure) in
                try transposeBack(source, strip, into: values)
            }
            CodecKernels.rotateBlocks(values, block: block, signs: firstSigns[...], .signsLast)
        }
        return values
    }

    private func transposeBack<Failure: Error>(
        _ source: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Void,
        _ strip: UnsafeMutableBufferPointer<Float>,
        into values: UnsafeMutableBufferPointer<Float>
    ) throws(Failure) {
        var first = 0
        var pending = 0
        guard let values = values.baseAddress, let start = strip.baseAddress else { return }
        for column in stride(from: 0, to: block, by: stripColumns) {
            let columns = min(stripColumns, block - column)
            let wanted = columns * rows
            let missing = (wanted - pending + block - 1) / block * block
            let run = UnsafeMutableBufferPointer(
                rebasing: strip[pending..<(pending + missing)])
            try source(run)
            CodecKernels.rotateBlocks(
                run, block: block, signs: secondSigns[(first / 64)...], .signsLast)
            first += missing
            pending += missing - wanted
            CodecKernels.transpose(
                CodecKernels.Matrix(start, stride: rows), rows: columns, columns: rows,
                times: 1 / Float(block),
                into: CodecKernels.Matrix(values + column, stride: block))
            start.update(from: start + wanted, count: pending)
        }
    }
}
