import Federation
import Foundation
import Registry
import Synchronization
import Testing

@Suite("A disk that refuses writes")
struct DiskConditionTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// A registry in memory whose disk refuses the next `count` commands.
    private func refusing(_ count: Int) async throws -> Registry {
        _ = try await scratch.registry.eventCount()
        return try Registry(
            on: SimulatedDisk(copying: scratch.directory), faults: RefusingDisk(count),
            log: logSigner)
    }

    private let issued = event(.adminIssued, "ada")

    @Test("gives its fault to a caller without patience, at once, and it is noticed")
    func impatient() async throws {
        let registry = try await refusing(2)
        let noticed = Mutex(0)
        registry.onRefusedWrite { _ in noticed.withLock { $0 += 1 } }
        #expect(await faultCode { try await registry.record(issued, nowUnix: now) } == .storage)
        #expect(await faultCode { _ = try await registry.putBlob([1]) } == .storage)
        #expect(noticed.withLock { $0 } == 2)
        try await registry.record(issued, nowUnix: now)
        #expect(try await registry.eventCount() == 1)
    }

    @Test("is given the command again, which happens once, when there is patience")
    func patient() async throws {
        let registry = try await refusing(6)
        let asked = Mutex(0)
        let patience = Patience { fault in
            asked.withLock { $0 += 1 }
            return fault.code == .storage
        }
        try await Registry.$patience.withValue(patience) {
            try await registry.record(issued, nowUnix: now)
            _ = try await registry.putBlob([1])
        }
        #expect(asked.withLock { $0 } == 6)
        #expect(try await registry.eventCount() == 1)
    }

    @Test("is not given a command again when patience ends, or when something else is wrong")
    func endOfPatience() async throws {
        let registry = try await refusing(3)
        let asked = Mutex(0)
        let patience = Patience { _ in
            asked.withLock { asked in
                asked += 1
                return asked < 2
            }
        }
        let code = await faultCode {
            try await Registry.$patience.withValue(patience) {
                _ = try await registry.record(issued, nowUnix: now)
            }
        }
        #expect(code == .storage && asked.withLock { $0 } == 2)
        let other = await faultCode {
            try await Registry.$patience.withValue(Patience { _ in true }) {
                _ = try await scratch.registry.model(fashion, version: 1)
            }
        }
        #expect(other == .notFound)
    }

    @Test("is told apart from one that takes them by a trial, which leaves nothing behind")
    func trial() async throws {
        let registry = scratch.registry
        #expect(await registry.diskCondition(leastFree: 0, trying: true) == .writable)
        #expect(scratch.blobFiles() == [])
        guard case .full(let why) = await registry.diskCondition(leastFree: .max, trying: false)
        else { throw Fault(.internal, "no disk is that large") }
        #expect(why.contains("are to stay free"))
        try FileManager.default.removeItem(atPath: scratch.directory + "/blobs")
        guard case .refusing = await registry.diskCondition(leastFree: 0, trying: true) else {
            throw Fault(.internal, "a trial without a directory succeeded")
        }
    }

    @Test("counts as writable again after a trial that it takes")
    func recovered() async throws {
        let simulated = try await refusing(1)
        guard case .refusing = await simulated.diskCondition(leastFree: 0, trying: true) else {
            throw Fault(.internal, "a refused trial succeeded")
        }
        #expect(await simulated.diskCondition(leastFree: 0, trying: true) == .writable)
    }
}

/// Refuses the first commands, which then do not happen.
private final class RefusingDisk: DiskFaults {
    private let left: Mutex<Int>

    init(_ count: Int) { left = Mutex(count) }

    func before(_ command: String) async throws(Fault) {
        let refuses = left.withLock { left in
            left -= 1
            return left >= 0
        }
        if refuses { throw Fault(.storage, "the disk refuses to \(command)") }
    }

    func after(_ command: String) async throws(Fault) {}
}
