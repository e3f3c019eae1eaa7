import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing

@Suite("A log read from tiles")
struct LogTileReadingTests {
    private static let sizes = [1, 2, 255, 256, 257, 600]

    private func log(_ size: Int) throws -> (LogUnderTest, TileLog<LogFiles>) {
        let log = LogUnderTest(leaves: size)
        return (
            log,
            TileLog(source: LogFiles(try log.files()), checkpoint: log.checkpoint(log.size))
        )
    }

    @Test("is the log that its checkpoint is of", arguments: sizes)
    func whole(size: Int) throws {
        var (log, tiles) = try log(size)
        try tiles.verifyAll()
        #expect(try tiles.leaves(from: 0, count: size) == log.leaves)
        for from in [0, size / 3, size - 1] {
            let count = min(300, size - from)
            let read = try tiles.leaves(from: UInt64(from), count: count)
            #expect(read == Array(log.leaves[from..<from + count]))
        }
        for level in 0..<10 {
            for index in 0..<log.size >> UInt64(level) {
                let node = LogNode(level: level, index: index)
                let hash = try tiles.node(node)
                #expect(hash == log.stored(node))
            }
        }
    }

    @Test("without leaves needs no tile")
    func empty() throws {
        var (_, tiles) = try log(0)
        try tiles.verifyAll()
        #expect(tiles.source.read.isEmpty)
        #expect(try tiles.leaves(from: 0, count: 0).isEmpty)
    }

    @Test(
        "is refused with any tile or bundle changed, cut off, prolonged or missing, which it names",
        arguments: sizes)
    func damage(size: Int) throws {
        let (log, _) = try log(size)
        let files = try log.files()
        var dice = Dice(seed: UInt64(size))
        for (path, bytes) in files {
            let place = Int.random(in: bytes.indices, using: &dice)
            var changed = bytes
            changed[place] ^= 1 << UInt8.random(in: 0...7, using: &dice)
            let others: [[UInt8]?] = [
                changed, bytes.dropLast(), bytes.dropLast(32), Array(bytes.dropFirst(32)),
                bytes + [0], bytes + bytes.prefix(32), [], nil,
            ]
            for other in others {
                var source = LogFiles(files)
                source.files[path] = other
                var tiles = TileLog(source: source, checkpoint: log.checkpoint(log.size))
                let fault = #expect(throws: Fault.self, "\(path) \(other?.count ?? -1)") {
                    try tiles.verifyAll()
                }
                #expect(fault?.code == .untrusted)
                #expect(fault?.message.contains(path) == true, "\(fault?.message ?? "")")
            }
        }
    }

    @Test(
        "is refused with another leaf, though its hashes are right, or with its hash alone changed")
    func swappedLeaf() throws {
        let (log, _) = try log(300)
        var leaves = log.leaves
        leaves[280] = Array("forged".utf8)
        let forged = try LogUnderTest(leaves).files()
        for path in ["tile/entries/001.p/44", "tile/0/001.p/44"] {
            var source = LogFiles(try log.files())
            source.files[path] = forged[path]
            var tiles = TileLog(source: source, checkpoint: log.checkpoint(300))
            #expect(throws: Fault.self) { try tiles.verifyAll() }
        }
        var tiles = TileLog(source: LogFiles(forged), checkpoint: log.checkpoint(300))
        #expect(throws: Fault.self) { _ = try tiles.node(LogNode(level: 0, index: 0)) }
    }

    @Test("may have grown since, with only the full tile left")
    func grown() throws {
        let log = LogUnderTest(leaves: 600)
        var source = LogFiles(try log.files())
        source.files = source.files.filter { !$0.key.contains(".p/") }
        source.files["tile/1/000.p/1"] = Array(log.root(256).bytes)
        var tiles = TileLog(source: source, checkpoint: log.checkpoint(300))
        try tiles.verifyAll()
        #expect(try tiles.leaves(from: 256, count: 44) == Array(log.leaves[256..<300]))
    }

    @Test("is consistent with its own past, and with no other")
    func consistency() throws {
        var (log, tiles) = try log(600)
        var leaves = log.leaves
        leaves[100] = Array("another".utf8)
        let forked = LogUnderTest(leaves)
        for size in [UInt64(0), 1, 100, 101, 255, 256, 300, 512, 599, 600] {
            #expect(try tiles.isConsistent(with: log.checkpoint(size)))
            #expect(try tiles.isConsistent(with: forked.checkpoint(size)) == (size <= 100))
        }
        let longer = LogUnderTest(leaves: 601)
        #expect(try !tiles.isConsistent(with: longer.checkpoint(601)))
        #expect(try !tiles.isConsistent(with: log.checkpoint(5, origin: "tributary/south")))
    }

    @Test("has no leaves or nodes beyond its end")
    func beyond() throws {
        var (_, tiles) = try log(300)
        for (level, index) in [(0, 300), (8, 1), (9, 0), (64, 0), (-1, 0), (0, UInt64.max)] {
            #expect(throws: Fault.self) {
                _ = try tiles.node(LogNode(level: level, index: index))
            }
        }
        for (from, count) in [(301, 0), (300, 1), (0, 301), (UInt64.max, 1), (0, -1)] {
            #expect(throws: Fault.self) { _ = try tiles.leaves(from: from, count: count) }
        }
        #expect(try tiles.leaves(from: 300, count: 0).isEmpty)
    }

    @Test("of 70,000 leaves is read a few tiles at a time, each checked up to the root")
    func large() throws {
        var (log, tiles) = try log(70_000)
        let path = try LogTree.inclusionPath(index: 1234, size: 70_000) {
            node throws(Fault) in try tiles.node(node)
        }
        #expect(path == log.inclusion(1234, 70_000))
        let used = [
            "tile/0/004", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1",
        ]
        #expect(Set(tiles.source.read).sorted() == used)
        for path in used {
            var source = tiles.source
            source.files[path]?[16] ^= 4
            var changed = TileLog(source: source, checkpoint: log.checkpoint(70_000))
            let fault = #expect(throws: Fault.self) {
                _ = try changed.node(LogNode(level: 0, index: 1030))
            }
            #expect(fault?.message.contains(path) == true)
        }
    }

    /// A new folder with the log's files.
    private func folder(with log: LogUnderTest) throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "tributary-log-\(UUID().uuidString)")
        for (path, bytes) in try log.files() {
            let file = folder.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }
        return folder
    }

    @Test("may have grown since, in a directory with only the newest partial tiles, but not shrunk")
    func grownDirectory() throws {
        let log = LogUnderTest(leaves: 600)
        let folder = try folder(with: log)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = DirectorySource(directory: folder.path)
        for size in [1, 300, 550, 599] {
            var tiles = TileLog(source: source, checkpoint: log.checkpoint(UInt64(size)))
            try tiles.verifyAll()
            #expect(try tiles.leaves(from: 0, count: size) == Array(log.leaves[..<size]))
        }
        let newer = LogUnderTest(leaves: 601)
        var tiles = TileLog(source: source, checkpoint: newer.checkpoint(601))
        let fault = #expect(throws: Fault.self) { try tiles.verifyAll() }
        #expect(fault?.code == .untrusted)
        #expect(fault?.message.contains("tile/0/002.p/89 is missing") == true)
    }

    @Test("lies in a directory")
    func directory() throws {
        let log = LogUnderTest(leaves: 300)
        let folder = try folder(with: log)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = DirectorySource(directory: folder.path)
        var tiles = TileLog(source: source, checkpoint: log.checkpoint(300))
        try tiles.verifyAll()
        try FileManager.default.removeItem(at: folder.appending(path: "tile/0"))
        tiles = TileLog(source: source, checkpoint: log.checkpoint(300))
        let fault = #expect(throws: Fault.self) { try tiles.verifyAll() }
        #expect(fault?.code == .untrusted)
    }
}
