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
    private let identity: Identity?
    private let isConnected: @Sendable () -> Bool
    private var uploading: RoundAttempt?
    private var uploadIsBroken = false

    /// - Parameters:
    ///   - certificate: the peer's certificate, which TLS has verified against the fleet's authority.
    ///   - isConnected: whether the connection is still open.
    /// - Throws: `Fault.unauthenticated` when it carries no identity of this fleet.
    init(
        fleet: Fleet, certificate: Certificate?, isConnected: @escaping @Sendable () -> Bool
    ) throws(Fault) {
        self.fleet = fleet
        self.isConnected = isConnected
        identity = certificate?.identity
        guard certificate == nil || identity?.fleet == fleet.keys.fleet else {
            throw Fault(
                .unauthenticated, "the certificate names no identity of fleet \(fleet.keys.fleet)",
                remedy: "enrol this device, or use a credential of this fleet")
        }
    }

    var peer: String { identity.map(\.uri) ?? "unenrolled" }

    /// Answers one message; nil when it has no answer.
    mutating func answer(_ message: Message) async -> Message? {
        do throws(Fault) {
            return try await reply(to: message)
        } catch {
            return .failure(Failure(error))
        }
    }

    private mutating func reply(to message: Message) async throws(Fault) -> Message? {
        guard let identity else {
            guard case .enrolRequest(let request) = message else {
                throw Fault(
                    .unauthenticated, "this connection has no client certificate",
                    remedy: "enrol the device first: `tributary-agent enroll`")
            }
            return .enrolResponse(try await fleet.enrol(request))
        }
        if case .blobRequest(let request) = message, identity.role != .agent {
            return .blobChunk(try await fleet.blobChunk(request, toAgent: false))
        }
        if case .adminRequest(let request) = message, identity.role != .agent {
            return .adminResponse(try await fleet.administer(request, by: identity))
        }
        guard identity.role == .agent, let agent = AgentID(identity.id) else {
            throw Fault(
                .forbidden, "a credential with the role \(identity.role.rawValue) cannot do this",
                remedy: "agents enrol with a token; people use tributary-coordinator")
        }
        try await fleet.admit(agent)
        return try await reply(to: message, from: agent)
    }

    private mutating func reply(
        to message: Message, from agent: AgentID
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
            let current = fleet.keys.trustSet
            return .trustSetUpdate(
                TrustSetUpdate(
                    sets: request.afterVersion < current.version ? [current.document] : []))
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
