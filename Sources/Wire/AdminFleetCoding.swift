import CMessages
import Federation

extension PlanRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__PlanRecord>) {
        tributary__v1__plan_record__init(raw)
    }

    init(raw: Tributary__V1__PlanRecord) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "PlanRecord.plan"),
            digest: try Read.digest(raw.digest, "PlanRecord.digest"),
            title: try Read.text(raw.title, "PlanRecord.title"),
            state: try Read.text(raw.state, "PlanRecord.state"),
            detail: try Read.text(raw.detail, "PlanRecord.detail"),
            progress: raw.progress,
            revision: raw.revision,
            parameters: raw.parameters,
            hasModel: raw.has_model != 0,
            modelVersion: raw.model_version,
            accuracyTeacher: raw.accuracy_teacher,
            accuracyFirst: raw.accuracy_first,
            accuracyLast: raw.accuracy_last,
            epsilon: raw.epsilon,
            text: try Read.bytes(raw.text, "PlanRecord.text", limit: WireLimits.planTextBytes),
            population: try Read.text(raw.population, "PlanRecord.population"),
            appliedUnix: raw.applied_unix,
            noiseMultiplier: raw.noise_multiplier,
            delta: raw.delta,
            clippingNorm: raw.clipping_norm,
            localNoiseMultiplier: raw.local_noise_multiplier,
            localEpsilon: raw.local_epsilon)
        pausedUnix = raw.paused_unix
        pausedReason = try Read.text(raw.paused_reason, "PlanRecord.pausedReason")
        everySeconds = raw.every_seconds
        readyAgents = raw.ready_agents
        agentsReady = raw.agents_ready
        jobsOpen = raw.jobs_open
        waitsFor = try Read.text(raw.waits_for, "PlanRecord.waitsFor")
        nextRoundSeconds = raw.next_round_seconds
    }

    func fill(_ raw: inout Tributary__V1__PlanRecord, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "PlanRecord.plan")
        raw.digest = try arena.digest(digest, "PlanRecord.digest")
        raw.title = try arena.text(title, "PlanRecord.title")
        raw.state = try arena.text(state, "PlanRecord.state")
        raw.detail = try arena.text(detail, "PlanRecord.detail")
        raw.progress = progress
        raw.revision = revision
        raw.parameters = parameters
        raw.has_model = hasModel ? 1 : 0
        raw.model_version = modelVersion
        raw.accuracy_teacher = accuracyTeacher
        raw.accuracy_first = accuracyFirst
        raw.accuracy_last = accuracyLast
        raw.epsilon = epsilon
        raw.text = try arena.bytes(text, "PlanRecord.text", limit: WireLimits.planTextBytes)
        raw.population = try arena.text(population, "PlanRecord.population")
        raw.applied_unix = appliedUnix
        raw.noise_multiplier = noiseMultiplier
        raw.delta = delta
        raw.clipping_norm = clippingNorm
        raw.local_noise_multiplier = localNoiseMultiplier
        raw.local_epsilon = localEpsilon
        raw.paused_unix = pausedUnix
        raw.paused_reason = try arena.text(pausedReason, "PlanRecord.pausedReason")
        raw.every_seconds = everySeconds
        raw.ready_agents = readyAgents
        raw.agents_ready = agentsReady
        raw.jobs_open = jobsOpen
        raw.waits_for = try arena.text(waitsFor, "PlanRecord.waitsFor")
        raw.next_round_seconds = nextRoundSeconds
    }
}

extension TokenIssued: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__TokenIssued>) {
        tributary__v1__token_issued__init(raw)
    }

    init(raw: Tributary__V1__TokenIssued) throws(Fault) {
        self.init(
            token: try Read.text(raw.token, "TokenIssued.token"),
            expiresUnix: raw.expires_unix,
            uses: raw.uses)
    }

    func fill(_ raw: inout Tributary__V1__TokenIssued, in arena: Arena) throws(Fault) {
        raw.token = try arena.text(token, "TokenIssued.token")
        raw.expires_unix = expiresUnix
        raw.uses = uses
    }
}

extension AgentRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AgentRecord>) {
        tributary__v1__agent_record__init(raw)
    }

    init(raw: Tributary__V1__AgentRecord) throws(Fault) {
        self.init(
            agent: try Read.text(raw.agent, "AgentRecord.agent"),
            state: try Read.text(raw.state, "AgentRecord.state"),
            enrolledUnix: raw.enrolled_unix,
            lastSeenUnix: raw.last_seen_unix,
            version: try Read.text(raw.version, "AgentRecord.version"),
            cpuFeatures: try Read.text(raw.cpu_features, "AgentRecord.cpuFeatures"),
            memoryKib: raw.memory_kib,
            certificateExpiresUnix: raw.certificate_expires_unix,
            revokedReason: try Read.text(raw.revoked_reason, "AgentRecord.revokedReason"),
            plans: try Read.messages(
                raw.plans, raw.n_plans, "AgentRecord.plans", limit: WireLimits.plans),
            trustSetVersion: raw.trust_set_version,
            refusal: try Read.text(raw.refusal, "AgentRecord.refusal"),
            unavailable: try Read.text(raw.unavailable, "AgentRecord.unavailable"))
    }

    func fill(_ raw: inout Tributary__V1__AgentRecord, in arena: Arena) throws(Fault) {
        raw.agent = try arena.text(agent, "AgentRecord.agent")
        raw.state = try arena.text(state, "AgentRecord.state")
        raw.enrolled_unix = enrolledUnix
        raw.last_seen_unix = lastSeenUnix
        raw.version = try arena.text(version, "AgentRecord.version")
        raw.cpu_features = try arena.text(cpuFeatures, "AgentRecord.cpuFeatures")
        raw.memory_kib = memoryKib
        raw.certificate_expires_unix = certificateExpiresUnix
        raw.revoked_reason = try arena.text(revokedReason, "AgentRecord.revokedReason")
        (raw.plans, raw.n_plans) = try arena.messages(
            plans, "AgentRecord.plans", limit: WireLimits.plans)
        raw.trust_set_version = trustSetVersion
        raw.refusal = try arena.text(refusal, "AgentRecord.refusal")
        raw.unavailable = try arena.text(unavailable, "AgentRecord.unavailable")
    }
}

extension AgentPlanRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AgentPlanRecord>) {
        tributary__v1__agent_plan_record__init(raw)
    }

    init(raw: Tributary__V1__AgentPlanRecord) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "AgentPlanRecord.plan"),
            examples: raw.examples,
            unreadable: raw.unreadable,
            modelVersion: raw.model_version,
            hasModel: raw.has_model != 0,
            withheld: raw.withheld != 0)
    }

    func fill(_ raw: inout Tributary__V1__AgentPlanRecord, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "AgentPlanRecord.plan")
        raw.examples = examples
        raw.unreadable = unreadable
        raw.model_version = modelVersion
        raw.has_model = hasModel ? 1 : 0
        raw.withheld = withheld ? 1 : 0
    }
}

extension DoctorLine: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__DoctorLine>) {
        tributary__v1__doctor_line__init(raw)
    }

    init(raw: Tributary__V1__DoctorLine) throws(Fault) {
        self.init(
            check: try Read.text(raw.check, "DoctorLine.check"),
            ok: raw.ok != 0,
            detail: try Read.text(raw.detail, "DoctorLine.detail"))
    }

    func fill(_ raw: inout Tributary__V1__DoctorLine, in arena: Arena) throws(Fault) {
        raw.check = try arena.text(check, "DoctorLine.check")
        raw.ok = ok ? 1 : 0
        raw.detail = try arena.text(detail, "DoctorLine.detail")
    }
}

extension PlanRecords: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__PlanRecords>) {
        tributary__v1__plan_records__init(raw)
    }

    init(raw: Tributary__V1__PlanRecords) throws(Fault) {
        self.init(
            items: try Read.messages(
                raw.items, raw.n_items, "PlanRecords.items", limit: WireLimits.items))
    }

    func fill(_ raw: inout Tributary__V1__PlanRecords, in arena: Arena) throws(Fault) {
        (raw.items, raw.n_items) = try arena.messages(
            items, "PlanRecords.items", limit: WireLimits.items)
    }
}

extension AgentRecords: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AgentRecords>) {
        tributary__v1__agent_records__init(raw)
    }

    init(raw: Tributary__V1__AgentRecords) throws(Fault) {
        self.init(
            items: try Read.messages(
                raw.items, raw.n_items, "AgentRecords.items", limit: WireLimits.items),
            more: raw.more != 0)
    }

    func fill(_ raw: inout Tributary__V1__AgentRecords, in arena: Arena) throws(Fault) {
        (raw.items, raw.n_items) = try arena.messages(
            items, "AgentRecords.items", limit: WireLimits.items)
        raw.more = more ? 1 : 0
    }
}

extension DoctorReport: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__DoctorReport>) {
        tributary__v1__doctor_report__init(raw)
    }

    init(raw: Tributary__V1__DoctorReport) throws(Fault) {
        self.init(
            items: try Read.messages(
                raw.items, raw.n_items, "DoctorReport.items", limit: WireLimits.items))
    }

    func fill(_ raw: inout Tributary__V1__DoctorReport, in arena: Arena) throws(Fault) {
        (raw.items, raw.n_items) = try arena.messages(
            items, "DoctorReport.items", limit: WireLimits.items)
    }
}

extension AdminResponse: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AdminResponse>) {
        tributary__v1__admin_response__init(raw)
    }

    init(raw: Tributary__V1__AdminResponse) throws(Fault) {
        switch raw.result_case {
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_PLAN: self = .plan(try Read.part(raw.plan))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_PLANS: self = .plans(try Read.part(raw.plans))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_TOKEN: self = .token(try Read.part(raw.token))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_AGENT: self = .agent(try Read.part(raw.agent))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_AGENTS: self = .agents(try Read.part(raw.agents))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_JOB: self = .job(try Read.part(raw.job))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_ROUND: self = .round(try Read.part(raw.round))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_ROUNDS: self = .rounds(try Read.part(raw.rounds))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_MODEL: self = .model(try Read.part(raw.model))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_MODELS: self = .models(try Read.part(raw.models))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_DOCTOR: self = .doctor(try Read.part(raw.doctor))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_LEDGER: self = .ledger(try Read.part(raw.ledger))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_LOG:
            self = .log(try Read.part(raw.log))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_LOG_PROOF:
            self = .logProof(try Read.part(raw.log_proof))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_CHECKPOINT:
            self = .checkpoint(try Read.part(raw.checkpoint))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_TRUST:
            self = .trust(try Read.part(raw.trust))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_JOBS: self = .jobs(try Read.part(raw.jobs))
        case TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_STATUS:
            self = .status(try Read.part(raw.status))
        default: throw unknownBody("AdminResponse")
        }
    }

    func fill(_ raw: inout Tributary__V1__AdminResponse, in arena: Arena) throws(Fault) {
        switch self {
        case .plan(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_PLAN
            raw.plan = try arena.message(part)
        case .plans(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_PLANS
            raw.plans = try arena.message(part)
        case .token(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_TOKEN
            raw.token = try arena.message(part)
        case .agent(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_AGENT
            raw.agent = try arena.message(part)
        case .agents(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_AGENTS
            raw.agents = try arena.message(part)
        case .job(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_JOB
            raw.job = try arena.message(part)
        case .round(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_ROUND
            raw.round = try arena.message(part)
        case .rounds(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_ROUNDS
            raw.rounds = try arena.message(part)
        case .model(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_MODEL
            raw.model = try arena.message(part)
        case .models(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_MODELS
            raw.models = try arena.message(part)
        case .doctor(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_DOCTOR
            raw.doctor = try arena.message(part)
        case .ledger(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_LEDGER
            raw.ledger = try arena.message(part)
        case .log(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_LOG
            raw.log = try arena.message(part)
        case .logProof(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_LOG_PROOF
            raw.log_proof = try arena.message(part)
        case .checkpoint(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_CHECKPOINT
            raw.checkpoint = try arena.message(part)
        case .trust(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_TRUST
            raw.trust = try arena.message(part)
        case .jobs(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_JOBS
            raw.jobs = try arena.message(part)
        case .status(let part):
            raw.result_case = TRIBUTARY__V1__ADMIN_RESPONSE__RESULT_STATUS
            raw.status = try arena.message(part)
        }
    }
}
