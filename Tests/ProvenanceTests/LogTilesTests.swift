import Federation
import Provenance
import ProvenanceSamples
import Testing

@Suite("Tiles")
struct LogTilesTests {
    @Test("have the paths of C2SP's tlog-tiles")
    func paths() {
        let paths: [(TilePath, String)] = [
            (.hashes(level: 0, index: 0, width: 256), "tile/0/000"),
            (.hashes(level: 0, index: 0, width: 5), "tile/0/000.p/5"),
            (.hashes(level: 1, index: 1_234_067, width: 256), "tile/1/x001/x234/067"),
            (.entries(index: 1000, width: 255), "tile/entries/x001/000.p/255"),
            (
                .entries(index: .max, width: 256),
                "tile/entries/x018/x446/x744/x073/x709/x551/615"
            ),
        ]
        for (path, text) in paths {
            #expect(path.text == text)
            #expect(TilePath(text) == path)
        }
    }

    @Test(
        "are asked for by one spelling only",
        arguments: [
            "", "tile", "tile/0", "tile/0/", "tile//000", "/tile/0/000", "tile/0/000/",
            "tile/00/000", "tile/8/000", "tile/-1/000", "tile/+1/000", "tile/0/0", "tile/0/0000",
            "tile/0/x000/001", "tile/0/001/002", "tile/0/x001", "tile/0/xx01/001",
            "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/256",
            "tile/0/000.p/01", "tile/0/000.p/+1", "tile/0/000.p/5/6", "tile/0/x001.p/000",
            "tile/0/../000", "tile/entries/../../checkpoint", "tile/entries/000.p/5/",
            "tile/0/x018/x446/x744/x073/x709/x551/616", "checkpoint", "tile/0/00\u{661}",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/999",
        ])
    func malformed(text: String) { #expect(TilePath(text) == nil) }

    @Test("of a log are those that C2SP's example names")
    func example() {
        let paths = Tiles.paths(growingFrom: 0, to: 70_000)
        func count(_ level: Int, _ width: Int? = nil) -> Int {
            paths.count {
                guard case .hashes(level, _, let has) = $0 else { return false }
                return width.map { $0 == has } ?? (has == 256)
            }
        }
        #expect(
            [count(0), count(0, 112), count(1), count(1, 17), count(2, 1)] == [273, 1, 1, 1, 1])
        #expect(paths.count == 273 + 1 + 1 + 1 + 1 + 274)
        #expect(
            Tiles.paths(growingFrom: 0, to: 256).map(\.text) == [
                "tile/entries/000", "tile/0/000", "tile/1/000.p/1",
            ])
    }

    @Test("that a log needs anew are those that it has and had not")
    func growth() {
        let sizes: [UInt64] = [0, 1, 2, 255, 256, 257, 511, 512, 600, 65535, 65536, 65537, 70000]
        for older in sizes {
            for size in sizes where size >= older {
                let had = Set(Tiles.paths(growingFrom: 0, to: older))
                let has = Tiles.paths(growingFrom: 0, to: size)
                let new = Tiles.paths(growingFrom: older, to: size)
                #expect(new == has.filter { !had.contains($0) }, "\(older) to \(size)")
            }
        }
    }

    @Test("of entries give back the leaves, and are refused when cut off")
    func bundles() throws {
        let leaves = [[], [1], [UInt8](repeating: 7, count: 300), Array("{}".utf8)]
        let bytes = try Tiles.entries(leaves)
        #expect(bytes.count == 4 * 2 + 303)
        #expect(Tiles.leaves(ofBundle: bytes) == leaves)
        let ends = Set(leaves.indices.map { bytes.count - sizes(leaves[$0...]) })
        for end in bytes.indices {
            let isWhole = ends.contains(end)
            #expect((Tiles.leaves(ofBundle: Array(bytes[..<end])) != nil) == isWhole, "\(end)")
        }
        let tooLong = [UInt8](repeating: 0, count: LogProof.largestLeaf + 1)
        #expect(throws: Fault.self) { _ = try Tiles.entries([tooLong]) }
    }

    private func sizes(_ leaves: ArraySlice<[UInt8]>) -> Int {
        leaves.reduce(0) { $0 + 2 + $1.count }
    }

    @Test("hold hashes side by side")
    func hashes() {
        let log = LogUnderTest(leaves: 600)
        let tile = Tiles.hashes(level: 0, index: 2, width: 88) { log.stored($0) }
        #expect(tile == log.leaves[512..<600].flatMap { Merkle.leafHash($0).bytes })
        let above = Tiles.hashes(level: 1, index: 0, width: 2) { log.stored($0) }
        #expect(Array(above[..<32]) == log.root(256).bytes)
    }
}
