import AgentService
import Configuration
import Cryptography
import Federation
import Foundation
import Telemetry
import Testing

@Suite("The agent's metrics")
struct AgentMetricsTests {
    @Test("tell the state, the plans, and what became of the work")
    func families() throws {
        let metrics = AgentMetrics()
        let plan = try planID("pumps")
        metrics.note {
            $0.state = .training
            $0.takesWork = false
            $0.lastContactUnix = 1_700_000_000
            $0.rounds[.accepted] = 3
            $0.setbacks[.connection] = 2
            $0.trainingSeconds = 1.5
            $0.sentBytes = 400
            $0.plans = [
                AgentStatus.PlanLine(
                    plan: plan, version: 4, examples: 90, unreadable: 1, problem: nil)
            ]
        }
        let text = metrics.families(conditions: [("load", true), ("power", false)]).text
        for line in [
            #"tributary_agent_state{state="training"} 1"#,
            #"tributary_agent_state{state="idle"} 0"#, "tributary_agent_takes_work 0",
            #"tributary_agent_condition_met{condition="power"} 0"#,
            "tributary_agent_last_contact_timestamp_seconds 1700000000",
            #"tributary_agent_rounds_total{outcome="accepted"} 3"#,
            #"tributary_agent_rounds_total{outcome="declined"} 0"#,
            #"tributary_agent_setbacks_total{kind="connection"} 2"#,
            "tributary_agent_training_seconds_total 1.5", "tributary_agent_sent_bytes_total 400",
            #"tributary_agent_examples{plan="pumps"} 90"#,
            #"tributary_agent_model_version{plan="pumps"} 4"#,
            #"tributary_agent_unreadable_rows{plan="pumps"} 1"#,
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
    }

    @Test("before the first contact there is none to tell")
    func noContact() {
        let text = AgentMetrics().families(conditions: []).text
        #expect(!text.contains("\ntributary_agent_last_contact_timestamp_seconds "))
    }

    private func answer(_ request: String) -> String {
        var arriving = MetricsRequest()
        // However it is cut up on the way.
        for byte in request.utf8 { arriving.append([byte]) }
        #expect(arriving.isComplete, "\(request)")
        return String(decoding: arriving.answer { "a 1\n" }, as: UTF8.self)
    }

    @Test("are answered to GET /metrics, whatever name this machine has for itself")
    func asked() {
        for host in ["127.0.0.1:7482", "localhost:7482", "LOCALHOST", "127.0.0.1"] {
            let whole = answer("GET /metrics HTTP/1.1\r\nAccept: */*\r\nHost: \(host)\r\n\r\n")
            #expect(whole.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(host): \(whole)")
            #expect(whole.contains("Content-Length: 4\r\n"))
            #expect(whole.hasSuffix("\r\n\r\na 1\n"))
        }
    }

    @Test("are refused to another method, path, host and protocol, with the reason")
    func refused() {
        let host = "Host: 127.0.0.1\r\n\r\n"
        #expect(answer("POST /metrics HTTP/1.1\r\n\(host)").hasPrefix("HTTP/1.1 405 "))
        #expect(answer("POST /metrics HTTP/1.1\r\n\(host)").contains("\r\nAllow: GET\r\n"))
        #expect(answer("GET / HTTP/1.1\r\n\(host)").hasPrefix("HTTP/1.1 404 "))
        #expect(answer("nonsense\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
        for stranger in ["evil.example", "127.0.0.1.evil.example", "localhost:1:2", ""] {
            let whole = answer("GET /metrics HTTP/1.1\r\nHost: \(stranger)\r\n\r\n")
            #expect(whole.hasPrefix("HTTP/1.1 421 "), "\(stranger): \(whole)")
        }
        #expect(answer("GET /metrics HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 421 "))
        let endless = answer("GET /metrics HTTP/1.1\r\n" + String(repeating: "a", count: 9_000))
        #expect(endless.hasPrefix("HTTP/1.1 431 "))
    }

    @Test("are told to nobody who sends anything else, whatever bytes come in whatever pieces")
    func anyBytes() {
        var random = SeededRandom(seed: 8)
        let whole = Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        for _ in 0..<2_000 {
            var bytes = whole
            let place = Int(random.next() % UInt64(whole.count - 4))
            bytes[place] ^= UInt8(truncatingIfNeeded: random.next() % 255 + 1)
            var request = MetricsRequest()
            request.append(bytes[..<place])
            request.append(bytes[place...])
            let answer = String(decoding: request.answer { "secret" }, as: UTF8.self)
            guard answer.contains("secret") else { continue }
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.hasPrefix("GET /metrics HTTP/1."), "\(bytes)")
            #expect(text.lowercased().contains(/host:[ \t]?localhost/), "\(bytes)")
        }
    }

    /// Asks for the metrics at a port of loopback.
    private func fetch(_ port: Int) throws -> String {
        let deadline = Deadline(seconds: 20)
        let socket = try TCPSocket.connect(
            to: NetworkAddress(host: "127.0.0.1", port: UInt16(port)), deadline: deadline)
        let request = Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        _ = request.withUnsafeBytes { socket.send($0, deadline) }
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while case .bytes(let count) = piece.withUnsafeMutableBytes({
            socket.receive(into: $0, deadline)
        }) { answer += piece[..<count] }
        return String(decoding: answer, as: UTF8.self)
    }

    @Test("are served on loopback, and the port says so when it is taken")
    func served() async throws {
        let temporary = try TemporaryDirectory()
        let configuration = AgentConfiguration(
            stateDirectory: temporary.path, logLevel: "info", data: [], metricsPort: 0)
        let metrics = AgentMetrics()
        let port = try metrics.serve(configuration, port: 0)
        for _ in 1...2 {
            let text = try fetch(port)
            #expect(text.contains("\ntributary_build_info{role=\"agent\",version="))
            #expect(text.contains("\ntributary_agent_condition_met{condition=\"load\"} 1\n"))
        }
        let taken = fault { () throws(Fault) in
            _ = try AgentMetrics().serve(configuration, port: port)
        }
        #expect(taken?.message.contains("127.0.0.1:\(port)") == true)
        #expect(taken?.remedy.contains("[metrics]") == true)
    }
}
