import Federation
import Foundation
import Provenance
import Registry
import Testing

@Suite("The log's files")
struct LogFilesTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    private var log: String { scratch.directory + "/log" }

    private func append(_ count: Int) async throws {
        for number in 0..<count {
            try await registry.record(event(.keyAdded, "\(number)"), nowUnix: now)
        }
    }

    /// The log as a reader of the files sees it, with every tile checked.
    private func published() throws -> TileLog<DirectorySource> {
        var source = DirectorySource(directory: log)
        let note = try #require(try source.read("checkpoint"))
        let signed = try SignedCheckpoint(note: note, key: logSigner.verifier)
        var files = TileLog(source: source, checkpoint: signed.checkpoint)
        try files.verifyAll()
        return files
    }

    @Test("what a reader took the checkpoint of stays provable while the log grows")
    func growthMeanwhile() async throws {
        try await append(300)
        let older = try published().checkpoint
        for count in [1, 1, 210, 1] {
            try await append(count)
            var files = TileLog(source: DirectorySource(directory: log), checkpoint: older)
            try files.verifyAll()
            var newer = try published()
            #expect(try newer.isConsistent(with: older))
        }
        try FileManager.default.removeItem(atPath: log + "/tile/0/001")
        var files = TileLog(source: DirectorySource(directory: log), checkpoint: older)
        let fault = #expect(throws: Fault.self) { try files.verifyAll() }
        #expect(fault?.code == .untrusted)
        #expect(fault?.message.contains("tile/0/001.p/44 is missing") == true)
    }

    private func tileNames() -> [String] {
        (FileManager.default.subpaths(atPath: log) ?? []).filter { TilePath($0) != nil }.sorted()
    }

    @Test("an empty log has a checkpoint and no tile")
    func empty() throws {
        #expect(try published().checkpoint.size == 0)
        #expect(tileNames() == [])
    }

    @Test("the files follow every event, full tiles stay, and partial ones give way")
    func growth() async throws {
        var size = 0
        for count in [1, 1, 253, 1, 1, 300] {
            try await append(count)
            size += count
            var files = try published()
            #expect(files.checkpoint.size == UInt64(size))
            let leaves = try files.leaves(from: 0, count: size)
            let events = try await registry.events(from: 0, limit: 1000)
            #expect(leaves == events.map(\.leaf))
            let expected = Tiles.paths(growingFrom: 0, to: UInt64(size)).map(\.text)
            #expect(tileNames() == expected.sorted())
        }
    }

    @Test("what a stop left unwritten is written at the next open")
    func crash() async throws {
        try await append(300)
        let older = try Data(contentsOf: URL(filePath: log + "/checkpoint"))
        // As if the process had ended between the commit and the files, for some events.
        let before = tileNames()
        try await append(260)
        for name in tileNames() where !before.contains(name) {
            try FileManager.default.removeItem(atPath: "\(log)/\(name)")
        }
        try older.write(to: URL(filePath: log + "/checkpoint"))
        // And a tile that the power cut left empty.
        try Data().write(to: URL(filePath: log + "/tile/0/000"))
        _ = try scratch.reopened()
        #expect(try published().checkpoint.size == 560)
        #expect(
            tileNames() == Tiles.paths(growingFrom: 0, to: 560).map(\.text).sorted())
    }

    @Test("a change stands though its files cannot be written, and they follow later")
    func unwritable() async throws {
        try await append(1)
        try FileManager.default.removeItem(atPath: log)
        try Data().write(to: URL(filePath: log))
        try await append(2)
        #expect(try await registry.checkpoint().checkpoint.size == 3)
        try FileManager.default.removeItem(atPath: log)
        try FileManager.default.createDirectory(atPath: log, withIntermediateDirectories: false)
        try await append(1)
        #expect(try published().checkpoint.size == 4)
    }

    @Test("files that are gone, or damaged beyond reading, are all written again")
    func rewritten() async throws {
        try await append(3)
        try FileManager.default.removeItem(atPath: log)
        _ = try scratch.reopened()
        #expect(try published().checkpoint.size == 3)
        try Data("nonsense".utf8).write(to: URL(filePath: log + "/checkpoint"))
        _ = try scratch.reopened()
        #expect(try published().checkpoint.size == 3)
    }

    @Test("a registry that is older than its files, or of another log, is refused")
    func rolledBack() async throws {
        try await append(2)
        let fork = scratch.directory + "-fork"
        defer { try? FileManager.default.removeItem(atPath: fork) }
        let other = try openRegistry(fork)
        for number in 0..<3 {
            try await other.record(event(.keyRetired, "\(number)"), nowUnix: now)
        }
        let name = log + "/checkpoint"
        for size in [3, 4] {
            try FileManager.default.removeItem(atPath: name)
            try FileManager.default.copyItem(atPath: fork + "/log/checkpoint", toPath: name)
            let fault = #expect(throws: Fault.self) { _ = try scratch.reopened() }
            #expect(fault?.code == .untrusted)
            #expect(fault?.message.contains("rolled back") == (size == 3))
            try await append(2)
        }
    }

    @Test("two processes that append in turn leave one sound log")
    func twoWriters() async throws {
        let other = try scratch.reopened()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, writer) in [registry, other].enumerated() {
                group.addTask {
                    for number in 0..<20 {
                        try await writer.record(
                            event(.keyAdded, "\(index) \(number)"), nowUnix: now)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try published().checkpoint.size == 40)
        #expect(tileNames().count == 2)
    }
}
