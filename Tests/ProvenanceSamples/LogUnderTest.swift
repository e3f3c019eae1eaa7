import Cryptography
package import Federation
package import Provenance

/// A log that a test grows in memory.
package struct LogUnderTest {
    package private(set) var leaves: [[UInt8]] = []
    private var nodes: [LogNode: Digest] = [:]

    /// A log of so many leaves, each different.
    package init(leaves count: Int) {
        for index in 0..<count { append(Array("leaf \(index)".utf8)) }
    }

    package init(_ leaves: [[UInt8]]) {
        for leaf in leaves { append(leaf) }
    }

    package var size: UInt64 { UInt64(leaves.count) }

    package mutating func append(_ leaf: [UInt8]) {
        let made = LogTree.nodes(appending: Merkle.leafHash(leaf), at: size) { stored($0) }
        for (node, hash) in made { nodes[node] = hash }
        leaves.append(leaf)
    }

    /// A node asked for without having been made fails the test by its hash.
    package func stored(_ node: LogNode) -> Digest { nodes[node] ?? Merkle.emptyRoot }

    package func root(_ size: UInt64) -> Digest { LogTree.root(size: size) { stored($0) } }

    package func inclusion(_ index: UInt64, _ size: UInt64) -> [Digest] {
        LogTree.inclusionPath(index: index, size: size) { stored($0) }
    }

    package func consistency(_ from: UInt64, _ to: UInt64) -> [Digest] {
        LogTree.consistencyPath(from: from, to: to) { stored($0) }
    }

    package func checkpoint(_ size: UInt64, origin: String = "tributary/north") -> Checkpoint {
        Checkpoint(origin: origin, size: size, root: root(size))
    }

    /// The files of the tiled log.
    package func files() throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for path in Tiles.paths(growingFrom: 0, to: size) {
            switch path {
            case .hashes(let level, let index, let width):
                files[path.text] = Tiles.hashes(level: level, index: index, width: width) {
                    stored($0)
                }
            case .entries(let index, let width):
                let first = Int(index) * TilePath.fullWidth
                files[path.text] = try Tiles.entries(Array(leaves[first..<first + width]))
            }
        }
        return files
    }
}

/// The files of a log in memory.
package struct LogFiles: LogSource {
    package var files: [String: [UInt8]]
    package private(set) var read: [String] = []

    package init(_ files: [String: [UInt8]]) { self.files = files }

    package mutating func read(_ path: String) throws(Fault) -> [UInt8]? {
        read.append(path)
        return files[path]
    }
}

/// Numbers that look random and are the same in every run.
package struct Dice: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

extension Digest {
    /// The digest with one bit changed.
    package func flipping(_ bit: Int) -> Digest {
        var bytes = self.bytes
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        return Digest(bytes: bytes) ?? self
    }
}
