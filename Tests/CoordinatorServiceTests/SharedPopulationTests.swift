import CoordinatorService
import Federation
import Privacy
import Provenance
import Registry
import Testing
import Verification
import Wire

@Suite("Two private plans of one population", .timeLimit(.minutes(10)))
struct SharedPopulationTests {
    private static let tiny = TinyPlan(
        population: "people", privacy: TinyPlan.privacy(noise: 2, agents: 2), agents: 2)
    /// A charge of it says less than one of the other.
    private static let twin = TinyPlan(
        name: "twin", population: "people", privacy: TinyPlan.privacy(noise: 8, agents: 2),
        agents: 2)

    @Test("whose rounds close together, some cancelled as they do, leave a log that verifies")
    func together() async throws {
        try await FleetUnderTest.run(plans: ["tiny", "twin"]) { fleet in
            let (admin, ofTiny) = try await fleet.prepare(Self.tiny, agents: 2)
            let (canceller, ofTwin) = try await fleet.prepare(Self.twin, agents: 2)
            for turn in 0..<6 {
                let jobs = (try await admin.start("tiny"), try await admin.start("twin"))
                let last = (
                    try await allButLast(of: ofTiny, "tiny"),
                    try await allButLast(of: ofTwin, "twin")
                )
                async let closing = last.0.agent.submit(
                    last.0.assignment, exampleUpdate(last.0.assignment))
                async let other = last.1.agent.submit(
                    last.1.assignment, exampleUpdate(last.1.assignment))
                if turn.isMultiple(of: 2) {
                    // Whichever of the two comes first: it may be too late.
                    _ = try? await canceller.ask(
                        .roundCancel(RoundCancel(round: last.0.assignment.round)))
                }
                _ = try await (closing, other)
                _ = try await admin.watchToEnd(jobs.0)
                #expect(try await admin.watchToEnd(jobs.1).state == "finished")
            }
            try await expectExact(fleet)
        }
    }

    private func allButLast(
        of agents: [ScriptedAgent], _ plan: String
    ) async throws -> (agent: ScriptedAgent, assignment: Assignment) {
        let first = try await agents[0].assignment(plan)
        _ = try await agents[0].submit(first, try exampleUpdate(first))
        return (agents[1], try await agents[1].assignment(plan))
    }

    /// Every charge says what those up to it come to, in the log's order, and an auditor finds so.
    private func expectExact(_ fleet: FleetUnderTest) async throws {
        var before: [PrivacyCharge: Int] = [:]
        let charges = try await fleet.registry().ledger(population: "people")
        #expect(charges.count >= 6)
        for charge in charges {
            let terms = PrivacyCharge(
                noiseMultiplier: charge.noiseMultiplier, samplingRate: charge.samplingRate)
            before[terms, default: 0] += 1
            #expect(
                charge.epsilonAfter
                    == PrivacyBudget.statement(of: before, delta: charge.delta).epsilon)
        }
        let report = LogVerification(
            log: try LogLocation(fleet.state.path + "/log"),
            trust: .log(try fleet.state.logSigner().verifier), remembered: nil
        ).run()
        #expect(report.verdict == .verified, "\(report.checks)")
        #expect(report.check("budget of people")?.result == .passed)
    }
}
