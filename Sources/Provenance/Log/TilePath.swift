import Federation

/// The name of one file of a C2SP tiled log: a tile of hashes, or a bundle of entries.
package enum TilePath: Hashable, Sendable {
    /// `width` hashes of the complete subtrees at log level `8 * level`, from the one at
    /// `256 * index`.
    case hashes(level: Int, index: UInt64, width: Int)
    /// `width` leaves from the one at `256 * index`.
    case entries(index: UInt64, width: Int)

    /// A tile of fewer is partial, and its name says how many it has.
    package static let fullWidth = 256
    /// The levels that a log of `LogTree.largestSize` leaves has tiles of.
    package static let levels = 0..<8

    /// How many hashes or leaves the file holds.
    package var width: Int {
        switch self {
        case .hashes(_, _, let width), .entries(_, let width): width
        }
    }

    /// The file of the same place once the log has filled it.
    package var full: TilePath { of(width: TilePath.fullWidth) }

    /// The files that this one is the first part of: the full one, then the partial ones, then the
    /// full one again, since a log that grows meanwhile may fill it.
    var wider: [TilePath] {
        guard width < TilePath.fullWidth else { return [] }
        return [full] + (width + 1...TilePath.fullWidth).map(of(width:))
    }

    private func of(width: Int) -> TilePath {
        switch self {
        case .hashes(let level, let index, _): .hashes(level: level, index: index, width: width)
        case .entries(let index, _): .entries(index: index, width: width)
        }
    }

    /// This file's bytes, cut from those of a wider one; nil when they are too few.
    func part(of bytes: [UInt8]) -> [UInt8]? {
        var count = 0
        switch self {
        case .hashes(_, _, let width): count = width * Digest.byteCount
        case .entries(_, let width):
            for _ in 0..<width {
                guard count + 2 <= bytes.count else { return nil }
                count += 2 + Int(bytes[count]) << 8 + Int(bytes[count + 1])
            }
        }
        return count <= bytes.count ? Array(bytes[..<count]) : nil
    }

    /// The path under the log's directory, such as `tile/0/x001/234.p/7`.
    package var text: String {
        switch self {
        case .hashes(let level, let index, let width):
            "tile/\(level)/\(TilePath.digits(index))\(TilePath.suffix(width))"
        case .entries(let index, let width):
            "tile/entries/\(TilePath.digits(index))\(TilePath.suffix(width))"
        }
    }

    /// Reads a path; nil unless it is exactly what `text` writes for a tile of 1 to 256.
    package init?(_ text: String) {
        var parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard text.utf8.count <= 64, parts.count >= 3, parts.removeFirst() == "tile" else {
            return nil
        }
        let kind = parts.removeFirst()
        var width = TilePath.fullWidth
        if parts.count >= 2, parts[parts.count - 2].hasSuffix(".p") {
            guard let partial = Int(parts.removeLast()), (1..<width).contains(partial) else {
                return nil
            }
            width = partial
            parts[parts.count - 1].removeLast(2)
        }
        guard let index = UInt64(parts.map { $0.drop { $0 == "x" } }.joined()) else { return nil }
        if kind == "entries" {
            self = .entries(index: index, width: width)
        } else if let level = Int(kind), TilePath.levels.contains(level) {
            self = .hashes(level: level, index: index, width: width)
        } else {
            return nil
        }
        guard self.text == text else { return nil }
    }

    /// Groups of three digits, all but the last marked, so that no file has a directory's name.
    private static func digits(_ index: UInt64) -> String {
        let last = index % 1000
        var text = String(repeating: "0", count: 3 - String(last).count) + String(last)
        var higher = index / 1000
        while higher > 0 {
            let group = higher % 1000
            let zeros = String(repeating: "0", count: 3 - String(group).count)
            text = "x\(zeros)\(group)/\(text)"
            higher /= 1000
        }
        return text
    }

    private static func suffix(_ width: Int) -> String {
        width == fullWidth ? "" : ".p/\(width)"
    }
}
