import AgentService
import AgentSession
import Cryptography
import Federation
import Foundation
import Testing

@Suite("Pending updates")
struct PendingUpdatesTests {
    let directory: TemporaryDirectory
    let updates: PendingUpdates
    let plan: PlanID

    init() throws {
        directory = try TemporaryDirectory()
        updates = PendingUpdates(directory: directory.path)
        plan = try planID("pumps")
    }

    private func update(_ bytes: [UInt8], round: UInt64 = 7) -> PendingUpdate {
        PendingUpdate(
            plan: plan, at: RoundAttempt(round: RoundID(round), attempt: 2), baseVersion: 3,
            latticeID: SHA256.digest(of: [1]), submitToken: [4, 5, 6], examples: 900,
            withinClip: true, size: UInt64(bytes.count), digest: SHA256.digest(of: bytes))
    }

    @Test("an update reads back after a restart")
    func survives() throws {
        let bytes = [UInt8](0..<200)
        let saved = update(bytes)
        try updates.save(saved, bytes: bytes)
        let (loaded, dropped) = PendingUpdates(directory: directory.path).load(
            plans: [plan, try planID("valves")])
        #expect(dropped.isEmpty)
        #expect(loaded == [saved])
        #expect(try updates.read(saved, offset: 150, count: 50) == Array(bytes[150...]))
    }

    /// The files but for the spares, in whose place the next ones are written, and in which nothing may be left.
    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { name in
            guard name.hasSuffix(".spare") else { return true }
            // An older header says nothing of the data, and its round is over.
            let isHeader = name.hasSuffix(".header.spare")
            return try !isHeader && directory.contents(name).contains { $0 != 0 }
        }
    }

    @Test("a newer update takes the older one's place, files included")
    func replaces() throws {
        try updates.save(update([1]), bytes: [1])
        try updates.save(update([2, 2], round: 8), bytes: [2, 2])
        let (loaded, _) = updates.load(plans: [plan])
        #expect(loaded.map(\.at.round.number) == [8])
        #expect(try files().count == 2)
    }

    @Test("a new header keeps the bytes")
    func readdressed() throws {
        var changed = update([1, 2, 3])
        try updates.save(changed, bytes: [1, 2, 3])
        changed.at = RoundAttempt(round: RoundID(7), attempt: 3)
        changed.submitToken = [9]
        try updates.saveHeader(changed)
        let (loaded, _) = updates.load(plans: [plan])
        #expect(loaded.first?.at.attempt == 3)
        #expect(loaded.first?.submitToken == [9])
        #expect(try updates.read(changed, offset: 0, count: 3) == [1, 2, 3])
    }

    @Test("a discarded update leaves nothing of itself")
    func discards() throws {
        try updates.save(update([1]), bytes: [1])
        updates.discard(plan)
        #expect(updates.load(plans: [plan]).updates.isEmpty)
        #expect(try files().isEmpty)
    }

    @Test(
        "an update reads back whatever its header's first bytes are: older programs put a time there",
        arguments: [[0, 0, 0, 0, 0x69, 0xA4, 0x2E, 0xC0], [UInt8](repeating: 0xFF, count: 8)])
    func reserved(time: [UInt8]) throws {
        let saved = update([1, 2])
        try updates.save(saved, bytes: [1, 2])
        let header = try directory.contents("pumps.header")
        #expect(header.prefix(8).allSatisfy { $0 == 0 })
        try directory.write(time + header.dropFirst(8), to: "pumps.header")
        #expect(updates.load(plans: [plan]).updates == [saved])
    }

    @Test("a damaged update, header or bytes, is dropped and named")
    func damaged() throws {
        let name = "pumps.\(SHA256.digest(of: [1, 2]).hex)"
        for (file, contents) in [
            ("pumps.header", [UInt8](repeating: 0, count: 5)), ("pumps.header", []),
            (name, [1, 3]), (name, [1]),
        ] {
            try updates.save(update([1, 2]), bytes: [1, 2])
            try directory.write(contents, to: file)
            let (loaded, dropped) = updates.load(plans: [plan])
            #expect(loaded.isEmpty)
            #expect(dropped.count == 1)
            #expect(try files().isEmpty)
        }
    }
}
