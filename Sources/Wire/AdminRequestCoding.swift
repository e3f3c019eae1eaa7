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

    init(raw: Tributary__V1__AgentList) { self.init() }

    func fill(_ raw: inout Tributary__V1__AgentList, in arena: Arena) {}
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
        self.init(plan: try Read.text(raw.plan, "RoundList.plan"))
    }

    func fill(_ raw: inout Tributary__V1__RoundList, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "RoundList.plan")
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
            waitSeconds: raw.wait_seconds)
    }

    func fill(_ raw: inout Tributary__V1__JobWatch, in arena: Arena) {
        raw.job = job
        raw.after_revision = afterRevision
        raw.wait_seconds = waitSeconds
    }
}

extension ModelList: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ModelList>) {
        tributary__v1__model_list__init(raw)
    }

    init(raw: Tributary__V1__ModelList) throws(Fault) {
        self.init(plan: try Read.text(raw.plan, "ModelList.plan"))
    }

    func fill(_ raw: inout Tributary__V1__ModelList, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "ModelList.plan")
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

extension AdminRequest: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AdminRequest>) {
        tributary__v1__admin_request__init(raw)
    }

    init(raw: Tributary__V1__AdminRequest) throws(Fault) {
        switch raw.command_case {
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_PLAN_APPLY:
            self = .planApply(try Read.part(raw.plan_apply))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_PLAN_LIST:
            self = .planList(try Read.part(raw.plan_list))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_PLAN_SHOW:
            self = .planShow(try Read.part(raw.plan_show))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_TOKEN_CREATE:
            self = .tokenCreate(try Read.part(raw.token_create))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AGENT_LIST:
            self = .agentList(try Read.part(raw.agent_list))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AGENT_SHOW:
            self = .agentShow(try Read.part(raw.agent_show))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AGENT_REVOKE:
            self = .agentRevoke(try Read.part(raw.agent_revoke))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_ROUND_START:
            self = .roundStart(try Read.part(raw.round_start))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_ROUND_LIST:
            self = .roundList(try Read.part(raw.round_list))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_ROUND_SHOW:
            self = .roundShow(try Read.part(raw.round_show))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_ROUND_CANCEL:
            self = .roundCancel(try Read.part(raw.round_cancel))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_JOB_WATCH:
            self = .jobWatch(try Read.part(raw.job_watch))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_MODEL_LIST:
            self = .modelList(try Read.part(raw.model_list))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_MODEL_SHOW:
            self = .modelShow(try Read.part(raw.model_show))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_DOCTOR_RUN:
            self = .doctorRun(try Read.part(raw.doctor_run))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_LEDGER_SHOW:
            self = .ledgerShow(try Read.part(raw.ledger_show))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AUDIT_LOG:
            self = .auditLog(try Read.part(raw.audit_log))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AUDIT_PROVE:
            self = .auditProve(try Read.part(raw.audit_prove))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AUDIT_CHECKPOINT:
            self = .auditCheckpoint(try Read.part(raw.audit_checkpoint))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_TRUST_SHOW:
            self = .trustShow(try Read.part(raw.trust_show))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_MODEL_REPUBLISH:
            self = .modelRepublish(try Read.part(raw.model_republish))
        default: throw unknownBody("AdminRequest")
        }
    }

    func fill(_ raw: inout Tributary__V1__AdminRequest, in arena: Arena) throws(Fault) {
        raw.command_case = commandCase
        switch self {
        case .planApply(let part): raw.plan_apply = try arena.message(part)
        case .planList(let part): raw.plan_list = try arena.message(part)
        case .planShow(let part): raw.plan_show = try arena.message(part)
        case .tokenCreate(let part): raw.token_create = try arena.message(part)
        case .agentList(let part): raw.agent_list = try arena.message(part)
        case .agentShow(let part): raw.agent_show = try arena.message(part)
        case .agentRevoke(let part): raw.agent_revoke = try arena.message(part)
        case .roundStart(let part): raw.round_start = try arena.message(part)
        case .roundList(let part): raw.round_list = try arena.message(part)
        case .roundShow(let part): raw.round_show = try arena.message(part)
        case .roundCancel(let part): raw.round_cancel = try arena.message(part)
        case .jobWatch(let part): raw.job_watch = try arena.message(part)
        case .modelList(let part): raw.model_list = try arena.message(part)
        case .modelShow(let part): raw.model_show = try arena.message(part)
        case .doctorRun(let part): raw.doctor_run = try arena.message(part)
        case .ledgerShow(let part): raw.ledger_show = try arena.message(part)
        case .auditLog(let part): raw.audit_log = try arena.message(part)
        case .auditProve(let part): raw.audit_prove = try arena.message(part)
        case .auditCheckpoint(let part): raw.audit_checkpoint = try arena.message(part)
        case .trustShow(let part): raw.trust_show = try arena.message(part)
        case .modelRepublish(let part): raw.model_republish = try arena.message(part)
        }
    }

    private var commandCase: Tributary__V1__AdminRequest__CommandCase {
        switch self {
        case .planApply: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_PLAN_APPLY
        case .planList: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_PLAN_LIST
        case .planShow: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_PLAN_SHOW
        case .tokenCreate: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_TOKEN_CREATE
        case .agentList: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AGENT_LIST
        case .agentShow: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AGENT_SHOW
        case .agentRevoke: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AGENT_REVOKE
        case .roundStart: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_ROUND_START
        case .roundList: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_ROUND_LIST
        case .roundShow: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_ROUND_SHOW
        case .roundCancel: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_ROUND_CANCEL
        case .jobWatch: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_JOB_WATCH
        case .modelList: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_MODEL_LIST
        case .modelShow: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_MODEL_SHOW
        case .doctorRun: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_DOCTOR_RUN
        case .ledgerShow: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_LEDGER_SHOW
        case .auditLog: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AUDIT_LOG
        case .auditProve: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AUDIT_PROVE
        case .auditCheckpoint: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_AUDIT_CHECKPOINT
        case .trustShow: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_TRUST_SHOW
        case .modelRepublish: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_MODEL_REPUBLISH
        }
    }
}
