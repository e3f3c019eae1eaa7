import Federation
import Provenance
import ProvenanceSamples
import Testing

@Suite("The log's tree of up to 2,000 leaves")
struct LogTreeTests {
    private static let log = LogUnderTest(leaves: 2000)
    /// A log that forked from the other at leaf 700.
    private static let forked = LogUnderTest(
        Array(log.leaves[..<700]) + [Array("another".utf8)] + Array(log.leaves[701...]))

    private var log: LogUnderTest { LogTreeTests.log }
    private let recursive = RecursiveTree(LogTreeTests.log.leaves.map(Merkle.leafHash))

    private func includes(
        _ index: UInt64, _ size: UInt64, _ path: [Digest], leaf: [UInt8]? = nil
    ) -> Bool {
        LogTree.includes(
            leaf: Merkle.leafHash(leaf ?? log.leaves[Int(index)]), index: index, size: size,
            path: path, root: log.root(size))
    }

    private func isConsistent(_ from: UInt64, _ to: UInt64, _ path: [Digest]) -> Bool {
        LogTree.isConsistent(
            from: from, fromRoot: log.root(from), to: to, toRoot: log.root(to), path: path)
    }

    /// Every pair of a small log, and some of the large one.
    private static func pairs(_ seed: UInt64) -> [(smaller: UInt64, larger: UInt64)] {
        var dice = Dice(seed: seed)
        let small = (1...UInt64(40)).flatMap { larger in (0...larger).map { ($0, larger) } }
        return small
            + (0..<300).map { _ in
                let larger = UInt64.random(in: 1...2000, using: &dice)
                return (UInt64.random(in: 0...larger, using: &dice), larger)
            }
    }

    @Test("has the recursive definition's root at every size")
    func roots() {
        for size in 0...2000 { #expect(log.root(UInt64(size)) == recursive.root(0..<size)) }
    }

    @Test("proves inclusion as defined, and takes what it proves")
    func inclusion() {
        for (index, size) in LogTreeTests.pairs(1) where index < size {
            let path = log.inclusion(index, size)
            #expect(path == recursive.path(Int(index), 0..<Int(size)))
            #expect(includes(index, size, path))
        }
    }

    @Test("proves consistency as defined, and takes what it proves")
    func consistency() {
        for (from, to) in LogTreeTests.pairs(2) {
            let path = log.consistency(from, to)
            if from > 0 { #expect(path == recursive.proof(Int(from), 0..<Int(to))) }
            #expect(isConsistent(from, to, path))
        }
    }

    @Test(
        "refuses a path with any bit changed, a hash too few or too many",
        arguments: [(0, 2), (699, 1999), (1998, 1999), (1023, 1024), (1024, 1025)])
    func damagedPath(smaller: UInt64, larger: UInt64) {
        let inclusion = log.inclusion(smaller, larger)
        for path in damaged(inclusion) { #expect(!includes(smaller, larger, path)) }
        guard smaller > 0 else { return }
        let consistency = log.consistency(smaller, larger)
        for path in damaged(consistency) { #expect(!isConsistent(smaller, larger, path)) }
    }

    private func damaged(_ path: [Digest]) -> [[Digest]] {
        var all: [[Digest]] = [path + [Merkle.emptyRoot], [Merkle.emptyRoot] + path]
        for index in path.indices {
            var shorter = path
            shorter.remove(at: index)
            all.append(shorter)
            var longer = path
            longer.insert(path[index], at: index)
            all.append(longer)
            for bit in 0..<256 {
                var changed = path
                changed[index] = path[index].flipping(bit)
                all.append(changed)
            }
        }
        return all
    }

    @Test("refuses a proof for another index, leaf or root")
    func wrongPlace() {
        for (index, size) in LogTreeTests.pairs(3) where index < size {
            let path = log.inclusion(index, size)
            #expect(!includes(index, size, path, leaf: Array("leaf".utf8)))
            let others = [index ^ 1, index + 1, index &- 1, index + size, index | 1 << 63]
            for other in others where other != index {
                let leaf = log.leaves[Int(index)]
                #expect(!includes(other, size, path, leaf: leaf))
            }
            let changed = LogTree.includes(
                leaf: Merkle.leafHash(log.leaves[Int(index)]), index: index, size: size,
                path: path, root: log.root(size).flipping(Int(index % 256)))
            #expect(!changed)
        }
    }

    @Test("refuses a consistency proof for another size")
    func wrongSize() {
        for (from, to) in LogTreeTests.pairs(4) where 0 < from && from < to && to < 2000 {
            let path = log.consistency(from, to)
            #expect(!isConsistent(from, to + 1, path))
            #expect(!isConsistent(from - 1, to, path))
            #expect(!isConsistent(to, from, path))
            #expect(
                !LogTree.isConsistent(
                    from: from, fromRoot: log.root(from).flipping(3), to: to,
                    toRoot: log.root(to), path: path))
        }
    }

    @Test("that forked is consistent only with what came before the fork")
    func fork() {
        let forked = LogTreeTests.forked
        for from in stride(from: UInt64(1), through: 1999, by: 37) {
            let held = [forked.consistency(from, 2000), log.consistency(from, 2000)].map { path in
                LogTree.isConsistent(
                    from: from, fromRoot: log.root(from), to: 2000, toRoot: forked.root(2000),
                    path: path)
            }
            #expect(held == [from <= 700, false])
        }
    }

    @Test("reads at most one node a level to append a leaf and find the new root")
    func reads() {
        for size in [UInt64(1), 2, 3, 255, 256, 511, 1000, 1023, 1024, 1999] {
            var reads = 0
            var made: [LogNode: Digest] = [:]
            let node = { (node: LogNode) in
                if let hash = made[node] { return hash }
                reads += 1
                return log.stored(node)
            }
            for (node, hash) in LogTree.nodes(
                appending: Merkle.emptyRoot, at: size, node: node)
            {
                made[node] = hash
            }
            _ = LogTree.root(size: size + 1, node: node)
            #expect(reads <= 64 - size.leadingZeroBitCount)
        }
    }

    @Test("takes any numbers without a trap")
    func extremes() {
        let hashes = [Digest](repeating: Merkle.emptyRoot, count: 64)
        let numbers = [UInt64(0), 1, 2, 1 << 62, 1 << 63, .max - 1, .max]
        for first in numbers {
            for second in numbers {
                #expect(
                    !LogTree.includes(
                        leaf: hashes[0], index: first, size: second, path: hashes,
                        root: hashes[0].flipping(0)))
                #expect(
                    !LogTree.isConsistent(
                        from: first, fromRoot: hashes[0], to: second, toRoot: hashes[0],
                        path: hashes))
            }
        }
    }
}
