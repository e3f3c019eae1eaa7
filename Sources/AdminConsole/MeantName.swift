import Federation
import Wire

// When there is no plan or agent of a name, the coordinator's lists tell which was probably meant.

extension AdminSession where Stream: ~Copyable {
    /// `fault` with the nearest name that there is, if `request` names something that there is not.
    mutating func explained(_ fault: Fault, of request: AdminRequest) -> Fault {
        guard let name = request.name,
            let meant = nearest(to: name.text, among: names(of: name.kind)), meant != name.text
        else { return fault }
        let rest = fault.remedy.isEmpty ? "" : " \(fault.remedy)"
        return Fault(fault.code, fault.message, remedy: "did you mean '\(meant)'?\(rest)")
    }

    /// Every name of that kind; none when they cannot be had.
    private mutating func names(of kind: AdminRequest.NameKind) -> [String] {
        switch kind {
        case .plan:
            guard case .plans(let records)? = try? exchange(.planList(PlanList())) else {
                return []
            }
            return records.items.map(\.plan)
        case .agent:
            var names: [String] = []
            while true {
                let list = AgentList(after: names.last ?? "")
                guard case .agents(let page)? = try? exchange(.agentList(list)) else { break }
                names += page.items.map(\.agent)
                if !page.more || page.items.isEmpty { break }
            }
            return names
        }
    }
}

extension AdminRequest {
    /// What a name in a request is the name of.
    fileprivate enum NameKind { case plan, agent }

    /// The plan or agent that the request is about; nil where it names none.
    fileprivate var name: (kind: NameKind, text: String)? {
        switch self {
        case .planShow(let show): (.plan, show.plan)
        case .planPause(let pause): (.plan, pause.plan)
        case .planResume(let resume): (.plan, resume.plan)
        case .roundStart(let start): (.plan, start.plan)
        case .roundList(let list): (.plan, list.plan)
        case .jobList(let list): (.plan, list.plan)
        case .modelList(let list): (.plan, list.plan)
        case .modelShow(let show): (.plan, show.plan)
        case .modelRepublish(let republish): (.plan, republish.plan)
        case .ledgerShow(let show): (.plan, show.plan)
        case .agentShow(let show): (.agent, show.agent)
        case .agentRevoke(let revocation): (.agent, revocation.agent)
        default: nil
        }
    }
}
