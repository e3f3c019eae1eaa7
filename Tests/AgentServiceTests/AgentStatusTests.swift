import AgentService
import Federation
import Foundation
import Testing

@Suite("Agent status")
struct AgentStatusTests {
    private func status() throws -> AgentStatus {
        var status = AgentStatus(
            coordinator: NetworkAddress(host: "::1", port: 8443), agent: "agent-7", fleet: "plant")
        status.state = .training
        status.plans = [
            AgentStatus.PlanLine(
                plan: try planID("pumps"), version: 4, examples: 900, unreadable: 2, problem: nil),
            AgentStatus.PlanLine(
                plan: try planID("valves"), version: nil, examples: 0, unreadable: 0,
                problem: "no \"rows.csv\""),
        ]
        return status
    }

    private func object(_ status: AgentStatus) throws -> [String: Any] {
        let json = Data(status.json(unixSeconds: 12).utf8)
        return try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    }

    @Test("a fresh status is JSON with nulls for what has not happened")
    func fresh() throws {
        let object = try object(status())
        #expect(object["state"] as? String == "training")
        #expect(object["coordinator"] as? String == "[::1]:8443")
        #expect(object["updated_unix"] as? Int == 12)
        #expect(object["last_round"] is NSNull)
        #expect(object["last_update"] is NSNull)
        #expect(object["last_error"] is NSNull)
        #expect(object["unavailable"] is NSNull)
        let plans = try #require(object["plans"] as? [[String: Any]])
        #expect(plans[0]["model_version"] as? Int == 4)
        #expect(plans[0]["unreadable"] as? Int == 2)
        #expect(plans[1]["model_version"] is NSNull)
        #expect(plans[1]["problem"] as? String == "no \"rows.csv\"")
    }

    @Test("what happened is in both forms")
    func happened() throws {
        var status = try status()
        let at = RoundAttempt(round: RoundID(9), attempt: 2)
        status.lastRound = (try planID("pumps"), at)
        status.lastUpdate = AgentStatus.Update(
            plan: try planID("pumps"), at: at, bytes: 1_024, verdict: "rejected: normBound")
        status.lastError = Fault(.unavailable, "no connection", remedy: "wait")
        status.lastErrorSince = 1_772_368_200
        status.unavailable = "the load is 9.5"
        let object = try object(status)
        #expect((object["last_round"] as? [String: Any])?["round"] as? Int == 9)
        let update = try #require(object["last_update"] as? [String: Any])
        #expect(update["bytes"] as? Int == 1_024)
        #expect(update["verdict"] as? String == "rejected: normBound")
        #expect((object["last_error"] as? [String: Any])?["code"] as? String == "unavailable")
        let trouble = try #require(object["last_error"] as? [String: Any])
        #expect(trouble["since_unix"] as? Int == 1_772_368_200)
        #expect(object["unavailable"] as? String == "the load is 9.5")
        for part in [
            "training", "agent-7", "900 examples", "2 unreadable", "no model yet", "9.2",
            "1.0 KiB, rejected: normBound", "no connection; wait, since 2026-03-01 12:30 UTC",
            "unavailable  the load is 9.5",
        ] {
            #expect(status.text.contains(part))
        }
    }

    @Test("how a version does on examples held out is told where there are any")
    func heldOut() throws {
        var status = try status()
        let before = try #require(try object(status)["plans"] as? [[String: Any]])
        #expect(before.allSatisfy { $0["held_out"] is NSNull })
        #expect(!status.text.contains("held out"))
        status.plans[0].heldOut = HeldOutMeasure(version: 4, examples: 61, accuracy: 0.875)
        let after = try #require(try object(status)["plans"] as? [[String: Any]])
        let told = try #require(after[0]["held_out"] as? [String: Any])
        #expect(told["model_version"] as? Int == 4 && told["examples"] as? Int == 61)
        #expect(told["accuracy"] as? Double == 0.875)
        #expect(status.text.contains("version 4 on 61 examples held out: accuracy 0.875"))
    }
}
