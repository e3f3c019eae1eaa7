import Cryptography
import Federation
import UpdateCodec
import Wire

/// An enrolled agent that keeps to no protocol: garbage, replays, wrong norms, stale tokens, everything twice.
final class HostileAgent {
    private let member: Template.Member
    private let world: World
    private let network: Network
    private let auditor: Auditor
    private var connections: [Connection] = []
    private var assignments: [Assignment] = []
    /// Frames that it sent before.
    private var sent: [[UInt8]] = []
    private var plans: [PlanState] = []

    init(_ member: Template.Member, world: World, network: Network, auditor: Auditor) {
        self.member = member
        self.world = world
        self.network = network
        self.auditor = auditor
    }

    /// Misbehaves from now on.
    func start() {
        world.after(world.draw(from: 0.05, to: 2)) { [self] in
            act()
            start()
        }
    }

    /// Lets its connections go.
    func end() {
        for connection in connections { connection.toDevice = nil }
        connections = []
    }

    private func act() {
        if connections.isEmpty || world.happens(0.1) { connect() }
        guard let connection = connections.randomElement(in: world) else { return }
        switch world.draw(0...9) {
        case 0, 1: send(checkIn(), over: connection)
        case 2: garble(connection)
        case 3:
            if let frame = sent.randomElement(in: world) { connection.send(frame, from: .device) }
        case 4: beat(connection)
        case 5, 6, 7: submit(over: connection)
        case 8: if world.happens(0.3) { decline(connection) }
        default: if world.happens(0.3) { close(connection) }
        }
    }

    // MARK: Connections

    private func connect() {
        guard connections.count < 4 else { return }
        network.connect(member.name, showing: member.certificate) { [self] connection in
            guard let connection else { return }
            connections.append(connection)
            connection.toDevice = { [self, weak connection] message in
                guard let connection else { return }
                hear(message, on: connection)
            }
        }
    }

    private func close(_ connection: Connection) {
        connection.toDevice = nil
        connection.close(by: .device)
        connections.removeAll { $0 === connection }
    }

    private func hear(_ message: Result<Message, Fault>?, on connection: Connection) {
        switch message {
        case .success(.checkInResponse(let response)):
            plans = response.plans
            if case .assignment(let assignment) = response.next {
                world.note("the hostile \(member.name) is assigned \(assignment.round)")
                assignments.append(assignment)
            }
        case .success: break
        case .failure, nil: close(connection)
        }
    }

    private func send(_ message: Message, over connection: Connection) {
        guard let frame = try? message.encoded() else { return }
        if sent.count < 200 { sent.append(frame) }
        connection.send(frame, from: .device)
        if world.happens(0.1) { connection.send(frame, from: .device) }
    }

    // MARK: What it sends

    private func checkIn() -> Message {
        let readiness = plans.map {
            PlanReadiness(
                plan: $0.plan, planDigest: $0.planDigest, examples: member.examples,
                hasModel: $0.serving != nil, modelVersion: $0.serving?.version ?? 0)
        }
        let unknown = [Template.openPlan, Template.privatePlan].map { PlanReadiness(plan: $0) }
        return .checkInRequest(
            CheckInRequest(
                agentVersion: "hostile", plans: readiness.isEmpty ? unknown : readiness,
                trustSetVersion: 1, waitSeconds: UInt32(world.draw(0...20))))
    }

    private func garble(_ connection: Connection) {
        switch world.draw(0...2) {
        case 0:
            connection.send(
                (0..<world.draw(1...60)).map { _ in UInt8(world.draw(0...255)) }, from: .device)
        case 1: connection.send([0xff, 0xff, 0xff, 0xff, 1], from: .device)
        default:
            guard var frame = sent.randomElement(in: world) else { return }
            frame[world.draw(0...frame.count - 1)] ^= UInt8(world.draw(1...255))
            connection.send(frame, from: .device)
        }
    }

    private func beat(_ connection: Connection) {
        guard let assignment = assignments.randomElement(in: world) else { return }
        send(
            .heartbeat(
                Heartbeat(
                    round: assignment.round, attempt: assignment.attempt,
                    submitToken: assignment.submitToken)), over: connection)
    }

    private func decline(_ connection: Connection) {
        guard let assignment = assignments.randomElement(in: world) else { return }
        send(
            .decline(
                Decline(
                    round: assignment.round, attempt: assignment.attempt,
                    submitToken: assignment.submitToken, reason: "as I like")), over: connection)
    }

    /// Sends a whole upload without waiting for an answer, wrong in some way, or right and then twice.
    private func submit(over connection: Connection) {
        guard let assignment = assignments.suffix(3).randomElement(in: world),
            let spec = assignment.lattice, let lattice = try? Lattice(spec)
        else { return }
        var bytes = update(on: lattice)
        if world.happens(0.2) { bytes = bytes.map { _ in 127 } }
        if world.happens(0.1) { bytes.removeLast() }
        let examples = assignment.plan == Template.openPlan ? member.examples : 1
        auditor.made(bytes, examples: examples, by: member.name)
        var header = SubmitHeader(
            round: assignment.round, attempt: assignment.attempt,
            submitToken: assignment.submitToken, latticeId: spec.id,
            baseVersion: assignment.baseModel?.version ?? 0, examples: examples,
            updatesSummed: 1, withinClip: true, size: UInt64(bytes.count),
            updateDigest: SHA256.digest(of: bytes).bytes)
        if world.happens(0.15) { spoil(&header) }
        let finish = Message.submitFinish(
            SubmitFinish(round: header.round, attempt: header.attempt))
        send(.submitHeader(header), over: connection)
        let half = bytes.count / 2
        send(.submitChunk(SubmitChunk(offset: 0, data: Array(bytes[..<half]))), over: connection)
        let offset = world.happens(0.1) ? UInt64(half + 1) : UInt64(half)
        send(
            .submitChunk(SubmitChunk(offset: offset, data: Array(bytes[half...]))),
            over: connection)
        for _ in 0..<world.draw(1...3) {
            send(finish, over: connections.randomElement(in: world) ?? connection)
        }
    }

    private func spoil(_ header: inout SubmitHeader) {
        switch world.draw(0...4) {
        case 0: header.submitToken = assignments.first?.submitToken ?? []
        case 1: header.attempt += 1
        case 2: header.round += UInt64(world.draw(0...2))
        case 3: header.examples = 100_000
        default: header.baseVersion += 1
        }
    }

    private func update(on lattice: Lattice) -> [UInt8] {
        var random = SeededRandom(seed: world.draw())
        let delta = (0..<lattice.parameters).map { _ in
            (Float(random.next() >> 40) * 0x1p-24 - 0.5) * 0.02
        }
        guard
            let encoded = try? UpdateCodec.encode(
                delta: delta, lattice: lattice, random: &random)
        else { return [] }
        return UpdateElements.int8(encoded.values).packed(on: lattice)
    }
}

extension RandomAccessCollection {
    /// One of the elements, as the world's chance has it; nil when there is none.
    func randomElement(in world: World) -> Element? {
        isEmpty ? nil : self[index(startIndex, offsetBy: world.draw(0...count - 1))]
    }
}
