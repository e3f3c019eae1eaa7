import AdminConsole
import Federation
import Testing
import Wire

@Suite("A name that there is not")
struct MeantNameTests {
    private let plans = [PlanRecord(plan: "fashion"), PlanRecord(plan: "covertype")]
    private let unknown = Message.failure(
        Failure(Fault(.notFound, "there is none", remedy: "`list` shows them")))

    private func fault(
        _ request: AdminRequest, _ respond: @escaping (AdminRequest) -> Message?
    ) -> Fault? {
        var session = AdminSession(
            ScriptedStream { message in
                guard case .adminRequest(let request) = message else { return nil }
                return respond(request)
            })
        do throws(Fault) {
            _ = try session.perform(request)
            return nil
        } catch { return error }
    }

    private func answer(_ request: AdminRequest) -> Message? {
        switch request {
        case .planList: .adminResponse(.plans(PlanRecords(items: plans)))
        case .agentList(let list) where list.after.isEmpty:
            .adminResponse(
                .agents(AgentRecords(items: [AgentRecord(agent: "agent-0a1b")], more: true)))
        case .agentList:
            .adminResponse(.agents(AgentRecords(items: [AgentRecord(agent: "agent-9f00")])))
        default: unknown
        }
    }

    @Test("the plan that was probably meant is named before the coordinator's own remedy")
    func plan() {
        let fault = fault(.planShow(PlanShow(plan: "fashon")), answer)
        #expect(fault?.message == "there is none")
        #expect(fault?.remedy == "did you mean 'fashion'? `list` shows them")
    }

    @Test("of agents every page is looked at")
    func agent() {
        let fault = fault(.agentShow(AgentShow(agent: "agent-9f0")), answer)
        #expect(fault?.remedy.hasPrefix("did you mean 'agent-9f00'?") == true)
    }

    @Test("where nothing is near, or there is no list, the fault stays as it was")
    func nothing() {
        let far = fault(.planShow(PlanShow(plan: "xyzzyplugh")), answer)
        #expect(far?.remedy == "`list` shows them")
        let silent = fault(.planShow(PlanShow(plan: "fashon"))) { request in
            if case .planList = request { nil } else { unknown }
        }
        #expect(silent?.message == "there is none" && silent?.remedy == "`list` shows them")
        let round = fault(.roundShow(RoundShow(round: 9)), answer)
        #expect(round?.remedy == "`list` shows them")
    }
}
