import Federation
import Provenance
import Registry
import Testing

@Suite("Commands that come together")
struct GroupCommitTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    @Test("all happen, and are on the disk when they return")
    func together() async throws {
        try await registry.enrolAgents(40)
        let registry = registry
        try await withThrowingTaskGroup { group in
            for number in 1...40 {
                group.addTask {
                    for time in 1...5 as ClosedRange<UInt64> {
                        try await registry.sawAgent(
                            agentID(number), nowUnix: now + time, version: "\(number)",
                            cpuFeatures: "", memoryKiB: 1, plans: [])
                    }
                }
            }
            try await group.waitForAll()
        }
        let agents = try await scratch.reopened().agents()
        #expect(agents.count == 40)
        #expect(agents.allSatisfy { $0.lastSeenUnix == now + 5 })
        #expect(Set(agents.map(\.version)).count == 40)
    }

    @Test("fail alone: what one of them did is taken back, and the others stay")
    func failingAlone() async throws {
        try await registry.enrolAgents(20)
        let registry = registry
        let refused = await withTaskGroup(of: Bool.self) { group in
            for number in 1...40 {
                group.addTask {
                    do {
                        // There are no agents beyond twenty.
                        try await registry.sawAgent(
                            agentID(number), nowUnix: now + 9, version: "", cpuFeatures: "",
                            memoryKiB: 1, plans: [])
                        return false
                    } catch { return (error as? Fault)?.code == .notFound }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(refused == 20)
        #expect(try await registry.agents().allSatisfy { $0.lastSeenUnix == now + 9 })
    }

    @Test("write every leaf once, in an order without gaps, and sign what is there")
    func leaves() async throws {
        let registry = registry
        try await withThrowingTaskGroup { group in
            for number in 1...60 as ClosedRange<UInt64> {
                group.addTask {
                    try await registry.record(
                        FleetEvent(.roundsRequested, [("job", .number(number))]), nowUnix: now)
                }
            }
            var positions: Set<UInt64> = []
            for try await position in group { positions.insert(position) }
            #expect(positions.count == 60)
        }
        let count = try await registry.eventCount()
        #expect(try await registry.checkpoint().checkpoint.size == count)
        #expect(try await registry.events(from: 0, limit: 1000).map(\.index) == Array(0..<count))
        #expect(try scratch.rowsAreAsSealed())
    }
}
