import Cryptography
import Federation
import Foundation
import GRDB
import Registry
import Testing

@Suite("The audit log")
struct EventLogTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    @Test("leaves are dense from 0 and carry their RFC 6962 hash")
    func dense() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await registry.record(event(.adminIssued, "\(number)"), nowUnix: now)
                }
            }
            try await group.waitForAll()
        }
        let events = try await registry.events(from: 0, limit: 100)
        #expect(events.map(\.index) == Array(0..<20))
        #expect(try await registry.eventCount() == 20)
        for event in events { #expect(event.hash == SHA256.digest(of: [0] + event.leaf)) }
    }

    @Test("an event is stored as its leaf bytes with its time")
    func leafBytes() async throws {
        let created = FleetEvent(.fleetCreated, [("fleet", .text("home"))])
        try await registry.record(created, nowUnix: now)
        let stored = try #require(try await registry.events(from: 0, limit: 1).first)
        #expect(
            stored.leaf == Array(#"{"event":"fleetCreated","time":1800000000,"fleet":"home"}"#.utf8)
        )
        #expect(stored.unix == now)
    }

    @Test("a page starts and ends where it was asked to")
    func pages() async throws {
        for number in 0..<5 {
            try await registry.record(event(.adminIssued, "\(number)"), nowUnix: now)
        }
        #expect(try await registry.events(from: 1, limit: 2).map(\.index) == [1, 2])
        #expect(try await registry.events(from: 5, limit: 2).isEmpty)
        #expect(try await registry.events(from: .max, limit: 2).isEmpty)
        #expect(try await registry.events(from: 0, limit: -1).isEmpty)
    }

    @Test(
        "a leaf can be neither changed nor removed",
        arguments: [
            "UPDATE events SET unix = 0", "DELETE FROM events",
        ])
    func appendOnly(statement: String) async throws {
        try await registry.record(event(.fleetCreated, "home"), nowUnix: now)
        let queue = try DatabaseQueue(path: scratch.directory + "/registry.sqlite")
        await #expect(throws: DatabaseError.self) {
            try await queue.write { db in try db.execute(sql: statement) }
        }
        #expect(try await registry.eventCount() == 1)
    }
}
