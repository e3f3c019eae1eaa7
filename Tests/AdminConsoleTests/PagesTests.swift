import AdminConsole
import Federation
import Testing
import Wire

@Suite("Lists in pages")
struct PagesTests {
    /// A coordinator that has 25 rounds and 12 agents, and answers ten at a time.
    private func session() -> AdminSession<ScriptedStream> {
        AdminSession(
            ScriptedStream { message in
                switch message {
                case .adminRequest(.roundList(let list)):
                    let rounds = (list.after + 1..<26).prefix(10).map { RoundRecord(round: $0) }
                    return .adminResponse(
                        .rounds(RoundRecords(items: rounds, more: rounds.last?.round != 25)))
                case .adminRequest(.agentList(let list)):
                    let names = (10..<22).map { "agent-\($0)" }.filter { $0 > list.after }
                    let agents = names.prefix(10).map { AgentRecord(agent: $0) }
                    return .adminResponse(
                        .agents(AgentRecords(items: agents, more: names.count > 10)))
                case .adminRequest(.modelList(let list)):
                    let models = (list.first..<11).prefix(10).map {
                        ModelRecord(model: ModelRef(version: $0))
                    }
                    return .adminResponse(
                        .models(ModelRecords(items: models, more: list.first == 0)))
                case .adminRequest(.jobList(let list)):
                    let jobs = (list.after + 1..<4).prefix(1).map { JobSummary(job: $0) }
                    return .adminResponse(
                        .jobs(JobSummaries(items: jobs, more: jobs.last?.job != 3)))
                default: return nil
                }
            })
    }

    @Test("are read to their end, in order, each item once")
    func whole() throws {
        var session = session()
        guard case .rounds(let rounds) = try session.performWhole(.roundList(RoundList())),
            case .agents(let agents) = try session.performWhole(.agentList(AgentList())),
            case .models(let models) = try session.performWhole(.modelList(ModelList())),
            case .jobs(let jobs) = try session.performWhole(.jobList(JobList()))
        else {
            Issue.record("another answer")
            return
        }
        #expect(rounds.items.map(\.round) == Array(1...25))
        #expect(agents.items.map(\.agent) == (10..<22).map { "agent-\($0)" })
        #expect(models.items.map { $0.model?.version } == Array(0...10))
        #expect(jobs.items.map(\.job) == [1, 2, 3])
        #expect(!rounds.more && !agents.more && !models.more && !jobs.more)
    }

    @Test("that never end are refused")
    func endless() throws {
        var session = AdminSession(
            ScriptedStream { _ in
                .adminResponse(.rounds(RoundRecords(items: [RoundRecord(round: 1)], more: true)))
            })
        let fault = #expect(throws: Fault.self) {
            _ = try session.performWhole(.roundList(RoundList()))
        }
        #expect(fault?.code == .invalid)
    }

    @Test(
        "of a job's rounds are put together, and the round in flight is replaced by its newer state"
    )
    func job() throws {
        let asked = Notes<UInt64>()
        var session = AdminSession(
            ScriptedStream { message in
                guard case .adminRequest(.jobWatch(let watch)) = message else { return nil }
                asked.items.append(watch.afterRound)
                let ended = watch.afterRound == 0 ? [] : [RoundRecord(round: 3, phase: "published")]
                return .adminResponse(
                    .job(
                        JobRecord(
                            job: 9, state: "finished",
                            rounds: (watch.afterRound + 1..<3).map {
                                RoundRecord(round: $0, phase: "published")
                            } + ended, moreRounds: ended.isEmpty)))
            })
        let start = JobRecord(
            job: 9, state: "running", revision: 4,
            rounds: [RoundRecord(round: 1, phase: "training")])
        let last = try session.follow(start) { _ in }
        #expect(asked.items == [0, 2])
        #expect(last.rounds.map(\.round) == [1, 2, 3])
        #expect(last.rounds.allSatisfy { $0.phase == "published" })
    }

    @Test("of a queued job are waited for as of a running one")
    func queued() throws {
        let states = Notes<String>()
        var session = AdminSession(
            ScriptedStream { message in
                guard case .adminRequest(.jobWatch(let watch)) = message else { return nil }
                return .adminResponse(
                    .job(
                        JobRecord(
                            state: watch.afterRevision == 1 ? "running" : "finished",
                            revision: watch.afterRevision + 1)))
            })
        _ = try session.follow(JobRecord(state: "queued", revision: 1)) {
            states.items.append($0.state)
        }
        #expect(states.items == ["queued", "running", "finished"])
    }
}
