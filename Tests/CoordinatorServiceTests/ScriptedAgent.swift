import Cryptography
import Federation
import Foundation
import UpdateCodec
import Wire

/// A device as the coordinator sees it: every message is what a test says, over a real connection.
struct ScriptedAgent {
    let name: String
    let fleet: FleetUnderTest
    let identity: (Certificate, PrivateKey)
    let line: Line

    /// Uses `token` to become a member of the fleet, and connects.
    static func enrol(in fleet: FleetUnderTest, token: EnrolmentToken) async throws -> ScriptedAgent
    {
        let key = try PrivateKey.generate(.p256)
        let stranger = try await fleet.connect()
        let answer = try await stranger.ask(
            .enrolRequest(
                EnrolRequest(
                    secret: token.secret, certificateRequest: try CertificateRequest.make(key: key),
                    agentVersion: "test", unixSeconds: UInt64(Date().timeIntervalSince1970))))
        try await stranger.close()
        guard case .enrolResponse(let response) = answer else { throw unexpected(answer) }
        let identity = (try Certificate(der: response.certificate), key)
        return ScriptedAgent(
            name: response.agent, fleet: fleet, identity: identity,
            line: try await fleet.connect(identity))
    }

    /// The same agent on a new connection, perhaps to a coordinator that was restarted.
    func reconnected(to fleet: FleetUnderTest? = nil) async throws -> ScriptedAgent {
        let fleet = fleet ?? self.fleet
        return ScriptedAgent(
            name: name, fleet: fleet, identity: identity, line: try await fleet.connect(identity))
    }

    /// Asks for a certificate for `key`.
    func renew(_ key: PrivateKey) async throws -> (Certificate, PrivateKey) {
        let request = try CertificateRequest.make(key: key)
        let answer = try await line.ask(
            .renewRequest(RenewRequest(certificateRequest: request)))
        guard case .renewResponse(let response) = answer else { throw Self.unexpected(answer) }
        return (try Certificate(der: response.certificate), key)
    }

    /// The same agent on a new connection, with another certificate.
    func reconnected(
        showing identity: (Certificate, PrivateKey), to fleet: FleetUnderTest? = nil
    ) async throws -> ScriptedAgent {
        let fleet = fleet ?? self.fleet
        return ScriptedAgent(
            name: name, fleet: fleet, identity: identity, line: try await fleet.connect(identity))
    }

    // MARK: Check-in

    func checkIn(
        _ plans: [PlanReadiness], waitSeconds: UInt32 = 0, logCheckpoint: [UInt8] = [],
        unavailable: String = ""
    ) async throws(Fault) -> CheckInResponse {
        let answer = try await line.ask(
            .checkInRequest(
                CheckInRequest(
                    agentVersion: "test", cpuFeatures: "none", memoryKib: 1024, plans: plans,
                    logCheckpoint: logCheckpoint, waitSeconds: waitSeconds, unavailable: unavailable
                )))
        guard case .checkInResponse(let response) = answer else { throw Self.unexpected(answer) }
        return response
    }

    /// What the agent says once it has all that the coordinator offers for a plan.
    func readiness(_ plan: String, examples: UInt64 = 10) async throws(Fault) -> PlanReadiness {
        let state = try await checkIn([PlanReadiness(plan: plan)]).plans.first
        return PlanReadiness(
            plan: plan, planDigest: state?.planDigest ?? [], examples: examples,
            hasModel: state?.serving != nil, modelVersion: state?.serving?.version ?? 0)
    }

    /// Becomes one of the agents that are known to follow `plan`.
    func follow(_ plan: String) async throws(Fault) {
        _ = try await checkIn([try await readiness(plan)])
    }

    /// Checks in until there is an assignment, which a test expects to come.
    func assignment(_ plan: String = "tiny") async throws(Fault) -> Assignment {
        while true {
            let response = try await checkIn([try await readiness(plan)], waitSeconds: 20)
            switch response.next {
            case .assignment(let assignment): return assignment
            // News, for which `readiness` asks; a check-in that was held to its end says another number.
            case .comeBackSeconds(0): continue
            default: throw Fault(.internal, "no assignment but \(response)")
            }
        }
    }

    // MARK: Blobs

    /// A whole blob in as many pieces as the coordinator likes, its digest checked.
    func download(_ digest: [UInt8]) async throws(Fault) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let answer = try await line.ask(
                .blobRequest(BlobRequest(digest: digest, offset: UInt64(bytes.count))))
            guard case .blobChunk(let chunk) = answer, chunk.offset == UInt64(bytes.count),
                chunk.digest == digest
            else { throw Self.unexpected(answer) }
            bytes += chunk.data
            guard UInt64(bytes.count) < chunk.totalSize else { break }
        }
        guard SHA256.digest(of: bytes).bytes == digest else {
            throw Fault(.untrusted, "the blob is not what its digest says")
        }
        return bytes
    }

    // MARK: Submit

    func probe(
        _ assignment: Assignment, digest: Digest
    ) async throws(Fault) -> SubmitStatus {
        try await status(.submitProbe(probeMessage(assignment, digest: digest)))
    }

    func probeMessage(_ assignment: Assignment, digest: Digest) -> SubmitProbe {
        SubmitProbe(
            round: assignment.round, attempt: assignment.attempt,
            submitToken: assignment.submitToken, updateDigest: digest.bytes)
    }

    /// The header of `update`, which is right; tests spoil it.
    func header(_ assignment: Assignment, _ update: [UInt8], examples: UInt64 = 10) -> SubmitHeader
    {
        SubmitHeader(
            round: assignment.round, attempt: assignment.attempt,
            submitToken: assignment.submitToken, latticeId: assignment.lattice?.id ?? [],
            baseVersion: assignment.baseModel?.version ?? 0, examples: examples, updatesSummed: 1,
            withinClip: true, size: UInt64(update.count),
            updateDigest: SHA256.digest(of: update).bytes)
    }

    func announce(_ header: SubmitHeader) async throws(Fault) -> SubmitStatus {
        try await status(.submitHeader(header))
    }

    func chunk(_ bytes: some Sequence<UInt8>, at offset: UInt64) async throws(Fault) {
        try await line.send(.submitChunk(SubmitChunk(offset: offset, data: Array(bytes))))
    }

    func finish(_ assignment: Assignment) async throws(Fault) -> SubmitStatus {
        try await status(
            .submitFinish(SubmitFinish(round: assignment.round, attempt: assignment.attempt)))
    }

    /// Submits a whole update: probe, header, two chunks, finish. Stops at the first answer that is not `wanted`.
    func submit(
        _ assignment: Assignment, _ update: [UInt8], examples: UInt64 = 10
    ) async throws(Fault) -> SubmitStatus {
        let probed = try await probe(assignment, digest: SHA256.digest(of: update))
        guard probed.verdict == .wanted else { return probed }
        let announced = try await announce(header(assignment, update, examples: examples))
        guard announced.verdict == .wanted else { return announced }
        let half = update.count / 2
        try await chunk(update[..<half], at: 0)
        try await chunk(update[half...], at: UInt64(half))
        return try await finish(assignment)
    }

    func heartbeat(_ assignment: Assignment) async throws(Fault) -> HeartbeatAck {
        let answer = try await line.ask(.heartbeat(beat(assignment)))
        guard case .heartbeatAck(let ack) = answer else { throw Self.unexpected(answer) }
        return ack
    }

    func beat(_ assignment: Assignment) -> Heartbeat {
        Heartbeat(
            round: assignment.round, attempt: assignment.attempt,
            submitToken: assignment.submitToken)
    }

    func decline(_ assignment: Assignment) async throws(Fault) {
        try await line.ask(
            .decline(
                Decline(
                    round: assignment.round, attempt: assignment.attempt,
                    submitToken: assignment.submitToken, reason: "the test says so")))
    }

    private func status(_ message: Message) async throws(Fault) -> SubmitStatus {
        let answer = try await line.ask(message)
        guard case .submitStatus(let status) = answer else { throw Self.unexpected(answer) }
        return status
    }

    private static func unexpected(_ answer: Message) -> Fault {
        Fault(.internal, "not the answer to the message: \(answer)")
    }
}

/// A packed update that a device could have made: a small step in every parameter, on the assignment's lattice.
func exampleUpdate(_ assignment: Assignment, seed: UInt64 = 1) throws -> [UInt8] {
    guard let spec = assignment.lattice else { throw Fault(.invalid, "there is no lattice") }
    let lattice = try Lattice(spec)
    var random = SeededRandom(seed: seed)
    let delta = (0..<lattice.parameters).map { _ in
        (Float(random.next() >> 40) * 0x1p-24 - 0.5) * 0.02
    }
    let values = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random).values
    let elements: UpdateElements =
        lattice.elementBits == 8 ? .int8(values) : .wide(values.map(Int64.init))
    return elements.packed(on: lattice)
}
