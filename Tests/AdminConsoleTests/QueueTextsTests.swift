import AdminConsole
import Testing
import Wire

@Suite("Queues and states as text")
struct QueueTextsTests {
    @Test("a job has a line that says who asked for it and what it waits for")
    func jobs() {
        #expect(AdminResponse.jobs(JobSummaries()).text(width: nil) == "no jobs\n")
        let text = AdminResponse.jobs(
            JobSummaries(items: [
                JobSummary(
                    job: 7, plan: "fashion", roundsWanted: 3, roundsDone: 1, state: "queued",
                    detail: "the plan is paused: holidays"),
                JobSummary(
                    job: 12, plan: "digits", roundsWanted: 1, state: "running", scheduled: true),
            ])
        ).text(width: nil)
        #expect(
            text == """
                JOB  PLAN     STATE    ROUNDS  BY        CREATED  DETAIL
                  7  fashion  queued      1/3  request   -        the plan is paused: holidays
                 12  digits   running     0/1  schedule  -

                """)
    }

    @Test("a plan says when its next round starts, or why none does")
    func plan() {
        var record = PlanRecord(plan: "p", epsilon: -1)
        #expect(AdminResponse.plan(record).text(width: nil).contains("schedule       on request\n"))
        record.everySeconds = 3600
        record.readyAgents = 20
        record.agentsReady = 12
        record.nextRoundSeconds = 90
        let waiting = AdminResponse.plan(record).text(width: nil)
        #expect(
            waiting.contains("schedule       every 1 h 00 min, when 20 agents are ready\n"))
        #expect(waiting.contains("next round     in 1 min 30 s at the earliest\n"))
        record.nextRoundSeconds = 0
        record.pausedUnix = 1_700_000_000
        record.pausedReason = "holidays"
        record.waitsFor = "the plan is paused: holidays"
        let paused = AdminResponse.plan(record).text(width: nil)
        #expect(paused.contains("paused         since 2023-11-14 22:13 UTC: holidays\n"))
        #expect(paused.contains("waits          the plan is paused: holidays\n"))
        #expect(!paused.contains("next round"))
        let list = AdminResponse.plans(PlanRecords(items: [record])).text(width: nil)
        #expect(list.contains("p     paused"))
    }

    @Test("an agent that takes no work says why")
    func agent() {
        let text = AdminResponse.agent(AgentRecord(agent: "a", unavailable: "on battery"))
            .text(width: nil)
        #expect(text.contains("takes work         not now: on battery\n"))
    }

    @Test("a coordinator that does not serve says why and what to do")
    func status() {
        let text = AdminResponse.status(
            StatusRecord(
                state: "storage full", detail: "3 MiB are free", remedy: "free some",
                version: "0.1.0", upSeconds: 61, connections: 5, connectionLimit: 100, uploads: 2,
                uploadBytes: 2_000_000, uploadByteLimit: 64_000_000, shed: 4, agents: 9,
                agentsHere: 7, agentsUnavailable: 1, jobsRunning: 1, jobsQueued: 3,
                rounds: [RoundRecord(round: 4, plan: "p", phase: "training", accuracy: -1)])
        ).text(width: nil)
        #expect(
            text.hasPrefix(
                """
                state        storage full: 3 MiB are free
                remedy       free some
                version      0.1.0
                up           1 min 01 s
                connections  5 of 100
                turned away  4
                uploads      2, 1.9 MiB of 61.0 MiB
                agents       9 active, 7 here, 1 of them take no work
                jobs         1 running, 3 queued

                ROUND
                """))
        #expect(text.contains("    4  p     training"))
        let idle = AdminResponse.status(StatusRecord(state: "serving")).text(width: nil)
        #expect(idle.hasPrefix("state        serving\nversion"))
        #expect(idle.hasSuffix("no round is running\n"))
    }
}
