import CoordinatorService
import Cryptography
import Federation
import Foundation
import Privacy
import Provenance
import Registry
import Synchronization
import Testing
import Wire

/// A copy of the state directory, taken at one instant, is what `kill -9` at that instant leaves.
@Suite("A coordinator killed in the middle of a round", .timeLimit(.minutes(10)))
struct CrashedRoundTests {
    @Test("between charge and release charges again for a second attempt, and releases once")
    func chargedNotReleased() async throws {
        try await inTheMiddleOfTheNoise(TinyPlan(privacy: TinyPlan.privacy(noise: 2))) { killed in
            try await FleetUnderTest.serve(killed.directory) { fleet in
                let admin = try await fleet.admin()
                let going = try await admin.job(killed.job.job)
                #expect(going.state == "running")
                #expect(going.rounds.map(\.attempt) == [2] && going.rounds.map(\.round) == [1])
                for (index, agent) in killed.agents.enumerated() {
                    let back = try await agent.reconnected(to: fleet)
                    let old = killed.assignments[index]
                    let update = killed.updates[index]
                    // Its old address is no longer good, but the update is kept: the check-in gives the new one.
                    let probed = try await back.probe(old, digest: SHA256.digest(of: update))
                    #expect(probed.verdict == .later)
                    #expect(try await back.heartbeat(old).wanted)
                    let assignment = try await back.assignment()
                    #expect(assignment.round == old.round && assignment.attempt == 2)
                    #expect(assignment.lattice == old.lattice)
                    #expect(try await back.submit(assignment, update).verdict == .accepted)
                }
                let ended = try await admin.watchToEnd(killed.job)
                #expect(ended.state == "finished", "\(ended.detail)")
                #expect(ended.rounds.first?.reported == 3)
                let twice = PLDAccountant.epsilon(
                    noiseMultiplier: 2, samplingRate: 1, rounds: 2, delta: 1e-3)
                #expect(try await admin.plan("tiny").epsilon == twice)
                try await expectSound(
                    fleet, charges: [1, 2],
                    leaves: [
                        "roundStarted", "budgetCharged", "roundContinued", "budgetCharged",
                        "roundSealed", "modelSigned",
                    ])
            }
        }
    }

    @Test("where a second charge does not fit the budget, abandons the round and says so")
    func budgetIsSpent() async throws {
        let once = PLDAccountant.epsilon(
            noiseMultiplier: 2, samplingRate: 1, rounds: 1, delta: 1e-3)
        let plan = TinyPlan(privacy: TinyPlan.privacy(noise: 2, maxEpsilon: once * 1.1))
        try await inTheMiddleOfTheNoise(plan) { killed in
            try await FleetUnderTest.serve(killed.directory) { fleet in
                let admin = try await fleet.admin()
                let ended = try await admin.watchToEnd(killed.job)
                #expect(ended.state == "failed")
                #expect(ended.rounds.map(\.phase) == ["abandoned"])
                let reason = try #require(ended.rounds.first).reason
                #expect(reason.contains("is left"), "\(reason)")
                #expect(try await admin.plan("tiny").epsilon == once)
                try await expectSound(
                    fleet, charges: [1],
                    leaves: ["roundStarted", "budgetCharged", "roundAbandoned"])
            }
        }
    }

    @Test("after the release publishes byte for byte what the dead process would have published")
    func released() async throws {
        try await FleetUnderTest.inTurn { directory in
            let plan = TinyPlan(privacy: nil, postRoundEpochs: 1500)
            try await FleetUnderTest.initialise(directory)
            let copy = try TemporaryDirectory()
            let (job, agents, old, published) = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(plan, agents: 3)
                let job = try await admin.start("tiny")
                let old = try await agents[0].assignment()
                try await submitFromAll(agents)
                try await reach(.sealing, in: fleet)
                try copyState(from: directory, to: copy)
                _ = try await admin.watchToEnd(job)
                let model = try await fleet.registry().model(tiny(), version: 1)
                return (job, agents, old, model)
            }
            let before = try StateDirectory(path: copy.file("state")).registry()
            #expect(try await before.round(RoundID(1)).phase == .sealing)
            try await FleetUnderTest.serve(copy) { fleet in
                let admin = try await fleet.admin()
                // Nobody is asked again.
                let back = try await agents[0].reconnected(to: fleet)
                let update = try exampleUpdate(old)
                #expect(try await back.submit(old, update).verdict == .gone)
                let ended = try await admin.watchToEnd(job)
                #expect(ended.state == "finished", "\(ended.detail)")
                #expect(ended.rounds.map(\.reported) == [3])
                let again = try await fleet.registry().model(tiny(), version: 1)
                #expect(again.modelDigest == published.modelDigest)
                #expect(again.files == published.files)
                #expect(again.masterDigest == published.masterDigest)
                #expect(again.distillation == published.distillation)
                try await expectSound(
                    fleet, charges: [], leaves: ["roundStarted", "roundSealed", "modelSigned"])
            }
        }
    }

    @Test("takes no other update from an agent than the one on record")
    func changedUpdate() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let plan = TinyPlan(privacy: nil, reportSeconds: 30)
            let (agents, job, old) = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(plan, agents: 3)
                let job = try await admin.start("tiny")
                let old = try await agents[0].assignment()
                let update = try exampleUpdate(old, seed: 1)
                #expect(try await agents[0].submit(old, update).verdict == .accepted)
                return (agents, job, old)
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let back = try await agents[0].reconnected(to: fleet)
                let other = try await back.submit(old, try exampleUpdate(old, seed: 2))
                #expect(other.verdict == .rejected)
                #expect(other.reason == "digestMismatch")
                #expect(try await back.submit(old, try exampleUpdate(old)).verdict == .gone)
                let rest = [
                    try await agents[1].reconnected(to: fleet),
                    try await agents[2].reconnected(to: fleet),
                ]
                try await submitFromAll(rest)
                let ended = try await fleet.admin().watchToEnd(job)
                #expect(ended.state == "finished" && ended.rounds.first?.reported == 2)
                // On record, and not in the sum; so the commitments are to the two others.
                let at = RoundAttempt(round: RoundID(old.round), attempt: 1)
                let recorded = try await fleet.registry().contributions(of: at)
                #expect(recorded.filter(\.isLost).map(\.agent.name) == [agents[0].name])
                #expect(recorded.count == 3)
            }
        }
    }

    @Test(
        "loses only the updates whose agents do not come back: an offline node stalls no round (Flower 4968)"
    )
    func lostUpdate() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let plan = TinyPlan(privacy: nil, reportSeconds: 2, leaseSeconds: 2)
            let (agents, job) = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(plan, agents: 3)
                let job = try await admin.start("tiny")
                let first = try await agents[0].assignment()
                #expect(
                    try await agents[0].submit(first, try exampleUpdate(first)).verdict == .accepted
                )
                return (agents, job)
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let rest = [
                    try await agents[1].reconnected(to: fleet),
                    try await agents[2].reconnected(to: fleet),
                ]
                try await submitFromAll(rest)
                let ended = try await fleet.admin().watchToEnd(job)
                #expect(ended.state == "finished", "\(ended.detail)")
                #expect(ended.rounds.first?.selected == 3 && ended.rounds.first?.reported == 2)
                try await expectSound(
                    fleet, charges: [], leaves: ["roundStarted", "roundSealed", "modelSigned"])
            }
        }
    }

    @Test("throws no coin again, and keeps the deadline that it had on this boot of the machine")
    func coins() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let plan = TinyPlan(
                privacy: TinyPlan.privacy(agents: 6, samplingRate: 0.5), selectionSeconds: 600)
            let (agents, first, before) = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(plan, agents: 7)
                _ = try await admin.start("tiny")
                try await reach(.selecting, in: fleet)
                // The seventh keeps the window open.
                let first = try await members(among: Array(agents.prefix(6)))
                return (agents, first, try await fleet.registry().round(RoundID(1)))
            }
            try await FleetUnderTest.serve(directory) { fleet in
                var back: [ScriptedAgent] = []
                for agent in agents.prefix(6) {
                    back.append(try await agent.reconnected(to: fleet))
                }
                #expect(try await members(among: back) == first)
                let after = try await fleet.registry().round(RoundID(1))
                #expect(after.phase == .selecting && after.at == before.at)
                #expect(after.deadline == before.deadline && after.deadline != nil)
                #expect(try await fleet.registry().coins(of: RoundID(1)).count == 6)
            }
        }
    }

    /// Who is given work.
    private func members(among agents: [ScriptedAgent]) async throws -> [Bool] {
        var members: [Bool] = []
        for agent in agents {
            let answer = try await agent.checkIn([try await agent.readiness("tiny")])
            if case .assignment = answer.next {
                members.append(true)
            } else {
                members.append(false)
            }
        }
        return members
    }

    @Test("ends a round whose job has ended, with the reason")
    func jobHasEnded() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let job = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
                let job = try await admin.start("tiny")
                _ = try await agents[0].assignment()
                return job
            }
            // As a registry that failed in the middle of a failure leaves it.
            try await StateDirectory(path: directory.file("state")).registry().setJob(
                job.job, state: "failed", detail: "the disk is full", roundsDone: 0)
            try await FleetUnderTest.serve(directory) { fleet in
                let round = try #require(try await fleet.admin().rounds(of: "tiny").first)
                #expect(round.phase == "abandoned")
                #expect(round.reason == "the disk is full")
            }
        }
    }
}

@Suite("A round that is cancelled late", .timeLimit(.minutes(10)))
struct LateCancellationTests {
    @Test("after its release makes no version, and what it was charged stays spent")
    func whileSealing() async throws {
        let plan = TinyPlan(privacy: TinyPlan.privacy(noise: 2), postRoundEpochs: 1500)
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(plan, agents: 3)
            let job = try await admin.start("tiny", rounds: 3)
            try await submitFromAll(agents)
            try await reach(.sealing, in: fleet)
            _ = try await admin.ask(.roundCancel(RoundCancel(round: 1, reason: "a bad idea")))
            // Durable before it was answered.
            #expect(try await fleet.registry().round(RoundID(1)).phase == .abandoned)
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "cancelled" && ended.roundsDone == 0)
            #expect(
                ended.detail
                    == "cancelled by admin: a bad idea; its privacy budget stays spent")
            #expect(try await admin.models(of: "tiny").count == 1)
            let once = PLDAccountant.epsilon(
                noiseMultiplier: 2, samplingRate: 1, rounds: 1, delta: 1e-3)
            #expect(try await admin.plan("tiny").epsilon == once)
            let again = await refusal {
                _ = try await admin.ask(.roundCancel(RoundCancel(round: 1, reason: "")))
            }
            #expect(again?.code == .conflict)
        }
    }

    @Test("while noise is drawn releases nothing; meanwhile its agents keep their updates")
    func whileAggregating() async throws {
        let gate = Gate()
        let randomness = RoundRandomness(
            rotationSeed: { 7 }, noise: { gate.pass(SeededRandom(seed: 8)) })
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            try await FleetUnderTest.serve(directory, randomness: randomness) { fleet in
                let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
                let job = try await admin.start("tiny")
                let assignment = try await agents[0].assignment()
                try await submitFromAll(agents)
                await gate.reached()
                let digest = SHA256.digest(of: try exampleUpdate(assignment, seed: 0))
                #expect(try await agents[0].probe(assignment, digest: digest).verdict == .duplicate)
                _ = try await admin.ask(.roundCancel(RoundCancel(round: 1, reason: "stop")))
                #expect(try await agents[0].probe(assignment, digest: digest).verdict == .gone)
                gate.open()
                #expect(try await admin.watchToEnd(job).state == "cancelled")
                let round = try await fleet.registry().round(RoundID(1))
                #expect(round.phase == .abandoned && round.aggregateDigest == nil)
            }
        }
    }
}

/// What is left of a coordinator that was killed while it drew the first round's noise.
private struct Killed {
    let directory: TemporaryDirectory
    let job: JobRecord
    let agents: [ScriptedAgent]
    let assignments: [Assignment]
    let updates: [[UInt8]]
}

private func inTheMiddleOfTheNoise(
    _ plan: TinyPlan, _ body: (Killed) async throws -> Void
) async throws {
    let gate = Gate()
    let randomness = RoundRandomness(
        rotationSeed: { 7 }, noise: { gate.pass(SeededRandom(seed: 8)) })
    try await FleetUnderTest.inTurn { directory in
        try await FleetUnderTest.initialise(directory)
        let killed = try await FleetUnderTest.serve(directory, randomness: randomness) { fleet in
            let (admin, agents) = try await fleet.prepare(plan, agents: 3)
            let job = try await admin.start("tiny")
            var assignments: [Assignment] = []
            var updates: [[UInt8]] = []
            for (index, agent) in agents.enumerated() {
                let assignment = try await agent.assignment()
                let update = try exampleUpdate(assignment, seed: UInt64(index))
                #expect(try await agent.submit(assignment, update).verdict == .accepted)
                assignments.append(assignment)
                updates.append(update)
            }
            await gate.reached()
            let copy = try TemporaryDirectory()
            try copyState(from: directory, to: copy)
            gate.open()
            _ = try await admin.watchToEnd(job)
            return Killed(
                directory: copy, job: job, agents: agents, assignments: assignments,
                updates: updates)
        }
        try await body(killed)
    }
}

/// Stops whoever draws noise until the test has looked.
private final class Gate: Sendable {
    private let isClosed = Mutex(true)
    private let arrivals = AsyncStream.makeStream(of: Void.self)
    private let lock = DispatchSemaphore(value: 0)

    func pass(_ random: SeededRandom) -> SeededRandom {
        arrivals.continuation.yield()
        if isClosed.withLock({ $0 }) { lock.wait() }
        return random
    }

    /// Returns when somebody waits.
    func reached() async { for await _ in arrivals.stream { return } }

    func open() {
        isClosed.withLock { $0 = false }
        lock.signal()
    }
}

private func tiny() throws -> PlanID { try #require(PlanID("tiny")) }

private func copyState(from directory: TemporaryDirectory, to copy: TemporaryDirectory) throws {
    let files = FileManager.default
    try files.copyItem(atPath: directory.file("state"), toPath: copy.file("state"))
}

/// Waits until the first round is in `phase`.
private func reach(_ phase: RoundPhase, in fleet: FleetUnderTest) async throws {
    let registry = try fleet.registry()
    for _ in 0..<6000 {
        // As long as its job is queued there is none.
        if let round = try? await registry.round(RoundID(1)) {
            if round.phase == phase { return }
            try #require(!round.phase.isFinal, "the round was over too soon")
        }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("the round never came to \(phase)")
}

/// The registry is as its log says, nothing was released or published twice, and the first round left these leaves.
///
/// - Parameter charges: the attempts that are in the ledger.
private func expectSound(
    _ fleet: FleetUnderTest, charges: [UInt32], leaves expected: [String]
) async throws {
    let registry = try fleet.registry()
    let audit = try RegistryAudit.run(
        directory: fleet.state.path, log: try fleet.state.logSigner().verifier)
    #expect(audit.isClean, "\(audit.findings)")
    let ledger = try await registry.ledger(population: "tiny")
    #expect(ledger.map(\.at.attempt) == charges)
    let leaves = try await registry.events(from: 0, limit: 1000)
        .map { String(decoding: $0.leaf, as: UTF8.self) }
    let first = try #require(leaves.firstIndex { $0.contains("roundStarted") })
    let names = leaves[first...].compactMap { $0.split(separator: "\"").dropFirst(3).first }
        .map(String.init)
    #expect(names == expected)
}
