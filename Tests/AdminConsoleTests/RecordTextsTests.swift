import AdminConsole
import Testing
import Wire

@Suite("Answers as text")
struct RecordTextsTests {
    @Test("a list shows a row for each item, or says that there is none")
    func lists() {
        let plans = AdminResponse.plans(
            PlanRecords(items: [
                PlanRecord(
                    plan: "fashion", title: "Clothes", state: "ready", hasModel: true,
                    modelVersion: 4, accuracyLast: 0.86, epsilon: 12)
            ]))
        #expect(
            plans.text(width: nil) == """
                PLAN     STATE  MODEL  ACCURACY  EPSILON  TITLE
                fashion  ready      4    0.8600    12.00  Clothes

                """)
        #expect(AdminResponse.plans(PlanRecords()).text(width: nil) == "no plans\n")
        #expect(AdminResponse.agents(AgentRecords()).text(width: nil) == "no agents\n")
        #expect(AdminResponse.rounds(RoundRecords()).text(width: nil) == "no rounds\n")
        #expect(AdminResponse.models(ModelRecords()).text(width: nil) == "no models\n")
    }

    @Test("an agent's report is shown without its control characters")
    func agents() {
        let agents = AdminResponse.agents(
            AgentRecords(items: [
                AgentRecord(
                    agent: "agent-1", state: "active", version: "0.1\u{1B}[31m", memoryKib: .max,
                    plans: [AgentPlanRecord(plan: "fashion", examples: 4583)])
            ]))
        let text = agents.text(width: nil)
        #expect(text.contains("0.1?[31m"))
        #expect(text.contains("fashion (4583)"))
    }

    @Test("a round says how far it came and when")
    func round() {
        let text = AdminResponse.round(
            RoundRecord(
                round: 3, attempt: 1, plan: "fashion", phase: "abandoned", reason: "cancelled",
                seconds: 4, selected: 12, reported: 5, modelVersion: 2, accuracy: -1, epsilon: -1,
                history: [
                    PhaseRecord(phase: "selecting", unixMilliseconds: 1000),
                    PhaseRecord(phase: "abandoned", unixMilliseconds: 3500),
                ])
        ).text(width: nil)
        #expect(text.contains("phase           abandoned: cancelled\n"))
        #expect(text.contains("reports         5 of 12 selected\n"))
        #expect(text.contains("model version   none, from 2\n"))
        #expect(text.hasSuffix("PHASE      AFTER\nselecting  0.0 s\nabandoned  2.5 s\n"))
    }

    @Test("a token is its line alone, to be pasted")
    func token() {
        #expect(
            AdminResponse.token(TokenIssued(token: "tributary1;x")).text(width: 5)
                == "tributary1;x\n")
    }

    @Test("a plan without privacy says so")
    func plan() {
        let open = AdminResponse.plan(PlanRecord(plan: "p", epsilon: -1)).text(width: nil)
        #expect(open.contains("privacy        none\n"))
        let noisy = AdminResponse.plan(
            PlanRecord(plan: "p", epsilon: 4, noiseMultiplier: 1.1, delta: 1e-6)
        ).text(width: nil)
        #expect(noisy.contains("4.00 at delta 1e-06\n"))
        #expect(!noisy.contains("privacy  "))
    }

    @Test("a model version lists its files")
    func model() {
        let text = AdminResponse.model(
            ModelRecord(
                model: ModelRef(plan: "p", version: 1), round: 0, accuracy: 0.5,
                files: [ModelFile(name: "model.onnx", digest: [1, 2], size: 1500)])
        ).text(width: nil)
        #expect(text.contains("none, distilled"))
        #expect(text.contains("distilled after it  -\n"))
        #expect(text.hasSuffix("model.onnx  1.5 kB  0102\n"))
    }
}
