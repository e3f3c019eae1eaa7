import CoordinatorService
import Federation
import Foundation
import ServiceLifecycle
import Synchronization
import Testing
import Wire

@Suite("The coordinator's metrics", .timeLimit(.minutes(10)))
struct MetricsTests {
    /// Stands where a dashboard would, and lends out what that is given.
    private final class Window: Service, Sendable {
        let console = Mutex<FleetConsole?>(nil)

        func run() async throws { try? await gracefulShutdown() }

        func text() async throws -> String {
            try await #require(console.withLock { $0 }).metrics()
        }
    }

    /// Serves a fleet with a private and an open plan.
    private func withFleet(
        dashboard table: String, _ body: (FleetUnderTest, Window) async throws -> Void
    ) async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory, plans: ["tiny", "open"])
            let file = directory.file("state") + "/coordinator.toml"
            let text = try String(contentsOfFile: file, encoding: .utf8)
            try "\(text)\n[dashboard]\nport = 0\n\(table)\n"
                .write(toFile: file, atomically: false, encoding: .utf8)
            let window = Window()
            try await FleetUnderTest.serve(
                directory,
                dashboard: { console, _ in
                    window.console.withLock { $0 = console }
                    return window
                }
            ) { try await body($0, window) }
        }
    }

    /// A round of three agents, one of which declines and one of which sends something else than was agreed.
    private func runRound(
        of plan: TinyPlan, in fleet: FleetUnderTest, before end: () async throws -> Void = {}
    ) async throws {
        let (admin, agents) = try await fleet.prepare(plan, agents: 3)
        let job = try await admin.start(plan.name)
        try await agents[0].decline(try await agents[0].assignment(plan.name))
        let spoilt = try await agents[1].assignment(plan.name)
        var header = agents[1].header(spoilt, try exampleUpdate(spoilt))
        header.baseVersion += 1
        _ = try await agents[1].announce(header)
        let last = try await agents[2].assignment(plan.name)
        try await end()
        let verdict = try await agents[2].submit(last, try exampleUpdate(last)).verdict
        #expect(verdict == .accepted)
        #expect(try await admin.watchToEnd(job).state == "finished")
    }

    private func expect(
        _ lines: [String], in text: String, location: SourceLocation = #_sourceLocation
    ) {
        for line in lines {
            #expect(text.contains("\n\(line)\n"), "\(line)", sourceLocation: location)
        }
    }

    @Test("count rounds, updates and their reasons, and tell the budget, the log and the disk")
    func counted() async throws {
        let plan = TinyPlan(privacy: TinyPlan.privacy(maxEpsilon: 1e9), minimum: 1)
        try await withFleet(dashboard: "") { fleet, window in
            expect(
                [
                    #"tributary_agents{state="ready"} 0"#, "tributary_state_set_back 0",
                    #"tributary_storage_state{state="serving"} 1"#,
                ], in: try await window.text())
            try await runRound(of: plan, in: fleet) {
                expect(
                    [
                        #"tributary_round_selected{plan="tiny"} 3"#,
                        #"tributary_round_reported{plan="tiny"} 0"#,
                        #"tributary_rounds_total{plan="tiny",outcome="published"} 0"#,
                    ], in: try await window.text())
            }
            let text = try await window.text()
            expect(
                [
                    #"tributary_rounds_total{plan="tiny",outcome="published"} 1"#,
                    #"tributary_round_duration_seconds_count{plan="tiny"} 1"#,
                    #"tributary_assignments_total{plan="tiny"} 3"#,
                    #"tributary_assignments_declined_total{plan="tiny"} 1"#,
                    #"tributary_assignments_lost_total{plan="tiny"} 0"#,
                    #"tributary_updates_accepted_total{plan="tiny"} 1"#,
                    #"tributary_updates_rejected_total{plan="tiny",reason="wrong_lattice"} 1"#,
                    #"tributary_received_bytes_total{plan="tiny"} 72"#,
                    #"tributary_models_published_total{plan="tiny"} 2"#,
                    #"tributary_model_version{plan="tiny"} 1"#,
                    #"tributary_privacy_charges{plan="tiny"} 1"#,
                    #"tributary_privacy_limit_epsilon{plan="tiny"} 1000000000"#,
                    #"tributary_plan_state{plan="tiny",state="ready"} 1"#,
                    "tributary_enrolments_total 3", "tributary_model_refusals_total 0",
                    #"tributary_check_ins_total{answer="assignment"} 3"#,
                ], in: text)
            for name in [
                "tributary_log_entries", "tributary_storage_free_bytes",
                #"tributary_privacy_spent_epsilon{plan="tiny"}"#,
                #"tributary_certificate_expiry_timestamp_seconds{certificate="server"}"#,
            ] {
                let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
                let value = line?.split(separator: " ").last.flatMap { Double($0) }
                #expect(try #require(value, "\(name)") > 0)
            }
            #expect(!text.contains("\ntributary_round_selected{"))
        }
    }

    @Test("tell others than the curator nothing that counts a private round's cohort")
    func withheld() async throws {
        let open = TinyPlan(name: "open", privacy: nil, minimum: 1)
        let secrets = [
            "tributary_round_selected", "tributary_round_reported", "tributary_assignments_total",
            "tributary_assignments_declined_total", "tributary_assignments_lost_total",
            "tributary_updates_accepted_total", "tributary_updates_rejected_total",
            "tributary_received_bytes_total", "tributary_sent_bytes_total",
        ]
        try await withFleet(dashboard: "listen = \"0.0.0.0\"\ntoken_file = \"token\"") {
            fleet, window in
            try await runRound(of: TinyPlan(minimum: 1), in: fleet) {
                let text = try await window.text()
                #expect(text.contains("\ntributary_round_phase{plan=\"tiny\",phase="))
                for name in secrets { #expect(!text.contains("\n\(name){"), "\(name)") }
                #expect(!text.contains("\ntributary_uploads_in_flight "))
            }
            try await runRound(of: open, in: fleet)
            let text = try await window.text()
            for name in secrets where !name.hasPrefix("tributary_round_") {
                #expect(!text.contains("\n\(name){plan=\"tiny\""), "\(name)")
                #expect(text.contains("\n\(name){plan=\"open\""), "\(name)")
            }
        }
    }
}
