import AdminConsole
import Federation
import Foundation
import Testing
import Wire

@Suite("The admin client")
struct AdminClientTests {
    @Test("a request is sent as it is and its answer returned")
    func request() throws {
        let seen = Notes<Message>()
        var session = AdminSession(
            ScriptedStream { message in
                seen.items.append(message)
                return .adminResponse(.token(TokenIssued(token: "t", expiresUnix: 5, uses: 2)))
            })
        let create = AdminRequest.tokenCreate(TokenCreate(uses: 2, validSeconds: 60))
        let answer = try session.perform(create)
        #expect(answer == .token(TokenIssued(token: "t", expiresUnix: 5, uses: 2)))
        #expect(seen.items == [.adminRequest(create)])
    }

    @Test("the coordinator's refusal is thrown with its code, message and remedy")
    func refusal() throws {
        var session = AdminSession(
            ScriptedStream { _ in
                .failure(Failure(code: "forbidden", message: "auditors read", remedy: "ask"))
            })
        let fault = #expect(throws: Fault.self) {
            _ = try session.perform(.planList(PlanList()))
        }
        #expect(fault == Fault(.forbidden, "auditors read", remedy: "ask"))
    }

    @Test("an answer of another conversation is refused")
    func wrongAnswer() throws {
        var session = AdminSession(ScriptedStream { _ in .declineAck(DeclineAck()) })
        let fault = #expect(throws: Fault.self) {
            _ = try session.perform(.planList(PlanList()))
        }
        #expect(fault?.code == .invalid)
    }

    @Test("a coordinator that hangs up is unavailable")
    func hangUp() throws {
        var session = AdminSession(ScriptedStream { _ in nil })
        let fault = #expect(throws: Fault.self) {
            _ = try session.perform(.doctorRun(DoctorRun()))
        }
        #expect(fault?.code == .unavailable)
    }

    @Test("a ledger longer than one answer is read to its end")
    func ledger() throws {
        let asked = Notes<UInt64>()
        var session = AdminSession(
            ScriptedStream { message in
                guard case .adminRequest(.ledgerShow(let show)) = message else { return nil }
                asked.items.append(show.after)
                let charges = (show.after..<min(5, show.after + 2)).map { ChargeRecord(round: $0) }
                return .adminResponse(.ledger(LedgerRecord(total: 5, charges: charges)))
            })
        #expect(try session.ledger(plan: "fashion").charges.map(\.round) == [0, 1, 2, 3, 4])
        #expect(asked.items == [0, 2, 4])
    }

    @Test("a job is followed from revision to revision until it ends")
    func followJob() throws {
        let asked = Notes<UInt64>()
        var session = AdminSession(
            ScriptedStream { message in
                guard case .adminRequest(.jobWatch(let watch)) = message else { return nil }
                asked.items.append(watch.afterRevision)
                let done = watch.afterRevision - 3
                return .adminResponse(
                    .job(
                        JobRecord(
                            job: watch.job, roundsDone: UInt32(done),
                            state: done < 3 ? "running" : "failed",
                            revision: watch.afterRevision + 1)))
            })
        var news: [UInt32] = []
        let last = try session.follow(JobRecord(job: 9, state: "running", revision: 4)) {
            news.append($0.roundsDone)
        }
        #expect(asked.items == [4, 5, 6])
        #expect(news == [0, 1, 2, 3])
        #expect(last.state == "failed" && last.job == 9)
    }

    @Test("a plan is followed while it prepares")
    func followPlan() throws {
        var session = AdminSession(
            ScriptedStream { message in
                guard case .adminRequest(.planShow(let show)) = message else { return nil }
                let state = show.afterRevision < 2 ? "preparing" : "ready"
                return .adminResponse(
                    .plan(
                        PlanRecord(
                            plan: show.plan, state: state, revision: show.afterRevision + 1)))
            })
        var states: [String] = []
        let last = try session.follow(PlanRecord(plan: "p", state: "preparing", revision: 1)) {
            states.append($0.state)
        }
        #expect(states == ["preparing", "preparing", "ready"])
        #expect(last.plan == "p")
    }

    @Test("what has ended already is not asked for again")
    func ended() throws {
        var session = AdminSession(ScriptedStream { _ in nil })
        #expect(try session.follow(JobRecord(state: "finished")) { _ in }.state == "finished")
        #expect(try session.follow(PlanRecord(state: "failed")) { _ in }.state == "failed")
    }

    @Test("a directory without a credential, or with a bad address, is named")
    func credential() throws {
        let scratch = try ScratchDirectory()
        let missing = #expect(throws: Fault.self) {
            _ = try AdminCredential(directory: scratch.path)
        }
        #expect(missing?.code == .notFound)
        #expect(missing?.message == "\(scratch.path) holds no admin credential")
        try Data().write(to: URL(filePath: scratch.path + "/admin.crt"))
        try Data("nowhere\n".utf8).write(to: URL(filePath: scratch.path + "/address"))
        let address = #expect(throws: Fault.self) {
            _ = try AdminCredential(directory: scratch.path)
        }
        #expect(address?.message == "'nowhere' has no port")
    }
}
