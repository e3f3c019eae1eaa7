import Federation
import Rounds
import Testing

@Suite("A cohort")
struct CohortTests {
    private let agents = (0..<4).compactMap { AgentID("agent-\($0)") }

    private func at(_ nanoseconds: UInt64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: nanoseconds)
    }

    @Test("is empty at first: nobody reported, everyone resolved, nothing to wait for")
    func empty() {
        let cohort = Cohort(population: Set(agents))
        #expect(cohort.unasked == Set(agents))
        #expect(cohort.members.isEmpty)
        #expect(cohort.reported == 0)
        #expect(cohort.holdingPlaces == 0)
        #expect(cohort.allResolved)
        #expect(cohort.lastUploadMoved == nil)
        #expect(cohort.nextLeaseEnd == nil)
        #expect(!cohort.everyoneAsked)
    }

    @Test("counts by standing")
    func counts() {
        var cohort = Cohort(population: Set(agents))
        cohort.set(agents[0], to: .training(leaseEnds: at(10)))
        cohort.set(agents[1], to: .uploading(lastMoved: at(5), leaseEnds: at(8)))
        cohort.set(agents[2], to: .reported)
        #expect(cohort.unasked == [agents[3]])
        #expect(cohort.holdingPlaces == 3)
        #expect(cohort.reported == 1)
        #expect(!cohort.allResolved)
        #expect(cohort.nextLeaseEnd == at(8))
        #expect(cohort.lastUploadMoved == at(5))
        cohort.set(agents[3], to: .declined)
        cohort.set(agents[0], to: .lapsed)
        #expect(cohort.holdingPlaces == 2)
        #expect(cohort.everyoneAsked)
        #expect(!cohort.allResolved)
    }

    @Test("does not take a lapsed member for resolved: it may still report")
    func lapsedIsNotResolved() {
        var cohort = Cohort(population: [])
        cohort.set(agents[0], to: .lapsed)
        #expect(!cohort.allResolved)
        cohort.set(agents[0], to: .reported)
        #expect(cohort.allResolved)
    }

    @Test("was never asked as a whole when nobody was known")
    func unknownPopulation() {
        var cohort = Cohort(population: [])
        #expect(!cohort.everyoneAsked)
        cohort.set(agents[0], to: .reported)
        #expect(!cohort.everyoneAsked)
    }

    @Test("lapses exactly the leases that have ended, of training and of uploads")
    func lapse() {
        var cohort = Cohort(population: [])
        cohort.set(agents[0], to: .training(leaseEnds: at(10)))
        cohort.set(agents[1], to: .training(leaseEnds: at(11)))
        cohort.set(agents[2], to: .uploading(lastMoved: at(1), leaseEnds: at(10)))
        cohort.set(agents[3], to: .reported)
        cohort.lapse(at: at(9))
        #expect(cohort.holdingPlaces == 4)
        cohort.lapse(at: at(10))
        #expect(cohort.members[agents[0]] == .lapsed)
        #expect(cohort.members[agents[1]] == .training(leaseEnds: at(11)))
        #expect(cohort.members[agents[2]] == .lapsed)
        #expect(cohort.members[agents[3]] == .reported)
    }

    @Test("lets an agent join once, unless its coin said no or it was withdrawn")
    func mayJoin() {
        var cohort = Cohort(population: [agents[1]])
        cohort.set(agents[0], to: .lapsed)
        cohort.passOver(agents[1])
        cohort.withdraw(agents[2])
        #expect(agents.map(cohort.mayJoin) == [false, false, false, true])
        #expect(cohort.everyoneAsked)
        #expect(cohort.members.count == 1)
    }

    @Test("withdraws whoever has not reported")
    func withdraw() {
        var cohort = Cohort(population: Set(agents))
        cohort.set(agents[0], to: .uploading(lastMoved: at(1), leaseEnds: at(2)))
        cohort.set(agents[1], to: .reported)
        for agent in agents.prefix(3) { cohort.withdraw(agent) }
        #expect(cohort.members == [agents[0]: .declined, agents[1]: .reported])
        #expect(cohort.unasked == [agents[3]])
    }
}
