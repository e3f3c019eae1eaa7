import CoordinatorService
import Cryptography
import Federation
import Registry
import Testing
import Wire

@Suite("While the disk refuses a write, a coordinator", .timeLimit(.minutes(10)))
struct RefusedWritesTests {
    // MARK: Agents

    @Test(
        "hears an agent that has just renewed its certificate, and ends the one before afterwards",
        arguments: [["note the certificate"], ["note", "try the disk"]])
    func justRenewed(refused: [String]) async throws {
        try await FleetOnFaultyDisk.run { fleet in
            let renewed = try await fleet.renew()
            fleet.faults.refuse(refused)
            try await fleet.checkIn(showing: renewed)
            try await fleet.ask(.heartbeat(Heartbeat()), showing: renewed)
            try await fleet.ask(.submitProbe(SubmitProbe()), showing: renewed)
            try await fleet.ask(.decline(Decline()), showing: renewed)
            #expect(fleet.faults.refusals > 0)
            try await fleet.checkIn()

            fleet.faults.refuse([])
            try await fleet.command(.doctorRun(DoctorRun()))
            try await fleet.checkIn(showing: renewed)
            let fault = await refusal { try await fleet.checkIn() }
            #expect(fault?.code == .unauthenticated)
        }
    }

    @Test("answers a check-in all the same, and writes down the next one")
    func sighting() async throws {
        try await FleetOnFaultyDisk.run { fleet in
            let version = "SELECT version FROM agents"
            fleet.faults.refuse(["note the check-in"])
            try await fleet.checkIn()
            #expect(fleet.faults.refusals == 1)
            #expect(try fleet.disk.rows(version) == [[.text("")]])
            fleet.faults.refuse([])
            try await fleet.checkIn()
            #expect(try fleet.disk.rows(version) == [[.text("test")]])
        }
    }

    @Test(
        "tells a device that is offered a place to come back, not to free its own disk",
        arguments: [TinyPlan.privacy(agents: 1), nil])
    func coin(privacy: String?) async throws {
        try await FleetOnFaultyDisk.run { fleet in
            try await fleet.apply(TinyPlan(privacy: privacy, agents: 1, minimum: 1))
            #expect(try await fleet.plan { $0.state != "preparing" }.state == "ready")
            let state = try #require(
                try await fleet.checkIn([PlanReadiness(plan: "tiny")]).plans.first)
            let readiness = PlanReadiness(
                plan: "tiny", planDigest: state.planDigest, examples: 10, hasModel: true)
            try await fleet.command(.roundStart(RoundStart(plan: "tiny", rounds: 1)))

            fleet.faults.refuse(["store the coin"])
            #expect(try await checkInUntilOffered(fleet, readiness) == .unavailable)
            fleet.faults.refuse([])
            #expect(try await checkInUntilOffered(fleet, readiness) == nil)
        }
    }

    /// Checks in until a place in a round is offered, or nothing comes of it.
    ///
    /// - Returns: the code of what came instead.
    private func checkInUntilOffered(
        _ fleet: FleetOnFaultyDisk, _ readiness: PlanReadiness
    ) async throws -> Fault.Code? {
        for _ in 0..<1000 {
            do {
                if case .assignment = try await fleet.checkIn([readiness]).next { return nil }
            } catch let fault as Fault {
                return fault.code
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return .notFound
    }

    @Test("that is slow to renew one certificate issues no second one, and the newest counts")
    func twoRenewals() async throws {
        try await FleetOnFaultyDisk.run { fleet in
            fleet.faults.hold("renew the certificate")
            let first = Task { try await fleet.renew() }
            while !fleet.faults.isHolding { try await Task.sleep(for: .milliseconds(5)) }
            // The answer is late: the device asks again over another connection.
            var newest: Certificate?
            do { newest = try await fleet.renew() } catch let fault as Fault {
                #expect(fault.code == .unavailable)
            }
            fleet.faults.release()
            _ = try await first.value
            if let newest {
                try await fleet.checkIn(showing: newest)
            } else {
                try await fleet.checkIn(showing: try await fleet.renew())
            }
        }
    }

    // MARK: Plans

    @Test("prepares a plan's first model although where the plan stands was not written down")
    func newPlan() async throws {
        try await FleetOnFaultyDisk.run { fleet in
            fleet.faults.refuse(["note the state of the plan"])
            let fault = await refusal { try await fleet.apply(TinyPlan()) }
            #expect(fault?.code == .storage)
            fleet.faults.refuse([])
            let plan = try await fleet.plan { $0.state != "preparing" }
            #expect(plan.state == "ready" && plan.hasModel)
        }
    }

    @Test("follows a ready plan's new text; applied again, that writes down what is missing")
    func newText() async throws {
        try await FleetOnFaultyDisk.run { fleet in
            try await fleet.apply(TinyPlan(postRoundEpochs: 1))
            #expect(try await fleet.plan { $0.state != "preparing" }.state == "ready")
            let stored = "SELECT state, accuracyTeacher, teacherDigest FROM plans"
            let before = try fleet.disk.rows(stored)
            #expect(before[0].first == .text("ready") && !before[0].contains(.nothing))

            let text = TinyPlan(postRoundEpochs: 1, schedule: "[schedule]\nready_agents = 2")
            fleet.faults.refuse(["note the state of the plan"])
            let fault = await refusal { try await fleet.apply(text) }
            #expect(fault?.code == .storage)
            fleet.faults.refuse([])
            let waiting = "0 of 2 agents are ready"
            #expect(try await fleet.plan { $0.waitsFor == waiting }.waitsFor == waiting)
            #expect(try fleet.disk.rows(stored) != before)
            try await fleet.apply(text)
            #expect(try fleet.disk.rows(stored) == before)
        }
    }
}
