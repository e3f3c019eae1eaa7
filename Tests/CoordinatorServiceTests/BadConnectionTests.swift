import CoordinatorService
import Cryptography
import Dispatch
import Federation
import Glibc
import Registry
import Testing
import Wire

@Suite("A connection that misbehaves", .timeLimit(.minutes(10)))
struct BadConnectionTests {
    /// The daemon serves the next client as if nothing had happened.
    private func expectAlive(_ fleet: FleetUnderTest) async throws {
        #expect(try await fleet.admin().agents().isEmpty)
    }

    @Test(
        "in plain text is closed, and the daemon lives on",
        arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\u{0}\u{0}\u{0}\u{5}hello", ""])
    func plainText(_ text: String) async throws {
        try await FleetUnderTest.run { fleet in
            let port = fleet.address.port
            let answer = try await onThread(DispatchQueue(label: "tributary.tests.plain")) {
                () throws(Fault) in try plainExchange(port: port, Array(text.utf8))
            }
            // At most a TLS alert (record type 21), never an answer to the text.
            #expect(answer.isEmpty || answer.first == 21)
            try await expectAlive(fleet)
        }
    }

    @Test("with a frame above the limit is told the limit, from the length alone")
    func oversizedLength() async throws {
        try await FleetUnderTest.run { fleet in
            let line = try await fleet.connect()
            try await line.write([0x7f, 0xff, 0xff, 0xff])
            try await expectRefusal(
                on: line, .exhausted, "above the limit of \(WireLimits.strangerFrameBytes)")
            try await expectAlive(fleet)
        }
    }

    @Test("with a frame above the limit is told the limit, even while it goes on sending")
    func oversizedFrame() async throws {
        try await FleetUnderTest.run { fleet in
            let line = try await fleet.connect()
            try await line.write([0x00, 0x20, 0x00, 0x00] + [UInt8](repeating: 1, count: 1 << 21))
            try await expectRefusal(on: line, .exhausted, "a frame of 2097152 bytes")
            try await expectAlive(fleet)
        }
    }

    @Test(
        "with bytes that are no message is told so", arguments: [[0xff, 0xff], [], [0x0a, 0x7f]])
    func malformed(_ payload: [UInt8]) async throws {
        try await FleetUnderTest.run { fleet in
            let line = try await fleet.connect()
            try await line.write([0, 0, 0, UInt8(payload.count)] + payload)
            try await expectRefusal(on: line, .invalid, "")
            try await expectAlive(fleet)
        }
    }

    private func expectRefusal(
        on line: Line, _ code: Fault.Code, _ words: String
    ) async throws {
        guard case .failure(let failure) = try await line.receive() else {
            Issue.record("not a failure")
            return
        }
        #expect(failure.code == code.rawValue)
        #expect(failure.message.contains(words), "\(failure.message)")
        #expect(failure.closing)
        let end = await refusal { _ = try await line.receive() }
        #expect(end?.message == "the peer closed the connection")
    }

    @Test("with a message that only a coordinator sends is told so and may go on")
    func unexpected() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let agent = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
            let messages: [Message] = [
                .checkInResponse(CheckInResponse()), .failure(Failure(code: "gone")),
                .adminResponse(.agents(AgentRecords())), .enrolRequest(EnrolRequest()),
            ]
            for message in messages {
                let fault = await refusal { try await agent.line.ask(message) }
                #expect(fault?.code == .invalid)
                #expect(fault?.message == "an agent does not send this message")
            }
            _ = try await agent.checkIn([])
        }
    }

    @Test("that asks for more than a frame holds is told so instead")
    func longAnswer() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, _) = try await fleet.prepare(TinyPlan(), agents: 0)
            // No round ends with a reason this long; it stands for a list that has grown too long.
            let registry = try fleet.registry()
            let tiny = try #require(PlanID("tiny"))
            let job = try await registry.createJob(
                plan: tiny, rounds: 1, idempotencyKey: "", nowUnix: 1,
                event: { _ in FleetEvent(.roundsRequested, []) }
            ).job
            let at = try await registry.startRound(
                plan: tiny, job: job, baseVersion: 0, rotationSeed: 1,
                latticeID: SHA256.digest(of: []), nowUnixMilliseconds: 1,
                event: { _ in FleetEvent(.roundStarted, []) })
            try await registry.abandon(
                at, reason: String(repeating: "x", count: WireLimits.textBytes + 1),
                nowUnixMilliseconds: 2, event: FleetEvent(.roundAbandoned, []))
            let fault = await refusal { _ = try await admin.rounds(of: "tiny") }
            #expect(fault?.code == .exhausted)
            #expect(try await admin.agents().isEmpty)
        }
    }

    @Test("with references to what never existed is answered, not served")
    func unknownThings() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let agent = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
            let ghost = Assignment(plan: "ghost", round: 99, attempt: 1, submitToken: [1, 2, 3])
            #expect(try await agent.heartbeat(ghost).wanted == false)
            try await agent.decline(ghost)
            #expect(
                try await agent.probe(ghost, digest: SHA256.digest(of: [])).reason == "badToken")
            #expect(try await agent.finish(ghost).verdict == .gone)
            try await agent.chunk([1, 2, 3], at: .max)
            let blob = await refusal {
                _ = try await agent.download([UInt8](repeating: 3, count: 32))
            }
            #expect(blob?.code == .notFound)
            for request in [
                AdminRequest.planShow(PlanShow(plan: "ghost")),
                .planShow(PlanShow(plan: "No Name")),
                .agentShow(AgentShow(agent: "ghost")), .roundShow(RoundShow(round: 99)),
                .jobWatch(JobWatch(job: 99)), .modelShow(ModelShow(plan: "ghost", latest: true)),
                .agentRevoke(AgentRevoke(agent: "ghost")),
                .roundStart(RoundStart(plan: "ghost", rounds: 1)),
            ] {
                let fault = await refusal { _ = try await admin.ask(request) }
                #expect(fault?.code == .notFound, "\(request)")
            }
            let cancel = await refusal {
                _ = try await admin.ask(.roundCancel(RoundCancel(round: 99)))
            }
            #expect(cancel?.code == .conflict || cancel?.code == .notFound)
        }
    }
}

/// Sends bytes over plain TCP, and returns what comes back until the peer closes.
func plainExchange(port: UInt16, _ bytes: [UInt8]) throws(Fault) -> [UInt8] {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { Glibc.close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard connected == 0, send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) >= 0 else {
        throw Fault(.unavailable, "the test cannot connect")
    }
    shutdown(socket, Int32(SHUT_WR))
    var answer: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = recv(socket, &piece, piece.count, 0)
        guard count > 0 else { return answer }
        answer += piece[..<count]
    }
}
