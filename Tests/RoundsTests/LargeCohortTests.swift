import Federation
import Rounds
import Testing

@Suite("A cohort of thousands")
struct LargeCohortTests {
    private static func instant(_ seconds: Int) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1).advanced(bySeconds: Double(seconds))
    }

    private func agents(_ count: Int) -> [AgentID] {
        (0..<count).compactMap { AgentID("agent-\($0)") }
    }

    /// What a walk through the members says.
    private func expectAsCounted(_ cohort: Cohort) {
        let standings = cohort.members.values
        var leases: [MonotonicInstant] = []
        var moved: [MonotonicInstant] = []
        for standing in standings {
            switch standing {
            case .training(let ends): leases.append(ends)
            case .uploading(let last, let ends):
                leases.append(ends)
                moved.append(last)
            case .lapsed, .reported, .declined: break
            }
        }
        #expect(cohort.reported == standings.count { $0 == .reported })
        #expect(cohort.holdingPlaces == standings.count { $0 != .declined && $0 != .lapsed })
        #expect(cohort.allResolved == standings.allSatisfy(\.isResolved))
        #expect(cohort.nextLeaseEnd == leases.min())
        #expect(cohort.lastUploadMoved == moved.max())
    }

    @Test("counts what a walk through its members would, after any events", arguments: 0..<20)
    func anyEvents(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let agents = agents(12)
        var cohort = Cohort(population: Set(agents))
        var now = 0
        for _ in 0..<300 {
            let agent = agents[Int(random.next() % 12)]
            let ends = Self.instant(now + Int(random.next() % 30))
            switch random.next() % 8 {
            case 0...2: cohort.set(agent, to: .training(leaseEnds: ends))
            case 3:
                cohort.set(
                    agent, to: .uploading(lastMoved: Self.instant(now), leaseEnds: ends))
            case 4: cohort.set(agent, to: .reported)
            case 5: cohort.set(agent, to: .declined)
            case 6: cohort.withdraw(agent)
            default: cohort.lapse(at: Self.instant(now))
            }
            now += Int(random.next() % 4)
            expectAsCounted(cohort)
        }
    }

    @Test("lapses in the order in which its leases end, however often they are renewed")
    func renewals() {
        let agents = agents(2000)
        var cohort = Cohort(population: Set(agents))
        for (index, agent) in agents.enumerated() {
            for beat in 0..<10 {
                cohort.set(agent, to: .training(leaseEnds: Self.instant(index % 7 + 100 * beat)))
            }
        }
        #expect(cohort.nextLeaseEnd == Self.instant(900))
        cohort.lapse(at: Self.instant(902))
        #expect(
            cohort.members.values.count { $0 == .lapsed } == agents.indices.count { $0 % 7 < 3 })
        #expect(cohort.nextLeaseEnd == Self.instant(903))
        expectAsCounted(cohort)
    }

    /// With a walk through the members at every event, this would take 10,000 times as long.
    @Test("of 10,000 reports to a private round one by one, and it moves on with the last")
    func manyReports() throws {
        let agents = agents(10_000)
        let start = MonotonicInstant(nanoseconds: 5)
        var machine = RoundMachine(
            rules: try #require(privateRules()), population: Set(agents), now: start)
        for agent in agents {
            guard case .assign = machine.offer(to: agent, coin: true, now: start) else {
                Issue.record("\(agent) has no place")
                return
            }
            _ = machine.advance(now: start)
        }
        let later = start.advanced(bySeconds: 60)
        let isSelecting = machine.isSelecting
        #expect(!isSelecting)
        for (index, agent) in agents.enumerated() {
            if index > 0, machine.advance(now: later) == .aggregate {
                Issue.record("it moved on after \(index)")
            }
            _ = machine.heartbeat(from: agent, now: later)
            _ = machine.uploadMoved(from: agent, now: later)
            _ = machine.reported(by: agent)
        }
        #expect(machine.counts == (selected: 10_000, reported: 10_000))
        #expect(machine.advance(now: later) == .aggregate)
    }
}
