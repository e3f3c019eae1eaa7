import Foundation
import Glibc
import Testing

extension InteropTests {
    @Suite("A fleet over a network that fails", .enabled { try await FleetFaults.isPermitted() })
    struct FleetFaultTests {
        /// How long processes are killed, 20 s of it with two agents cut off. The environment may ask for more than every
        /// run needs.
        private static let seconds =
            ProcessInfo.processInfo.environment["TRIBUTARY_FAULT_SECONDS"].flatMap(Double.init)
            ?? 36
        private static let agents = ["one", "two", "three", "four", "five"]

        @Test(
            """
            ends every round that it started, published or abandoned with a reason, and goes on: \
            5 % loss, 200 ms delay, a partition of 20 s, kill -9 of either side every few seconds \
            (Flower 766 and 599, NVFLARE 242, OpenFL 455 and 1367)
            """)
        func endsEveryRound() async throws {
            let plans = [ExamplePlan.open, .secret]
            try await ExampleFleet.withFleet(plans, waitSeconds: 5) { fleet in
                for name in Self.agents {
                    try await fleet.enrol(name)
                    try await fleet.startAgent(name)
                }
                for plan in plans {
                    try await fleet.awaitReadiness(of: Self.agents.count, plan: plan)
                }
                try await fleet.stop()

                let faults = try await FleetFaults(
                    of: fleet, agents: Self.agents, seconds: Self.seconds)
                #expect(faults.coordinatorKills > 0 && faults.agentKills > 0)
                #expect(faults.packetsLost > 0)
                #expect(faults.partitionSeconds >= 20)
                #expect(faults.published > 0, "\(faults)")
                // A shorter time may pass without a kill in the middle of a round that is published.
                #expect(faults.outlived > 0 || Self.seconds < 120, "\(faults)")
                #expect(faults.withoutReason.isEmpty)
                #expect(faults.faults.isEmpty)
                // What was said of them, for whoever wonders what such a network costs.
                print("fleet faults: \(faults)")

                try await fleet.serve()
                for name in Self.agents { try await fleet.startAgent(name) }
                for plan in plans { try await publishRound(of: plan, in: fleet) }
                let audit = try await run(
                    .coordinator, "audit", "verify", "--dir", fleet.coordinatorDirectory.path)
                #expect(audit.status == 0, "\(audit)")
                try await checkLedger(of: .secret, in: fleet)
            }
        }

        /// Runs a round in peace.
        private func publishRound(of plan: ExamplePlan, in fleet: ExampleFleet) async throws {
            let before: RoundsAnswer = try await fleet.administer(["round", "list", plan.name])
            let newest = before.rounds.map(\.round).max() ?? 0
            let job: JobAnswer = try await fleet.administer(["round", "start", plan.name])
            var round: RoundAnswer?
            try await wait(for: "a round of \(plan.name) after all that, job \(job.job)") {
                let list: RoundsAnswer = try await fleet.administer(["round", "list", plan.name])
                round = list.rounds.first { $0.round > newest }
                return round.map { ["published", "abandoned"].contains($0.phase) } ?? false
            }
            let ended = try #require(round)
            #expect(ended.published, "\(ended)")
        }

        /// Whoever adds up the charges comes to what the coordinator says was spent.
        private func checkLedger(of plan: ExamplePlan, in fleet: ExampleFleet) async throws {
            let file = fleet.directory.appending(path: "ledger.json").path
            _ = try await fleet.attempt(["privacy", "export", plan.name, "--output", file])
                .succeeded()
            let shown: SpentAnswer = try await fleet.administer(["privacy", "show", plan.name])
            let audited: SpentAnswer = try decoded(
                try await run(script: "audit_ledger.py", file).succeeded().output)
            #expect(audited.charges == shown.charges && shown.charges > 0)
            #expect(abs(audited.epsilon - shown.epsilon) <= max(1e-3, 0.005 * audited.epsilon))
        }
    }
}

extension ExamplePlan {
    /// Five devices, of which three are enough.
    fileprivate static let open = ExamplePlan(
        name: "open", format: .csv, agents: 4, epochs: 500, minimum: 2, reportSeconds: 15)
    fileprivate static let secret = ExamplePlan(
        name: "secret", format: .csv, agents: 5, epochs: 500, noiseMultiplier: 4,
        reportSeconds: 15)
}

/// What fleet_faults.py saw.
private struct FleetFaults: Decodable {
    let coordinatorKills: Int
    let agentKills: Int
    let packetsLost: Int
    let partitionSeconds: Double
    let rounds: Int
    let published: Int
    /// Published rounds that a coordinator was killed in the middle of.
    let outlived: Int
    let withoutReason: [UInt64]
    let reasons: [String]
    /// What the registry should never say.
    let faults: [String]

    /// Whether this user may make network namespaces; prints why not.
    ///
    /// - Throws: `Unexpected` when root cannot find that out.
    static func isPermitted() async throws -> Bool {
        let probed = try await run(script: "fleet_faults.py", "--probe")
        if probed.status != 0, geteuid() == 0 { throw Unexpected(probed.description) }
        guard probed.status != 0 || !probed.output.isEmpty else { return true }
        print("no fleet over a network that fails: \(probed.words); run the tests as root")
        return false
    }

    /// Lets it all happen to a fleet whose processes are stopped.
    init(of fleet: ExampleFleet, agents: [String], seconds: Double) async throws {
        let programs = try Program.coordinator.located().deletingLastPathComponent().path
        let configurations = agents.flatMap { ["--agent", fleet.agent($0).configuration] }
        let finished = try await run(
            Checkout.venv("python"),
            [
                Checkout.script("fleet_faults.py"), "--programs", programs, "--coordinator",
                fleet.coordinatorDirectory.path, "--seconds", "\(seconds)",
            ] + configurations + fleet.plans.flatMap { ["--plan", $0.name] },
            seconds: seconds + 300
        ).succeeded()
        self = try decoded(finished.output)
    }
}

/// What was spent, as `privacy show` or audit_ledger.py says.
private struct SpentAnswer: Decodable {
    let charges: Int
    let epsilon: Double
}
