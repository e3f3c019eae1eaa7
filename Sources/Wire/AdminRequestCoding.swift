import CMessages
import Federation

extension PlanApply: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__PlanApply>) {
        tributary__v1__plan_apply__init(raw)
    }

    init(raw: Tributary__V1__PlanApply) throws(Fault) {
        self.init(text: try Read.bytes(raw.text, "PlanApply.text", limit: WireLimits.planTextBytes))
    }

    func fill(_ raw: inout Tributary__V1__PlanApply, in arena: Arena) throws(Fault) {
        raw.text = try arena.bytes(text, "PlanApply.text", limit: WireLimits.planTextBytes)
    }
}

extension PlanList: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__PlanList>) {
        tributary__v1__plan_list__init(raw)
    }

    init(raw: Tributary__V1__PlanList) { self.init() }

    func fill(_ raw: inout Tributary__V1__PlanList, in arena: Arena) {}
}

extension PlanShow: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__PlanShow>) {
        tributary__v1__plan_show__init(raw)
    }

    init(raw: Tributary__V1__PlanShow) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "PlanShow.plan"),
            afterRevision: raw.after_revision,
            waitSeconds: raw.wait_seconds)
    }

    func fill(_ raw: inout Tributary__V1__PlanShow, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "PlanShow.plan")
        raw.after_revision = afterRevision
        raw.wait_seconds = waitSeconds
    }
}

extension TokenCreate: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__TokenCreate>) {
        tributary__v1__token_create__init(raw)
    }

    init(raw: Tributary__V1__TokenCreate) {
        self.init(
            uses: raw.uses,
            validSeconds: raw.valid_seconds)
    }

    func fill(_ raw: inout Tributary__V1__TokenCreate, in arena: Arena) {
        raw.uses = uses
        raw.valid_seconds = validSeconds
    }
}

extension AgentList: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AgentList>) {
        tributary__v1__agent_list__init(raw)
    }

    init(raw: Tributary__V1__AgentList) throws(Fault) {
        self.init(after: try Read.text(raw.after, "AgentList.after"), limit: raw.limit)
    }

    func fill(_ raw: inout Tributary__V1__AgentList, in arena: Arena) throws(Fault) {
        raw.after = try arena.text(after, "AgentList.after")
        raw.limit = limit
    }
}

extension AgentShow: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AgentShow>) {
        tributary__v1__agent_show__init(raw)
    }

    init(raw: Tributary__V1__AgentShow) throws(Fault) {
        self.init(agent: try Read.text(raw.agent, "AgentShow.agent"))
    }

    func fill(_ raw: inout Tributary__V1__AgentShow, in arena: Arena) throws(Fault) {
        raw.agent = try arena.text(agent, "AgentShow.agent")
    }
}

extension AgentRevoke: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AgentRevoke>) {
        tributary__v1__agent_revoke__init(raw)
    }

    init(raw: Tributary__V1__AgentRevoke) throws(Fault) {
        self.init(
            agent: try Read.text(raw.agent, "AgentRevoke.agent"),
            reason: try Read.text(raw.reason, "AgentRevoke.reason"))
    }

    func fill(_ raw: inout Tributary__V1__AgentRevoke, in arena: Arena) throws(Fault) {
        raw.agent = try arena.text(agent, "AgentRevoke.agent")
        raw.reason = try arena.text(reason, "AgentRevoke.reason")
    }
}

extension RoundStart: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__RoundStart>) {
        tributary__v1__round_start__init(raw)
    }

    init(raw: Tributary__V1__RoundStart) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "RoundStart.plan"),
            rounds: raw.rounds,
            idempotencyKey: try Read.text(raw.idempotency_key, "RoundStart.idempotencyKey"))
    }

    func fill(_ raw: inout Tributary__V1__RoundStart, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "RoundStart.plan")
        raw.rounds = rounds
        raw.idempotency_key = try arena.text(idempotencyKey, "RoundStart.idempotencyKey")
    }
}

extension RoundList: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__RoundList>) {
        tributary__v1__round_list__init(raw)
    }

    init(raw: Tributary__V1__RoundList) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "RoundList.plan"),
            after: raw.after,
            limit: raw.limit)
    }

    func fill(_ raw: inout Tributary__V1__RoundList, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "RoundList.plan")
        raw.after = after
        raw.limit = limit
    }
}

extension RoundShow: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__RoundShow>) {
        tributary__v1__round_show__init(raw)
    }

    init(raw: Tributary__V1__RoundShow) {
        self.init(round: raw.round)
    }

    func fill(_ raw: inout Tributary__V1__RoundShow, in arena: Arena) {
        raw.round = round
    }
}

extension RoundCancel: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__RoundCancel>) {
        tributary__v1__round_cancel__init(raw)
    }

    init(raw: Tributary__V1__RoundCancel) throws(Fault) {
        self.init(
            round: raw.round,
            reason: try Read.text(raw.reason, "RoundCancel.reason"))
    }

    func fill(_ raw: inout Tributary__V1__RoundCancel, in arena: Arena) throws(Fault) {
        raw.round = round
        raw.reason = try arena.text(reason, "RoundCancel.reason")
    }
}

extension JobWatch: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__JobWatch>) {
        tributary__v1__job_watch__init(raw)
    }

    init(raw: Tributary__V1__JobWatch) {
        self.init(
            job: raw.job,
            afterRevision: raw.after_revision,
            waitSeconds: raw.wait_seconds,
            afterRound: raw.after_round)
    }

    func fill(_ raw: inout Tributary__V1__JobWatch, in arena: Arena) {
        raw.job = job
        raw.after_revision = afterRevision
        raw.wait_seconds = waitSeconds
        raw.after_round = afterRound
    }
}

extension ModelList: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ModelList>) {
        tributary__v1__model_list__init(raw)
    }

    init(raw: Tributary__V1__ModelList) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "ModelList.plan"),
            first: raw.first,
            limit: raw.limit)
    }

    func fill(_ raw: inout Tributary__V1__ModelList, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "ModelList.plan")
        raw.first = first
        raw.limit = limit
    }
}

extension ModelShow: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ModelShow>) {
        tributary__v1__model_show__init(raw)
    }

    init(raw: Tributary__V1__ModelShow) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "ModelShow.plan"),
            version: raw.version,
            latest: raw.latest != 0)
    }

    func fill(_ raw: inout Tributary__V1__ModelShow, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "ModelShow.plan")
        raw.version = version
        raw.latest = latest ? 1 : 0
    }
}

extension DoctorRun: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__DoctorRun>) {
        tributary__v1__doctor_run__init(raw)
    }

    init(raw: Tributary__V1__DoctorRun) { self.init() }

    func fill(_ raw: inout Tributary__V1__DoctorRun, in arena: Arena) {}
}

extension LedgerShow: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__LedgerShow>) {
        tributary__v1__ledger_show__init(raw)
    }

    init(raw: Tributary__V1__LedgerShow) throws(Fault) {
        self.init(plan: try Read.text(raw.plan, "LedgerShow.plan"), after: raw.after)
    }

    func fill(_ raw: inout Tributary__V1__LedgerShow, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "LedgerShow.plan")
        raw.after = after
    }
}
