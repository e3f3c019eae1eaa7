import Cryptography
import Federation
import Foundation
import Testing

extension InteropTests {
    /// What both daemons tell Prometheus, as its own tools see it.
    @Suite("Prometheus")
    struct PrometheusTests {
        private static let rules = Checkout.root.appending(path: "coordinator-config/alerts.yml")

        @Test(
            "promtool finds nothing to say against either side's metrics, and alerts use only those"
        )
        func metrics() async throws {
            try await ExampleFleet.withFleet([.stripes]) { fleet in
                for name in ["one", "two"] { try await fleet.enrol(name) }
                let agent = fleet.agent("one")
                let file = URL(filePath: agent.configuration)
                try Data("\(text(of: file))\n[metrics]\nport = 0\n".utf8).write(to: file)
                for name in ["one", "two"] { try await fleet.startAgent(name) }
                try await fleet.awaitReadiness(of: 2, plan: .stripes)
                _ =
                    try await fleet.administer(["round", "start", "stripes", "--watch"])
                    as JobAnswer

                let doctor: DoctorAnswer = try await fleet.administer(["doctor"])
                #expect(doctor.ok, "\(doctor)")
                let dashboard = try #require(doctor.dashboard)
                let here = doctor.checks.first { $0.check == "metrics" }
                #expect(here?.detail.hasSuffix("/metrics answers") == true, "\(doctor)")
                let coordinator = try await scrape(
                    dashboard + (dashboard.hasSuffix("/") ? "" : "/"))
                let log = try text(of: agent.log)
                let url = try #require(log.firstMatch(of: /url=(http:\S+)metrics/)?.1)
                let device = try await scrape(String(url))

                for (side, metrics) in [("coordinator", coordinator), ("agent", device)] {
                    let found = try await promtool(["check", "metrics"], input: metrics)
                    #expect(found.status == 0 && found.words.isEmpty, "\(side): \(found)")
                }
                for line in [
                    #"tributary_rounds_total{plan="stripes",outcome="published"} 1"#,
                    #"tributary_updates_accepted_total{plan="stripes"} 2"#,
                    #"tributary_model_version{plan="stripes"} 1"#, "tributary_enrolments_total 2",
                ] {
                    #expect(coordinator.contains("\n\(line)\n"), "\(line) in\n\(coordinator)")
                }
                for line in [
                    #"tributary_agent_rounds_total{outcome="accepted"} 1"#,
                    #"tributary_agent_examples{plan="stripes"} 100"#,
                    "tributary_agent_takes_work 1",
                ] {
                    #expect(device.contains("\n\(line)\n"), "\(line) in\n\(device)")
                }
                // Whose device it is stays out of what a monitoring system stores.
                #expect(!coordinator.contains("agent-"))
                try expectKnown(in: coordinator + device)
            }
        }

        /// Every metric that a rule names is one that is served.
        private func expectKnown(in metrics: String) throws {
            let served = Set(metrics.matches(of: /# TYPE (\S+)/).map { String($0.1) })
            let named = Set(
                try text(of: Self.rules).matches(of: /\btributary_[a-z_]+/).map { String($0.0) })
            #expect(named.count > 15)
            #expect(named.subtracting(served).isEmpty)
        }

        @Test("promtool accepts the alerting rules, and they speak up when they should")
        func alerts() async throws {
            let check = try await promtool(["check", "rules", Self.rules.path])
            #expect(check.status == 0 && check.output.contains("SUCCESS"), "\(check)")
            let series = Checkout.root
                .appending(path: "Tests/InteropTests/prometheus/alerts-test.yml")
            let test = try await promtool(["test", "rules", series.path])
            #expect(test.status == 0 && test.output.contains("SUCCESS"), "\(test)")
        }

        @Test("with format json every line of both logs is an object with the round as a member")
        func logs() async throws {
            try await ExampleFleet.withFleet([.stripes]) { fleet in
                for name in ["one", "two"] { try await fleet.enrol(name) }
                let agent = fleet.agent("one")
                try await fleet.process().stop()
                try change(
                    fleet.coordinatorDirectory.appending(path: "coordinator.toml"),
                    "[check_in]", to: "[log]\nformat = \"json\"\n[check_in]")
                try change(
                    URL(filePath: agent.configuration), "[agent]",
                    to: "[agent]\nlog_format = \"json\"")
                try await fleet.serve()
                for name in ["one", "two"] { try await fleet.startAgent(name) }
                try await fleet.awaitReadiness(of: 2, plan: .stripes)
                _ =
                    try await fleet.administer(["round", "start", "stripes", "--watch"])
                    as JobAnswer
                for file in [fleet.coordinatorLog, agent.log] {
                    // The coordinator says on standard output where it listens.
                    let lines = try text(of: file).split(separator: "\n")
                        .filter { !$0.hasPrefix("listening on") }
                    let records = try lines.map { line in
                        try #require(
                            try JSONSerialization.jsonObject(with: Data(line.utf8))
                                as? [String: String], "\(line)")
                    }
                    #expect(records.allSatisfy { $0["time"] != nil && $0["level"] != nil })
                    #expect(records.contains { $0["round"] == "1.1" && $0["message"] != nil })
                    // Where the records of many devices end up, each says whose it is.
                    let isNamed = records.allSatisfy { $0["agent"]?.hasPrefix("agent-") == true }
                    #expect(isNamed || file == fleet.coordinatorLog)
                }
            }
        }

        private func change(_ file: URL, _ words: String, to other: String) throws {
            let before = try text(of: file)
            #expect(before.contains(words))
            try Data(before.replacing(words, with: other, maxReplacements: 1).utf8).write(to: file)
        }

        private func scrape(_ address: String) async throws -> String {
            let host = try #require(address.firstMatch(of: /http:\/\/([^\/]+)\//)?.1)
            let peer = try NetworkAddress(parsing: String(host))
            let deadline = Deadline(seconds: 20)
            let socket = try TCPSocket.connect(to: peer, deadline: deadline)
            let request = Array(
                "GET /metrics HTTP/1.1\r\nHost: \(peer)\r\nConnection: close\r\n\r\n".utf8)
            _ = request.withUnsafeBytes { socket.send($0, deadline) }
            var answer: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 4096)
            while case .bytes(let count) = piece.withUnsafeMutableBytes({
                socket.receive(into: $0, deadline)
            }) { answer += piece[..<count] }
            let text = String(decoding: answer, as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 200"), "\(text)")
            return try #require(
                text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) })
        }

        private func promtool(_ words: [String], input: String = "") async throws -> Finished {
            let program = try Checkout.venv("promtool")
            return try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "input")
                try Data(input.utf8).write(to: file)
                return try await run(
                    URL(filePath: "/bin/sh"),
                    ["-c", "exec \"$@\" < \"$0\"", file.path, program.path] + words)
            }
        }
    }
}
