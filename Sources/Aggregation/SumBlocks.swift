import Kernels

/// Integers in blocks, each held in as few bits as its values may need: the sum is the largest thing in a coordinator's
/// memory, and adding to it is as fast as that memory is.
///
/// What the integers are does not depend on how they are held.
struct SumBlocks: Sendable {
    /// Of the three one holds the block; the others are empty.
    private struct Block: Sendable {
        var int16: [Int16] = []
        var int32: [Int32] = []
        var int64: [Int64] = []
    }

    /// Integers in each block but the last.
    private static let size = 1 << 16

    let count: Int
    private var blocks: [Block]
    /// The magnitude that every block has room for.
    private var room = Int64(Int16.max)

    /// `count` zeros.
    init(count: Int) {
        self.count = count
        blocks = stride(from: 0, to: count, by: Self.size).map { start in
            Block(int16: [Int16](repeating: 0, count: min(Self.size, count - start)))
        }
    }

    /// The integers' indices in a block.
    private func range(_ block: Int) -> Range<Int> {
        block * Self.size..<min((block + 1) * Self.size, count)
    }

    // MARK: Adding

    /// The blocks' numbers.
    var indices: Range<Int> { blocks.indices }

    /// Adds `weight` times `values`, which are all integers', to those of one block.
    ///
    /// There is room for the sums, see `makeRoom`.
    mutating func add(_ values: UnsafeBufferPointer<Int8>, weight: Int64, to index: Int) {
        precondition(values.count == count, "an update and its sum differ in length")
        let part = UnsafeBufferPointer(rebasing: values[range(index)])
        if !blocks[index].int16.isEmpty {
            Accumulate.add(part, weight: Int16(weight), into: &blocks[index].int16)
        } else if !blocks[index].int32.isEmpty {
            Accumulate.add(part, weight: Int32(weight), into: &blocks[index].int32)
        } else {
            Accumulate.add(part, weight: weight, into: &blocks[index].int64)
        }
    }

    /// Adds `weight` times `values`. There is room for the sums.
    mutating func add(_ values: [Int64], weight: Int64) {
        precondition(values.count == count, "an update and its sum differ in length")
        change { sums, first in
            for index in sums.indices { sums[index] += weight * values[first + index] }
        }
    }

    /// Makes room for integers of magnitudes up to `bound`.
    mutating func makeRoom(for bound: Int64) {
        guard bound > room else { return }
        room = bound <= Int64(Int32.max) ? Int64(Int32.max) : .max
        for index in blocks.indices { widen(index) }
    }

    /// Holds a block in as many bits as there is to be room for.
    private mutating func widen(_ index: Int) {
        guard room <= Int64(Int32.max) else {
            blocks[index] = Block(int64: integers(index))
            return
        }
        guard !blocks[index].int16.isEmpty else { return }
        blocks[index] = Block(int32: converted(blocks[index].int16))
    }

    // MARK: Changing

    /// Lets `body` change the integers in place, some at a time and in order; it gets the index of the first of them, too.
    mutating func change(_ body: (inout [Int64], Int) -> Void) {
        for index in blocks.indices {
            var sums = integers(index)
            body(&sums, index * Self.size)
            hold(sums, at: index)
        }
    }

    /// Holds `sums` in as few bits as have room for them.
    private mutating func hold(_ sums: [Int64], at index: Int) {
        var (low, high) = (-room, room)
        for sum in sums {
            low = min(low, sum)
            high = max(high, sum)
        }
        if low >= Int16.min, high <= Int16.max {
            blocks[index] = Block(int16: converted(sums))
        } else if low >= Int32.min, high <= Int32.max {
            blocks[index] = Block(int32: converted(sums))
        } else {
            blocks[index] = Block(int64: sums)
        }
    }

    // MARK: Reading

    private func integers(_ index: Int) -> [Int64] {
        let block = blocks[index]
        if !block.int16.isEmpty { return converted(block.int16) }
        if !block.int32.isEmpty { return converted(block.int32) }
        return block.int64
    }

    /// Writes the integers from `first` of block `index` on, times `factor`, to `run`, as many as
    /// either holds.
    ///
    /// - Returns: how many.
    private func scale(
        _ index: Int, from first: Int, by factor: Double,
        to run: UnsafeMutableBufferPointer<Float>
    ) -> Int {
        let block = blocks[index]
        let some = first..<min(first + run.count, range(index).count)
        guard let output = run.baseAddress else { return 0 }
        if !block.int16.isEmpty {
            for (place, value) in block.int16[some].enumerated() {
                output[place] = Float(Double(value) * factor)
            }
        } else if !block.int32.isEmpty {
            block.int32[some].withUnsafeBufferPointer {
                CodecKernels.scale($0, by: factor, into: output)
            }
        } else {
            block.int64[some].withUnsafeBufferPointer {
                CodecKernels.scale($0, by: factor, into: output)
            }
        }
        return some.count
    }

    /// Calls `body` with all of them, some at a time and in order.
    func forEachRun<Failure: Error>(
        _ body: ([Int64]) throws(Failure) -> Void
    ) throws(Failure) {
        for index in blocks.indices { try body(integers(index)) }
    }

    /// Gives them in order, as many at a time as are wanted.
    struct Cursor {
        fileprivate let sums: SumBlocks
        /// Where the next is.
        private var block = 0
        private var first = 0

        fileprivate init(_ sums: SumBlocks) { self.sums = sums }

        /// Fills `run` with the next, each times `factor` in Double; there are as many left.
        mutating func fill(_ run: UnsafeMutableBufferPointer<Float>, times factor: Double) {
            var filled = 0
            while filled < run.count {
                let count = sums.scale(
                    block, from: first, by: factor,
                    to: UnsafeMutableBufferPointer(rebasing: run[filled...]))
                filled += count
                first += count
                if first == sums.range(block).count { (block, first) = (block + 1, 0) }
            }
        }
    }

    /// At the first of them.
    var cursor: Cursor { Cursor(self) }

    /// All of them.
    var all: [Int64] {
        var all: [Int64] = []
        all.reserveCapacity(count)
        forEachRun { all += $0 }
        return all
    }
}

/// `values` in another width, which has room for them; `map` would take several times as long.
private func converted<Narrow: FixedWidthInteger, Wide: FixedWidthInteger>(
    _ values: [Narrow]
) -> [Wide] {
    [Wide](unsafeUninitializedCapacity: values.count) { wide, count in
        values.withUnsafeBufferPointer { values in
            for index in 0..<values.count { wide[index] = Wide(truncatingIfNeeded: values[index]) }
        }
        count = values.count
    }
}
