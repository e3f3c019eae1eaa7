import CoordinatorService
import Federation
import Foundation
import Glibc
import Provenance
import Registry
import Testing

/// What grows with the log, and what does not. TRIBUTARY_LOG_EVENTS=1000000 asks for a log of so many, with what it costs at
/// each power of ten printed.
@Suite("A long log", .timeLimit(.minutes(60)))
struct LongLogTests {
    private static let asked = ProcessInfo.processInfo.environment["TRIBUTARY_LOG_EVENTS"]
        .flatMap(UInt64.init)

    private static var sizes: [UInt64] {
        guard let asked else { return [700] }
        return Array(sequence(first: 1_000) { $0 * 10 }.prefix { $0 <= asked })
    }

    @Test("takes more events, opens, starts a coordinator and stands an audit")
    func grows() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let state = try StateDirectory(path: directory.file("state"))
            for size in Self.sizes {
                try await Self.fill(state, to: size)
                let registry = try state.registry()
                let appends: UInt64 = 100
                let append = try await Cost.of {
                    for number in 0..<appends { try await Self.record(number, in: registry) }
                }
                #expect(try await registry.eventCount() == size + appends)
                let opening = try await Cost.of { _ = try state.registry() }
                let audit = try await Cost.of {
                    let report = try RegistryAudit.run(
                        directory: state.path, log: state.logSigner().verifier, readsBlobs: false)
                    #expect(report.isClean && report.leaves == size + appends)
                }
                let began = Cost.now
                var start: Cost?
                try await FleetUnderTest.serve(directory) { fleet in
                    start = Cost.now - began
                    let signed = try await fleet.checkpoint().checkpoint
                    #expect(signed.size >= size + appends)
                }
                guard Self.asked != nil, let start else { continue }
                print(
                    "log of \(size): append \(append / Double(appends)), open \(opening),"
                        + " audit \(audit), start \(start)")
            }
        }
    }

    /// Appends events, many a transaction, until there are `size`.
    private static func fill(_ state: StateDirectory, to size: UInt64) async throws {
        let registry = try state.registry()
        var count = try await registry.eventCount()
        while count < size {
            let some = count..<min(size, count + 512)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in some {
                    group.addTask { try await record(number, in: registry) }
                }
                try await group.waitForAll()
            }
            count = some.upperBound
        }
    }

    private static func record(_ number: UInt64, in registry: Registry) async throws {
        let event = FleetEvent(
            .roundAbandoned,
            [
                ("plan", .text("tiny")), ("round", .number(number)), ("attempt", .number(0)),
                ("reason", .text("no agents were ready within the selection window")),
            ])
        try await registry.record(event, nowUnix: 1_800_000_000 + number)
    }
}

/// Time of the processor and of the clock on the wall, in seconds.
private struct Cost: CustomStringConvertible {
    let processor: Double
    let wall: Double

    static var now: Cost {
        func seconds(_ clock: clockid_t) -> Double {
            var time = timespec()
            clock_gettime(clock, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        return Cost(
            processor: seconds(CLOCK_PROCESS_CPUTIME_ID), wall: seconds(CLOCK_MONOTONIC))
    }

    static func of(_ work: () async throws -> Void) async throws -> Cost {
        let before = now
        try await work()
        return now - before
    }

    static func - (left: Cost, right: Cost) -> Cost {
        Cost(processor: left.processor - right.processor, wall: left.wall - right.wall)
    }

    static func / (left: Cost, right: Double) -> Cost {
        Cost(processor: left.processor / right, wall: left.wall / right)
    }

    var description: String {
        String(format: "%.5f s (%.5f s of the processor)", wall, processor)
    }
}
