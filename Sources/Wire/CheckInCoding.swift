import CMessages
import Federation

extension PlanReadiness: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__PlanReadiness>) {
        tributary__v1__plan_readiness__init(raw)
    }

    init(raw: Tributary__V1__PlanReadiness) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "PlanReadiness.plan"),
            planDigest: try Read.digest(raw.plan_digest, "PlanReadiness.planDigest"),
            examples: raw.examples,
            unreadable: raw.unreadable,
            hasModel: raw.has_model != 0,
            modelVersion: raw.model_version)
    }

    func fill(_ raw: inout Tributary__V1__PlanReadiness, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "PlanReadiness.plan")
        raw.plan_digest = try arena.digest(planDigest, "PlanReadiness.planDigest")
        raw.examples = examples
        raw.unreadable = unreadable
        raw.has_model = hasModel ? 1 : 0
        raw.model_version = modelVersion
    }
}

extension CheckInRequest: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__CheckInRequest>) {
        tributary__v1__check_in_request__init(raw)
    }

    init(raw: Tributary__V1__CheckInRequest) throws(Fault) {
        self.init(
            agentVersion: try Read.text(raw.agent_version, "CheckInRequest.agentVersion"),
            cpuFeatures: try Read.text(raw.cpu_features, "CheckInRequest.cpuFeatures"),
            memoryKib: raw.memory_kib,
            plans: try Read.messages(
                raw.plans, raw.n_plans, "CheckInRequest.plans", limit: WireLimits.plans),
            cached: try Read.list(
                raw.cached, raw.n_cached, "CheckInRequest.cached", limit: WireLimits.cachedBlobs,
                Read.digest),
            logCheckpoint: try Read.bytes(
                raw.log_checkpoint, "CheckInRequest.logCheckpoint",
                limit: WireLimits.checkpointBytes),
            trustSetVersion: raw.trust_set_version,
            waitSeconds: raw.wait_seconds,
            unavailable: try Read.text(raw.unavailable, "CheckInRequest.unavailable"))
    }

    func fill(_ raw: inout Tributary__V1__CheckInRequest, in arena: Arena) throws(Fault) {
        raw.agent_version = try arena.text(agentVersion, "CheckInRequest.agentVersion")
        raw.cpu_features = try arena.text(cpuFeatures, "CheckInRequest.cpuFeatures")
        raw.memory_kib = memoryKib
        (raw.plans, raw.n_plans) = try arena.messages(
            plans, "CheckInRequest.plans", limit: WireLimits.plans)
        (raw.cached, raw.n_cached) = try arena.list(
            cached, "CheckInRequest.cached", limit: WireLimits.cachedBlobs, arena.digest)
        raw.log_checkpoint = try arena.bytes(
            logCheckpoint, "CheckInRequest.logCheckpoint", limit: WireLimits.checkpointBytes)
        raw.trust_set_version = trustSetVersion
        raw.wait_seconds = waitSeconds
        raw.unavailable = try arena.text(unavailable, "CheckInRequest.unavailable")
    }
}

extension PlanState: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__PlanState>) {
        tributary__v1__plan_state__init(raw)
    }

    init(raw: Tributary__V1__PlanState) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "PlanState.plan"),
            planDigest: try Read.digest(raw.plan_digest, "PlanState.planDigest"),
            planSize: raw.plan_size,
            serving: try Read.optionalPart(raw.serving))
    }

    func fill(_ raw: inout Tributary__V1__PlanState, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "PlanState.plan")
        raw.plan_digest = try arena.digest(planDigest, "PlanState.planDigest")
        raw.plan_size = planSize
        raw.serving = try arena.optionalMessage(serving)
    }
}

extension Assignment: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__Assignment>) {
        tributary__v1__assignment__init(raw)
    }

    init(raw: Tributary__V1__Assignment) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "Assignment.plan"),
            planDigest: try Read.digest(raw.plan_digest, "Assignment.planDigest"),
            round: raw.round,
            attempt: raw.attempt,
            baseModel: try Read.optionalPart(raw.base_model),
            lattice: try Read.optionalPart(raw.lattice),
            reportSeconds: raw.report_seconds,
            leaseSeconds: raw.lease_seconds,
            submitToken: try Read.bytes(
                raw.submit_token, "Assignment.submitToken", limit: WireLimits.tokenBytes))
    }

    func fill(_ raw: inout Tributary__V1__Assignment, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "Assignment.plan")
        raw.plan_digest = try arena.digest(planDigest, "Assignment.planDigest")
        raw.round = round
        raw.attempt = attempt
        raw.base_model = try arena.optionalMessage(baseModel)
        raw.lattice = try arena.optionalMessage(lattice)
        raw.report_seconds = reportSeconds
        raw.lease_seconds = leaseSeconds
        raw.submit_token = try arena.bytes(
            submitToken, "Assignment.submitToken", limit: WireLimits.tokenBytes)
    }
}

extension CheckInResponse: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__CheckInResponse>) {
        tributary__v1__check_in_response__init(raw)
    }

    init(raw: Tributary__V1__CheckInResponse) throws(Fault) {
        self.init(
            plans: try Read.messages(
                raw.plans, raw.n_plans, "CheckInResponse.plans", limit: WireLimits.plans),
            trustSetVersion: raw.trust_set_version,
            logCheckpoint: try Read.bytes(
                raw.log_checkpoint, "CheckInResponse.logCheckpoint",
                limit: WireLimits.checkpointBytes))
        switch raw.next_case {
        case TRIBUTARY__V1__CHECK_IN_RESPONSE__NEXT_ASSIGNMENT:
            next = .assignment(try Read.part(raw.assignment))
        case TRIBUTARY__V1__CHECK_IN_RESPONSE__NEXT_COME_BACK_SECONDS:
            next = .comeBackSeconds(raw.come_back_seconds)
        default: next = nil
        }
    }

    func fill(_ raw: inout Tributary__V1__CheckInResponse, in arena: Arena) throws(Fault) {
        (raw.plans, raw.n_plans) = try arena.messages(
            plans, "CheckInResponse.plans", limit: WireLimits.plans)
        raw.trust_set_version = trustSetVersion
        raw.log_checkpoint = try arena.bytes(
            logCheckpoint, "CheckInResponse.logCheckpoint", limit: WireLimits.checkpointBytes)
        switch next {
        case .assignment(let assignment):
            raw.next_case = TRIBUTARY__V1__CHECK_IN_RESPONSE__NEXT_ASSIGNMENT
            raw.assignment = try arena.message(assignment)
        case .comeBackSeconds(let seconds):
            raw.next_case = TRIBUTARY__V1__CHECK_IN_RESPONSE__NEXT_COME_BACK_SECONDS
            raw.come_back_seconds = seconds
        case nil: break
        }
    }
}

extension Heartbeat: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__Heartbeat>) {
        tributary__v1__heartbeat__init(raw)
    }

    init(raw: Tributary__V1__Heartbeat) throws(Fault) {
        self.init(
            round: raw.round,
            attempt: raw.attempt,
            submitToken: try Read.bytes(
                raw.submit_token, "Heartbeat.submitToken", limit: WireLimits.tokenBytes),
            progress: raw.progress)
    }

    func fill(_ raw: inout Tributary__V1__Heartbeat, in arena: Arena) throws(Fault) {
        raw.round = round
        raw.attempt = attempt
        raw.submit_token = try arena.bytes(
            submitToken, "Heartbeat.submitToken", limit: WireLimits.tokenBytes)
        raw.progress = progress
    }
}

extension HeartbeatAck: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__HeartbeatAck>) {
        tributary__v1__heartbeat_ack__init(raw)
    }

    init(raw: Tributary__V1__HeartbeatAck) {
        self.init(
            wanted: raw.wanted != 0,
            leaseSeconds: raw.lease_seconds)
    }

    func fill(_ raw: inout Tributary__V1__HeartbeatAck, in arena: Arena) {
        raw.wanted = wanted ? 1 : 0
        raw.lease_seconds = leaseSeconds
    }
}

extension Decline: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__Decline>) {
        tributary__v1__decline__init(raw)
    }

    init(raw: Tributary__V1__Decline) throws(Fault) {
        self.init(
            round: raw.round,
            attempt: raw.attempt,
            submitToken: try Read.bytes(
                raw.submit_token, "Decline.submitToken", limit: WireLimits.tokenBytes),
            reason: try Read.text(raw.reason, "Decline.reason"))
    }

    func fill(_ raw: inout Tributary__V1__Decline, in arena: Arena) throws(Fault) {
        raw.round = round
        raw.attempt = attempt
        raw.submit_token = try arena.bytes(
            submitToken, "Decline.submitToken", limit: WireLimits.tokenBytes)
        raw.reason = try arena.text(reason, "Decline.reason")
    }
}

extension DeclineAck: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__DeclineAck>) {
        tributary__v1__decline_ack__init(raw)
    }

    init(raw: Tributary__V1__DeclineAck) { self.init() }

    func fill(_ raw: inout Tributary__V1__DeclineAck, in arena: Arena) {}
}
