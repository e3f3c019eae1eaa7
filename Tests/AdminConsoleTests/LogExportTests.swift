import AdminConsole
import Federation
import Provenance
import Testing

@Suite("Copying a log's public files")
struct LogExportTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    /// Grows the copy by leaves that say their position up to `size`, and signs its root.
    private func grow(
        _ copy: inout LogExport, to size: UInt64, _ signer: LogSigner
    ) throws -> SignedCheckpoint {
        while copy.size < size { try copy.append(Array("leaf \(copy.size)".utf8)) }
        let signed = try signer.sign(
            Checkpoint(origin: SmallLog.origin, size: size, root: try copy.root))
        try copy.finish(signed)
        return signed
    }

    @Test(
        "they hold every leaf and hash, whatever the size",
        arguments: [1, 2, 255, 256, 257, 511, 512, 513, 65_537])
    func sizes(size: UInt64) throws {
        let signer = try SmallLog().signer
        var copy = try LogExport(directory: scratch.path + "/log")
        #expect(try copy.previous(key: signer.verifier) == nil)
        let signed = try grow(&copy, to: size, signer)
        #expect(try copy.previous(key: signer.verifier) == signed.checkpoint)
        var log = TileLog(
            source: DirectorySource(directory: scratch.path + "/log"),
            checkpoint: signed.checkpoint)
        try log.verifyAll()
        #expect(try log.leaves(from: size - 1, count: 1) == [Array("leaf \(size - 1)".utf8)])
        let tiles = scratch.files().filter { $0.hasPrefix("log/tile/0/") && !$0.hasSuffix(".p") }
        #expect(tiles.count == Int((size + 255) / 256))
    }

    @Test("of an older state are kept, and what does not belong to them is taken back")
    func growth() throws {
        let signer = try SmallLog().signer
        for size: UInt64 in [3, 300, 301] {
            var copy = try LogExport(directory: scratch.path)
            _ = try grow(&copy, to: size, signer)
        }
        let before = scratch.files()
        #expect(before.contains("tile/0/000.p/3") && before.contains("tile/0/001.p/44"))
        var copy = try LogExport(directory: scratch.path)
        for _ in 0..<255 { try copy.append([1]) }
        let fault = #expect(throws: Fault.self) { try copy.append([1]) }
        #expect(fault?.message.contains("tile/entries/000 is of another log") == true)
        copy.undo()
        #expect(scratch.files() == before)

        var longer = try LogExport(directory: scratch.path)
        for position in 0..<600 { try longer.append(Array("leaf \(position)".utf8)) }
        #expect(scratch.files() != before)
        longer.undo()
        #expect(scratch.files() == before)
    }
}
