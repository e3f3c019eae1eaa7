import CMessages
import Federation

extension EnrolRequest: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__EnrolRequest>) {
        tributary__v1__enrol_request__init(raw)
    }

    init(raw: Tributary__V1__EnrolRequest) throws(Fault) {
        self.init(
            secret: try Read.bytes(
                raw.secret, "EnrolRequest.secret", limit: WireLimits.secretBytes),
            certificateRequest: try Read.bytes(
                raw.certificate_request, "EnrolRequest.certificateRequest",
                limit: WireLimits.certificateBytes),
            agentVersion: try Read.text(raw.agent_version, "EnrolRequest.agentVersion"),
            unixSeconds: raw.unix_seconds)
    }

    func fill(_ raw: inout Tributary__V1__EnrolRequest, in arena: Arena) throws(Fault) {
        raw.secret = try arena.bytes(secret, "EnrolRequest.secret", limit: WireLimits.secretBytes)
        raw.certificate_request = try arena.bytes(
            certificateRequest, "EnrolRequest.certificateRequest",
            limit: WireLimits.certificateBytes)
        raw.agent_version = try arena.text(agentVersion, "EnrolRequest.agentVersion")
        raw.unix_seconds = unixSeconds
    }
}

extension EnrolResponse: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__EnrolResponse>) {
        tributary__v1__enrol_response__init(raw)
    }

    init(raw: Tributary__V1__EnrolResponse) throws(Fault) {
        self.init(
            fleet: try Read.text(raw.fleet, "EnrolResponse.fleet"),
            agent: try Read.text(raw.agent, "EnrolResponse.agent"),
            certificate: try Read.bytes(
                raw.certificate, "EnrolResponse.certificate", limit: WireLimits.certificateBytes),
            authorities: try Read.list(
                raw.authorities, raw.n_authorities, "EnrolResponse.authorities",
                limit: WireLimits.authorities
            ) { (item, name) throws(Fault) in
                try Read.bytes(item, name, limit: WireLimits.certificateBytes)
            },
            trustSet: try Read.bytes(
                raw.trust_set, "EnrolResponse.trustSet", limit: WireLimits.trustSetBytes))
    }

    func fill(_ raw: inout Tributary__V1__EnrolResponse, in arena: Arena) throws(Fault) {
        raw.fleet = try arena.text(fleet, "EnrolResponse.fleet")
        raw.agent = try arena.text(agent, "EnrolResponse.agent")
        raw.certificate = try arena.bytes(
            certificate, "EnrolResponse.certificate", limit: WireLimits.certificateBytes)
        (raw.authorities, raw.n_authorities) = try arena.list(
            authorities, "EnrolResponse.authorities", limit: WireLimits.authorities
        ) { (item, name) throws(Fault) in
            try arena.bytes(item, name, limit: WireLimits.certificateBytes)
        }
        raw.trust_set = try arena.bytes(
            trustSet, "EnrolResponse.trustSet", limit: WireLimits.trustSetBytes)
    }
}

extension RenewRequest: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__RenewRequest>) {
        tributary__v1__renew_request__init(raw)
    }

    init(raw: Tributary__V1__RenewRequest) throws(Fault) {
        self.init(
            certificateRequest: try Read.bytes(
                raw.certificate_request, "RenewRequest.certificateRequest",
                limit: WireLimits.certificateBytes))
    }

    func fill(_ raw: inout Tributary__V1__RenewRequest, in arena: Arena) throws(Fault) {
        raw.certificate_request = try arena.bytes(
            certificateRequest, "RenewRequest.certificateRequest",
            limit: WireLimits.certificateBytes)
    }
}

extension RenewResponse: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__RenewResponse>) {
        tributary__v1__renew_response__init(raw)
    }

    init(raw: Tributary__V1__RenewResponse) throws(Fault) {
        self.init(
            certificate: try Read.bytes(
                raw.certificate, "RenewResponse.certificate", limit: WireLimits.certificateBytes))
    }

    func fill(_ raw: inout Tributary__V1__RenewResponse, in arena: Arena) throws(Fault) {
        raw.certificate = try arena.bytes(
            certificate, "RenewResponse.certificate", limit: WireLimits.certificateBytes)
    }
}

extension LeaveRequest: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__LeaveRequest>) {
        tributary__v1__leave_request__init(raw)
    }

    init(raw: Tributary__V1__LeaveRequest) { self.init() }

    func fill(_ raw: inout Tributary__V1__LeaveRequest, in arena: Arena) {}
}

extension LeaveAck: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__LeaveAck>) {
        tributary__v1__leave_ack__init(raw)
    }

    init(raw: Tributary__V1__LeaveAck) { self.init() }

    func fill(_ raw: inout Tributary__V1__LeaveAck, in arena: Arena) {}
}
