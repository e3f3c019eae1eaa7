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
        #expect(text.contains("fashion (4583 examples)"))
    }

    @Test("how many examples a device has for a private plan is not made up")
    func privateExamples() {
        let agent = AgentRecord(
            agent: "agent-1", state: "active", memoryKib: 2048,
            plans: [
                AgentPlanRecord(plan: "pumps", examples: 1, withheld: true),
                AgentPlanRecord(plan: "valves", examples: 0, withheld: true),
                AgentPlanRecord(plan: "lamps", examples: 1, unreadable: 2),
            ])
        let list = AdminResponse.agents(AgentRecords(items: [agent])).text(width: nil)
        #expect(list.hasSuffix("2.0 MiB  pumps, valves (0 examples), lamps (1 example)\n"))
        let text = AdminResponse.agent(agent).text(width: nil)
        #expect(text.contains("memory             2.0 MiB\n"))
        #expect(
            text.hasSuffix(
                """
                PLAN    EXAMPLES  UNREADABLE  MODEL
                pumps       some    withheld      -
                valves         0    withheld      -
                lamps          1           2      -

                """))
        #expect(AdminResponse.agent(agent).json.text.contains(#""withheld":true"#))
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

    @Test("a round says what was spent once it is charged, and nothing before")
    func uncharged() {
        let round = RoundRecord(round: 3, plan: "fashion", phase: "training", accuracy: -1)
        let list = AdminResponse.rounds(RoundRecords(items: [round])).text(width: nil)
        #expect(!list.contains("0.00"))
        #expect(
            AdminResponse.round(round).text(width: nil).contains("epsilon so far  -\n"))
        #expect(AdminResponse.round(round).json.text.contains(#""epsilon":null"#))
        let open = RoundRecord(round: 3, plan: "fashion", phase: "training", epsilon: -1)
        #expect(AdminResponse.round(open).text(width: nil).contains("epsilon so far  none\n"))
    }

    @Test("a job that was cancelled says so once")
    func cancelled() {
        var job = JobRecord(
            job: 7, plan: "p", roundsWanted: 1, state: "cancelled", detail: "cancelled by ada")
        #expect(
            AdminResponse.job(job).text(width: nil)
                == "job 7 of p: 0 of 1 round, cancelled by ada\n")
        job.state = "failed"
        job.roundsWanted = 2
        #expect(
            AdminResponse.job(job).text(width: nil)
                == "job 7 of p: 0 of 2 rounds, failed: cancelled by ada\n")
    }

    @Test("what a private cohort's size could be read from is withheld, in text and in JSON")
    func withheld() {
        let round = RoundRecord(
            round: 3, attempt: 1, plan: "fashion", phase: "published", selected: 12, reported: 5,
            published: true, epsilon: 1.5, bytesIn: 500, bytesOut: 70, clippingNorm: 0.8125,
            withheld: true)
        let facts = AdminResponse.round(round).text(width: nil)
        #expect(facts.contains("reports         withheld\n"))
        #expect(facts.contains("received        withheld\n"))
        #expect(facts.contains("clipping norm   0.8125\n"))
        let list = AdminResponse.rounds(RoundRecords(items: [round])).text(width: nil)
        let line = list.split(separator: "\n").last?.split(separator: " ").map(String.init)
        #expect(line?[..<4] == ["3", "fashion", "published", "-"])
        #expect(line?.contains("0.8125") == true)
        let json = AdminResponse.round(round).json.text
        for member in ["selected", "reported", "bytes_in", "bytes_out"] {
            #expect(json.contains("\"\(member)\":null"))
        }
        var display = ProgressDisplay(width: nil)
        let shown = display.update(JobRecord(rounds: [round]))
        #expect(!shown.contains("5/12") && !shown.contains("500"))
    }

    @Test("a ledger has a line for each charge, or says that nothing was spent")
    func ledger() {
        #expect(
            AdminResponse.ledger(LedgerRecord(population: "devices")).text(width: nil)
                == "population devices has spent nothing\n")
        let text = AdminResponse.ledger(
            LedgerRecord(charges: [
                ChargeRecord(
                    plan: "fashion", round: 7, attempt: 1, noiseMultiplier: 1.5,
                    samplingRate: 0.05, epsilonAfter: 0.25, chargedUnix: 0)
            ])
        ).text(width: nil)
        #expect(
            text == """
                PLAN     ROUND  ATTEMPT  NOISE  SAMPLING  EPSILON  CHARGED
                fashion      7        1    1.5      0.05     0.25  -

                """)
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
        #expect(noisy.contains("against the curator  nothing"))
        let local = AdminResponse.plan(
            PlanRecord(
                plan: "p", epsilon: 4, noiseMultiplier: 1.1, delta: 1e-6, clippingNorm: 0.25,
                localNoiseMultiplier: 2, localEpsilon: 12)
        ).text(width: nil)
        #expect(local.contains("against the curator  epsilon 12.00 for an agent that was in every"))
        #expect(local.contains("clipping norm        0.2500\n"))
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
        #expect(text.contains("weights             kept\n"))
        #expect(text.hasSuffix("model.onnx  1.5 KiB  0102\n"))
    }

    @Test("a version that was republished is not called distilled")
    func republished() {
        let record = ModelRecord(
            model: ModelRef(plan: "p", version: 4), parentVersion: 2, hasParent: true)
        let text = AdminResponse.model(record).text(width: nil)
        #expect(text.contains("round               none, republished\n"))
        #expect(!text.contains("none, distilled"))
    }

    @Test("a version whose weights retention has given up says so, in text and in JSON")
    func collected() {
        let record = ModelRecord(
            model: ModelRef(plan: "p", version: 1, modelSize: 1500), round: 1,
            collectedUnix: 1_700_000_000)
        let list = AdminResponse.models(ModelRecords(items: [record])).text(width: nil)
        let cells = list.split(separator: "\n").last?.split(separator: " ")
        #expect(cells?.prefix(5) == ["1", "1", "-", "0.0000", "collected"])
        #expect(
            AdminResponse.model(record).text(width: nil)
                .contains("weights             collected, 2023-11-14 22:13 UTC\n"))
        #expect(
            AdminResponse.model(record).json.text.contains(#""collected_unix":1700000000"#))
        var kept = record
        kept.collectedUnix = 0
        #expect(AdminResponse.model(kept).json.text.contains(#""collected_unix":null"#))
    }
}
