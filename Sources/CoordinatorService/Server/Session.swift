import Cryptography
import Federation
import Logging
import Provenance
import Registry
import Rounds
import Wire

/// One connection: who speaks, what they may say, and the upload they are in the middle of.
struct Session {
    private let fleet: Fleet
    /// Nil before enrolment: TLS without a client certificate.
    private let shown: ShownCertificate?
    private let isConnected: @Sendable () -> Bool
    private var uploading: RoundAttempt?
    private var uploadIsBroken = false

    /// - Parameters:
    ///   - certificate: the peer's certificate, which TLS has verified against the fleet's authorities.
    ///   - isConnected: whether the connection is still open.
    /// - Throws: `Fault.unauthenticated` when it carries no identity of this fleet.
    init(
        fleet: Fleet, certificate: Certificate?, isConnected: @escaping @Sendable () -> Bool
    ) throws(Fault) {
        self.fleet = fleet
        self.isConnected = isConnected
        if let certificate {
            shown = try ShownCertificate(certificate, fleet: fleet.keys.fleet)
        } else {
            shown = nil
        }
    }

    /// Answers one message; nil when it has no answer.
    mutating func answer(_ message: Message) async -> Message? {
        do throws(Fault) {
            return try await reply(to: message)
        } catch {
            return .failure(Failure(error))
        }
    }

    private mutating func reply(to message: Message) async throws(Fault) -> Message? {
        guard let shown else {
            guard case .enrolRequest(let request) = message else {
                throw Fault(
                    .unauthenticated, "this connection has no client certificate",
                    remedy: "enrol the device first: `tributary-agent enroll`")
            }
            return .enrolResponse(try await fleet.enrol(request))
        }
        guard shown.identity.role == .agent else {
            try await fleet.admitPerson(showing: shown)
            return try await reply(to: message, from: shown.identity)
        }
        guard let agent = AgentID(shown.identity.id) else {
            throw Fault(.unauthenticated, "the certificate's name is no agent's")
        }
        try await fleet.admit(agent, showing: shown)
        return try await reply(to: message, from: agent, showing: shown)
    }

    private func reply(
        to message: Message, from person: Identity
    ) async throws(Fault) -> Message {
        switch message {
        case .blobRequest(let request):
            return .blobChunk(try await fleet.blobChunk(request, toAgent: false))
        case .adminRequest(let request):
            return .adminResponse(try await fleet.administer(request, by: person))
        default:
            throw Fault(
                .forbidden, "a credential with the role \(person.role.rawValue) cannot do this",
                remedy: "agents enrol with a token; people use tributary-coordinator")
        }
    }

    private mutating func reply(
        to message: Message, from agent: AgentID, showing shown: ShownCertificate
    ) async throws(Fault) -> Message? {
        switch message {
        case .checkInRequest(let request):
            return .checkInResponse(
                try await fleet.checkIn(agent, request, isConnected: isConnected))
        case .blobRequest(let request):
            return .blobChunk(try await fleet.blobChunk(request, toAgent: true))
        case .heartbeat(let beat): return .heartbeatAck(await fleet.heartbeat(agent, beat))
        case .decline(let decline):
            await fleet.decline(agent, decline)
            return .declineAck(DeclineAck())
        case .submitProbe(let probe):
            return .submitStatus(SubmitStatus(await fleet.probe(agent, probe)))
        case .submitHeader(let header):
            uploading = RoundAttempt(round: RoundID(header.round), attempt: header.attempt)
            uploadIsBroken = false
            return .submitStatus(SubmitStatus(await fleet.begin(agent, header)))
        case .submitChunk(let chunk):
            guard let uploading, await fleet.receive(agent, uploading, chunk) else {
                uploadIsBroken = true
                return nil
            }
            return nil
        case .submitFinish(let finish):
            let at = RoundAttempt(round: RoundID(finish.round), attempt: finish.attempt)
            guard at == uploading, !uploadIsBroken else {
                return .submitStatus(SubmitStatus(await fleet.refuseUpload(agent, at)))
            }
            return .submitStatus(SubmitStatus(try await fleet.finish(agent, at)))
        case .trustSetRequest(let request):
            return .trustSetUpdate(
                TrustSetUpdate(sets: fleet.keys.trustSets(after: request.afterVersion)))
        case .renewRequest(let request):
            return .renewResponse(try await fleet.renew(agent, request, showing: shown))
        case .logProofRequest(let request):
            return .logProof(try await fleet.logProof(request))
        case .modelRefusal(let refusal):
            try await fleet.note(refusal, by: agent)
            return .modelRefusalAck(ModelRefusalAck())
        case .adminRequest:
            throw Fault(
                .forbidden, "an agent's certificate cannot administer the fleet",
                remedy: "use a credential that `tributary-coordinator admin issue` wrote")
        default:
            throw Fault(
                .invalid, "an agent does not send this message",
                remedy: "update the agent or the coordinator: their versions do not fit")
        }
    }
}
