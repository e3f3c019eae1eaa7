/// Ascending file offsets, 0 or more, in 4 bytes each.
package struct RowOffsets: Sendable {
    private var low: [UInt32] = []
    /// Element i: how many offsets lie below (i + 1) x 2^32.
    private var below: [Int] = []

    package init() {}

    package var count: Int { low.count }

    /// Adds `offset`, which is not below the last.
    package mutating func append(_ offset: Int) {
        while below.count < offset >> 32 { below.append(low.count) }
        low.append(UInt32(truncatingIfNeeded: offset))
    }

    package subscript(index: Int) -> Int {
        (below.firstIndex { index < $0 } ?? below.count) << 32 | Int(low[index])
    }
}
