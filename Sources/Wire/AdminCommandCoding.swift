import CMessages
import Federation

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
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_PLAN_PAUSE:
            self = .planPause(try Read.part(raw.plan_pause))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_PLAN_RESUME:
            self = .planResume(try Read.part(raw.plan_resume))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_JOB_LIST:
            self = .jobList(try Read.part(raw.job_list))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_JOB_CANCEL:
            self = .jobCancel(try Read.part(raw.job_cancel))
        case TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_STATUS_SHOW:
            self = .statusShow(try Read.part(raw.status_show))
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
        case .planPause(let part): raw.plan_pause = try arena.message(part)
        case .planResume(let part): raw.plan_resume = try arena.message(part)
        case .jobList(let part): raw.job_list = try arena.message(part)
        case .jobCancel(let part): raw.job_cancel = try arena.message(part)
        case .statusShow(let part): raw.status_show = try arena.message(part)
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
        case .planPause: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_PLAN_PAUSE
        case .planResume: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_PLAN_RESUME
        case .jobList: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_JOB_LIST
        case .jobCancel: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_JOB_CANCEL
        case .statusShow: TRIBUTARY__V1__ADMIN_REQUEST__COMMAND_STATUS_SHOW
        }
    }
}
