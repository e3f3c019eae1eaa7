import Federation
import Provenance

/// Compares the files of `DIR/log` with leaves and hashes as they come, a tile at a time.
struct TileAudit {
    private var source: DirectorySource
    /// Leaves that the checkpoint there is of: the files must go that far.
    private let size: UInt64
    private var hashes: [Int: [Digest]] = [:]
    private var leaves: [[UInt8]] = []

    init(directory: String, size: UInt64) {
        self.size = size
        source = DirectorySource(directory: directory)
    }

    /// Takes the next leaf, with the subtrees that it completes; compares the tiles it fills.
    mutating func add(
        _ leaf: [UInt8], completing made: [(node: LogNode, hash: Digest)],
        _ report: inout RegistryAudit.Report
    ) {
        guard made[0].node.index < size else { return }
        leaves.append(leaf)
        for (node, hash) in made where node.level.isMultiple(of: 8) {
            hashes[node.level / 8, default: []].append(hash)
            guard (node.index + 1).isMultiple(of: UInt64(TilePath.fullWidth)) else { continue }
            let index = node.index / UInt64(TilePath.fullWidth)
            compare(level: node.level / 8, index: index, &report)
        }
    }

    /// Compares the tiles that the last leaf left partial.
    mutating func finish(_ report: inout RegistryAudit.Report) {
        for (level, partial) in hashes where !partial.isEmpty {
            compare(level: level, index: size >> UInt64(8 * (level + 1)), &report)
        }
    }

    private mutating func compare(
        level: Int, index: UInt64, _ report: inout RegistryAudit.Report
    ) {
        let tile = hashes.updateValue([], forKey: level) ?? []
        compare(
            .hashes(level: level, index: index, width: tile.count), tile.flatMap(\.bytes), &report)
        guard level == 0 else { return }
        let path = TilePath.entries(index: index, width: leaves.count)
        report.look(at: "log/\(path.text)") { compare(path, try Tiles.entries(leaves), &$0) }
        leaves = []
    }

    private mutating func compare(
        _ path: TilePath, _ bytes: [UInt8], _ report: inout RegistryAudit.Report
    ) {
        report.tiles += 1
        report.look(at: "log/\(path.text)") { report in
            // A daemon that runs beside the audit may have put a wider tile in its place.
            guard let found = try source.read(path.text) else {
                return report.add("log/\(path.text)", "it is missing")
            }
            if found != bytes {
                report.add(
                    "log/\(path.text)", "it does not hold what the registry's leaves make")
            }
        }
    }
}
