import CMessages
import Federation

extension Message: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__Envelope>) {
        tributary__v1__envelope__init(raw)
    }

    init(raw: Tributary__V1__Envelope) throws(Fault) {
        switch raw.body_case {
        case TRIBUTARY__V1__ENVELOPE__BODY_FAILURE: self = .failure(try Read.part(raw.failure))
        case TRIBUTARY__V1__ENVELOPE__BODY_ENROL_REQUEST:
            self = .enrolRequest(try Read.part(raw.enrol_request))
        case TRIBUTARY__V1__ENVELOPE__BODY_ENROL_RESPONSE:
            self = .enrolResponse(try Read.part(raw.enrol_response))
        case TRIBUTARY__V1__ENVELOPE__BODY_CHECK_IN_REQUEST:
            self = .checkInRequest(try Read.part(raw.check_in_request))
        case TRIBUTARY__V1__ENVELOPE__BODY_CHECK_IN_RESPONSE:
            self = .checkInResponse(try Read.part(raw.check_in_response))
        case TRIBUTARY__V1__ENVELOPE__BODY_HEARTBEAT:
            self = .heartbeat(try Read.part(raw.heartbeat))
        case TRIBUTARY__V1__ENVELOPE__BODY_HEARTBEAT_ACK:
            self = .heartbeatAck(try Read.part(raw.heartbeat_ack))
        case TRIBUTARY__V1__ENVELOPE__BODY_DECLINE: self = .decline(try Read.part(raw.decline))
        case TRIBUTARY__V1__ENVELOPE__BODY_DECLINE_ACK:
            self = .declineAck(try Read.part(raw.decline_ack))
        case TRIBUTARY__V1__ENVELOPE__BODY_BLOB_REQUEST:
            self = .blobRequest(try Read.part(raw.blob_request))
        case TRIBUTARY__V1__ENVELOPE__BODY_BLOB_CHUNK:
            self = .blobChunk(try Read.part(raw.blob_chunk))
        case TRIBUTARY__V1__ENVELOPE__BODY_SUBMIT_PROBE:
            self = .submitProbe(try Read.part(raw.submit_probe))
        case TRIBUTARY__V1__ENVELOPE__BODY_SUBMIT_HEADER:
            self = .submitHeader(try Read.part(raw.submit_header))
        case TRIBUTARY__V1__ENVELOPE__BODY_SUBMIT_CHUNK:
            self = .submitChunk(try Read.part(raw.submit_chunk))
        case TRIBUTARY__V1__ENVELOPE__BODY_SUBMIT_FINISH:
            self = .submitFinish(try Read.part(raw.submit_finish))
        case TRIBUTARY__V1__ENVELOPE__BODY_SUBMIT_STATUS:
            self = .submitStatus(try Read.part(raw.submit_status))
        case TRIBUTARY__V1__ENVELOPE__BODY_TRUST_SET_REQUEST:
            self = .trustSetRequest(try Read.part(raw.trust_set_request))
        case TRIBUTARY__V1__ENVELOPE__BODY_TRUST_SET_UPDATE:
            self = .trustSetUpdate(try Read.part(raw.trust_set_update))
        case TRIBUTARY__V1__ENVELOPE__BODY_ADMIN_REQUEST:
            self = .adminRequest(try Read.part(raw.admin_request))
        case TRIBUTARY__V1__ENVELOPE__BODY_ADMIN_RESPONSE:
            self = .adminResponse(try Read.part(raw.admin_response))
        case TRIBUTARY__V1__ENVELOPE__BODY_RENEW_REQUEST:
            self = .renewRequest(try Read.part(raw.renew_request))
        case TRIBUTARY__V1__ENVELOPE__BODY_RENEW_RESPONSE:
            self = .renewResponse(try Read.part(raw.renew_response))
        case TRIBUTARY__V1__ENVELOPE__BODY_LOG_PROOF_REQUEST:
            self = .logProofRequest(try Read.part(raw.log_proof_request))
        case TRIBUTARY__V1__ENVELOPE__BODY_LOG_PROOF:
            self = .logProof(try Read.part(raw.log_proof))
        case TRIBUTARY__V1__ENVELOPE__BODY_MODEL_REFUSAL:
            self = .modelRefusal(try Read.part(raw.model_refusal))
        case TRIBUTARY__V1__ENVELOPE__BODY_MODEL_REFUSAL_ACK:
            self = .modelRefusalAck(try Read.part(raw.model_refusal_ack))
        case TRIBUTARY__V1__ENVELOPE__BODY_LEAVE_REQUEST:
            self = .leaveRequest(try Read.part(raw.leave_request))
        case TRIBUTARY__V1__ENVELOPE__BODY_LEAVE_ACK:
            self = .leaveAck(try Read.part(raw.leave_ack))
        default: throw unknownBody("Message")
        }
    }

    func fill(_ raw: inout Tributary__V1__Envelope, in arena: Arena) throws(Fault) {
        raw.body_case = bodyCase
        switch self {
        case .failure(let part): raw.failure = try arena.message(part)
        case .enrolRequest(let part): raw.enrol_request = try arena.message(part)
        case .enrolResponse(let part): raw.enrol_response = try arena.message(part)
        case .checkInRequest(let part): raw.check_in_request = try arena.message(part)
        case .checkInResponse(let part): raw.check_in_response = try arena.message(part)
        case .heartbeat(let part): raw.heartbeat = try arena.message(part)
        case .heartbeatAck(let part): raw.heartbeat_ack = try arena.message(part)
        case .decline(let part): raw.decline = try arena.message(part)
        case .declineAck(let part): raw.decline_ack = try arena.message(part)
        case .blobRequest(let part): raw.blob_request = try arena.message(part)
        case .blobChunk(let part): raw.blob_chunk = try arena.message(part)
        case .submitProbe(let part): raw.submit_probe = try arena.message(part)
        case .submitHeader(let part): raw.submit_header = try arena.message(part)
        case .submitChunk(let part): raw.submit_chunk = try arena.message(part)
        case .submitFinish(let part): raw.submit_finish = try arena.message(part)
        case .submitStatus(let part): raw.submit_status = try arena.message(part)
        case .trustSetRequest(let part): raw.trust_set_request = try arena.message(part)
        case .trustSetUpdate(let part): raw.trust_set_update = try arena.message(part)
        case .adminRequest(let part): raw.admin_request = try arena.message(part)
        case .adminResponse(let part): raw.admin_response = try arena.message(part)
        case .renewRequest(let part): raw.renew_request = try arena.message(part)
        case .renewResponse(let part): raw.renew_response = try arena.message(part)
        case .logProofRequest(let part): raw.log_proof_request = try arena.message(part)
        case .logProof(let part): raw.log_proof = try arena.message(part)
        case .modelRefusal(let part): raw.model_refusal = try arena.message(part)
        case .modelRefusalAck(let part): raw.model_refusal_ack = try arena.message(part)
        case .leaveRequest(let part): raw.leave_request = try arena.message(part)
        case .leaveAck(let part): raw.leave_ack = try arena.message(part)
        }
    }

    private var bodyCase: Tributary__V1__Envelope__BodyCase {
        switch self {
        case .failure: TRIBUTARY__V1__ENVELOPE__BODY_FAILURE
        case .enrolRequest: TRIBUTARY__V1__ENVELOPE__BODY_ENROL_REQUEST
        case .enrolResponse: TRIBUTARY__V1__ENVELOPE__BODY_ENROL_RESPONSE
        case .checkInRequest: TRIBUTARY__V1__ENVELOPE__BODY_CHECK_IN_REQUEST
        case .checkInResponse: TRIBUTARY__V1__ENVELOPE__BODY_CHECK_IN_RESPONSE
        case .heartbeat: TRIBUTARY__V1__ENVELOPE__BODY_HEARTBEAT
        case .heartbeatAck: TRIBUTARY__V1__ENVELOPE__BODY_HEARTBEAT_ACK
        case .decline: TRIBUTARY__V1__ENVELOPE__BODY_DECLINE
        case .declineAck: TRIBUTARY__V1__ENVELOPE__BODY_DECLINE_ACK
        case .blobRequest: TRIBUTARY__V1__ENVELOPE__BODY_BLOB_REQUEST
        case .blobChunk: TRIBUTARY__V1__ENVELOPE__BODY_BLOB_CHUNK
        case .submitProbe: TRIBUTARY__V1__ENVELOPE__BODY_SUBMIT_PROBE
        case .submitHeader: TRIBUTARY__V1__ENVELOPE__BODY_SUBMIT_HEADER
        case .submitChunk: TRIBUTARY__V1__ENVELOPE__BODY_SUBMIT_CHUNK
        case .submitFinish: TRIBUTARY__V1__ENVELOPE__BODY_SUBMIT_FINISH
        case .submitStatus: TRIBUTARY__V1__ENVELOPE__BODY_SUBMIT_STATUS
        case .trustSetRequest: TRIBUTARY__V1__ENVELOPE__BODY_TRUST_SET_REQUEST
        case .trustSetUpdate: TRIBUTARY__V1__ENVELOPE__BODY_TRUST_SET_UPDATE
        case .adminRequest: TRIBUTARY__V1__ENVELOPE__BODY_ADMIN_REQUEST
        case .adminResponse: TRIBUTARY__V1__ENVELOPE__BODY_ADMIN_RESPONSE
        case .renewRequest: TRIBUTARY__V1__ENVELOPE__BODY_RENEW_REQUEST
        case .renewResponse: TRIBUTARY__V1__ENVELOPE__BODY_RENEW_RESPONSE
        case .logProofRequest: TRIBUTARY__V1__ENVELOPE__BODY_LOG_PROOF_REQUEST
        case .logProof: TRIBUTARY__V1__ENVELOPE__BODY_LOG_PROOF
        case .modelRefusal: TRIBUTARY__V1__ENVELOPE__BODY_MODEL_REFUSAL
        case .modelRefusalAck: TRIBUTARY__V1__ENVELOPE__BODY_MODEL_REFUSAL_ACK
        case .leaveRequest: TRIBUTARY__V1__ENVELOPE__BODY_LEAVE_REQUEST
        case .leaveAck: TRIBUTARY__V1__ENVELOPE__BODY_LEAVE_ACK
        }
    }
}
