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
    /// What takes the update that is being sent; nil while none is wanted.
    private var upload: IncomingUpload?
    private var uploadIsBroken = false
    /// Whether the peer has had its last answer: one without a certificate asks once, and a credential that is refused
    /// holds no connection.
    private(set) var isOver = false

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

    /// Whether the peer showed no certificate: it may enrol.
    var isStranger: Bool { shown == nil }

    /// Whether a person speaks, not a device.
    var isPerson: Bool { shown.map { $0.identity.role != .agent } ?? false }

    /// Whose connection it is: an agent's or a person's, whatever certificate of theirs they show; nil: a stranger's.
    var owner: String? { shown.map { "\($0.identity.role.rawValue) \($0.identity.id)" } }

    /// Whether pieces of an update may come now, which `take` is for.
    var takesPieces: Bool { upload != nil }

    /// Takes a piece of the update that is being sent. It changes nothing but this upload, and whoever finishes that is looked
    /// at again.
    ///
    /// - Returns: what the fleet is to be told; nil: nothing.
    mutating func take(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64
    ) -> (@Sendable () async -> Void)? {
        guard let upload, let uploading else {
            uploadIsBroken = true
            return nil
        }
        switch upload.take(bytes, at: offset, now: fleet.clock.now) {
        case .taken: return nil
        case .misfit:
            uploadIsBroken = true
            return nil
        case .moves:
            guard let shown, let agent = AgentID(shown.identity.id) else { return nil }
            return { [fleet] in await fleet.uploadMoves(agent, uploading) }
        }
    }

    /// Answers one message; nil when it has no answer.
    mutating func answer(_ message: Message) async -> Message? {
        // Most of a fleet waits here: what a held check-in keeps is no more than it needs.
        if case .checkInRequest(let request) = message, let shown, !isPerson {
            return await Self.answer(request, showing: shown, to: fleet, isConnected)
        }
        return await answerAnother(message)
    }

    @inline(never)
    private static func answer(
        _ request: CheckInRequest, showing shown: ShownCertificate, to fleet: Fleet,
        _ isConnected: @Sendable () -> Bool
    ) async -> Message {
        do throws(Fault) {
            let agent = try await admitted(shown, to: fleet)
            return .checkInResponse(
                try await fleet.checkIn(agent, request, isConnected: isConnected))
        } catch {
            return .failure(Failure(error))
        }
    }

    /// The agent that shows this certificate.
    @inline(never)
    private static func admitted(
        _ shown: ShownCertificate, to fleet: Fleet
    ) async throws(Fault) -> AgentID {
        guard let agent = AgentID(shown.identity.id) else {
            throw Fault(.unauthenticated, "the certificate's name is no agent's")
        }
        try await fleet.admit(agent, showing: shown)
        return agent
    }

    @inline(never)
    private mutating func answerAnother(_ message: Message) async -> Message? {
        do throws(Fault) {
            return try await reply(to: message)
        } catch {
            return .failure(Failure(error))
        }
    }

    private mutating func reply(to message: Message) async throws(Fault) -> Message? {
        guard let shown else {
            isOver = true
            guard case .enrolRequest(let request) = message else {
                throw Fault(
                    .unauthenticated, "this connection has no client certificate",
                    remedy: "enrol the device first: `tributary-agent enroll`")
            }
            return .enrolResponse(try await fleet.enrol(request))
        }
        guard shown.identity.role == .agent else {
            // Until they are known to be in good standing.
            isOver = true
            try await fleet.admitPerson(showing: shown)
            isOver = false
            return try await reply(to: message, from: shown.identity)
        }
        return try await reply(
            to: message, from: try await Self.admitted(shown, to: fleet), showing: shown)
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
            let verdict: SubmitVerdict
            (verdict, upload) = await fleet.begin(agent, header)
            return .submitStatus(SubmitStatus(verdict))
        case .submitChunk(let chunk):
            guard uploading != nil else {
                uploadIsBroken = true
                return nil
            }
            // What comes although it is not wanted is thrown away.
            guard upload != nil else { return nil }
            await chunk.data.withUnsafeBytes { take($0, at: chunk.offset) }?()
            return nil
        case .submitFinish(let finish):
            let at = RoundAttempt(round: RoundID(finish.round), attempt: finish.attempt)
            guard at == uploading, !uploadIsBroken else {
                return .submitStatus(SubmitStatus(await fleet.refuseUpload(agent, at)))
            }
            let verdict = try await fleet.finish(agent, at)
            // Another connection may have begun it anew: what is still missing goes there.
            if case .wanted = verdict { upload = await fleet.upload(of: agent, at) }
            return .submitStatus(SubmitStatus(verdict))
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
        case .leaveRequest:
            try await fleet.leave(agent)
            isOver = true
            return .leaveAck(LeaveAck())
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
