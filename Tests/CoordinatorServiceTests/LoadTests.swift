import CoordinatorService
import Cryptography
import Dispatch
import Federation
import Foundation
import Glibc
import Testing
import Wire

@Suite("Under load", .timeLimit(.minutes(10)))
struct LoadTests {
    private func expectAlive(_ fleet: FleetUnderTest) async throws {
        #expect(try await fleet.admin().agents().isEmpty)
    }

    /// The agent tries until there is a place for it, which a test expects.
    private func comesBack(_ agent: ScriptedAgent) async throws {
        while true {
            do {
                _ = try await agent.reconnected().checkIn([])
                return
            } catch { try await Task.sleep(for: .milliseconds(20)) }
        }
    }

    @Test("a peer that never shakes hands is shed")
    func silentStranger() async throws {
        try await FleetUnderTest.run(limits: "handshake_seconds = 1") { fleet in
            let port = fleet.address.port
            let answer = try await onThread(DispatchQueue(label: "tributary.tests.silent")) {
                () throws(Fault) in try plainSilence(port: port)
            }
            #expect(answer.isEmpty)
            try await expectAlive(fleet)
        }
    }

    @Test(
        "a peer that sends a message a byte at a time, or none, is shed",
        arguments: [[], [0], [0, 0, 0, 9, 1]] as [[UInt8]], [true, false])
    func slowMessage(_ beginning: [UInt8], isStranger: Bool) async throws {
        let limit = isStranger ? "handshake_seconds = 1" : "stalled_seconds = 1"
        try await FleetUnderTest.run(limits: limit) { fleet in
            let line =
                isStranger ? try await fleet.connect() : try await fleet.admin().line
            if !beginning.isEmpty { try await line.write(beginning) }
            let end = await refusal { _ = try await line.receive() }
            #expect(end?.message.hasPrefix("the peer closed the connection") == true)
            try await expectAlive(fleet)
        }
    }

    @Test("an agent that falls silent between two messages is shed, and may come back")
    func idle() async throws {
        try await FleetUnderTest.run(limits: "idle_seconds = 1") { fleet in
            let admin = try await fleet.admin()
            let token = try await admin.token()
            let agent = try await ScriptedAgent.enrol(in: fleet, token: token)
            _ = try await agent.checkIn([])
            let end = await refusal { _ = try await agent.line.receive() }
            #expect(end?.code == .unavailable)
            _ = try await agent.reconnected().checkIn([])
        }
    }

    @Test(
        "an admin is served when agents have every place, and another agent is told to come later")
    func full() async throws {
        try await FleetUnderTest.run(limits: "connections = 3") { fleet in
            let admin = try await fleet.admin()
            let token = try await admin.token(uses: 3)
            var agents: [ScriptedAgent] = []
            for _ in 0..<3 { agents.append(try await ScriptedAgent.enrol(in: fleet, token: token)) }
            for agent in agents { _ = try await agent.checkIn([]) }
            guard case .failure(let failure) = try await agents[0].reconnected().line.receive()
            else {
                Issue.record("one agent too many was admitted")
                return
            }
            #expect(failure.code == Fault.Code.unavailable.rawValue)
            #expect(failure.closing)
            for _ in 0..<10 { #expect(try await fleet.admin().agents().count == 3) }
            try await agents[2].line.close()
            // Its place is free as soon as the coordinator has noticed.
            try await comesBack(agents[2])
        }
    }

    @Test("a peer without a certificate gets one answer, and nothing of the agents' places")
    func strangers() async throws {
        try await FleetUnderTest.run(limits: "connections = 1") { fleet in
            var strangers: [Line] = []
            for _ in 0..<4 { strangers.append(try await fleet.connect()) }
            let token = try await fleet.admin().token()
            _ = try await ScriptedAgent.enrol(in: fleet, token: token).checkIn([])
            try await strangers[0].send(.enrolRequest(EnrolRequest()))
            guard case .failure(let failure) = try await strangers[0].receive() else {
                Issue.record("not a failure")
                return
            }
            #expect(failure.closing)
            let end = await refusal { _ = try await strangers[0].receive() }
            #expect(end?.message == "the peer closed the connection")
        }
    }

    @Test("a person whose credential is refused holds no connection")
    func refusedPerson() async throws {
        try await FleetUnderTest.run { fleet in
            let folder = fleet.directory.file("eve")
            try await fleet.state.issueCredential(name: "eve", role: .admin, output: folder)
            let eve = try await fleet.admin(folder: folder)
            _ = try await eve.agents()
            try await fleet.state.revokeCredential(name: "eve", reason: "left")
            let fault = await refusal { _ = try await eve.agents() }
            #expect(fault?.code == .forbidden)
            let end = await refusal { _ = try await eve.line.receive() }
            #expect(end?.message == "the peer closed the connection")
        }
    }

    @Test("one address gets no more connections than configured, people beside them")
    func perAddress() async throws {
        try await FleetUnderTest.run(limits: "connections_per_address = 3") { fleet in
            let admin = try await fleet.admin()
            let agent = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
            var others: [ScriptedAgent] = []
            for _ in 0..<2 {
                others.append(try await agent.reconnected())
                _ = try await others.last?.checkIn([])
            }
            guard case .failure(let failure) = try await agent.reconnected().line.receive() else {
                Issue.record("one agent too many was admitted")
                return
            }
            #expect(failure.code == Fault.Code.unavailable.rawValue)
            for _ in 0..<10 { #expect(try await fleet.admin().agents().count == 1) }
            try await others[0].line.close()
            try await comesBack(agent)
        }
    }

    @Test("an update for which there is no room comes later, and is counted (NVFLARE 2461, 2166)")
    func later() async throws {
        try await FleetUnderTest.run(limits: "uploads_in_flight_mib = 0") { fleet in
            var plan = TinyPlan()
            plan.privacy = nil
            plan.agents = 2
            let (admin, agents) = try await fleet.prepare(plan, agents: 2)
            _ = try await admin.start("tiny", rounds: 1)
            let first = try await agents[0].assignment()
            let second = try await agents[1].assignment()
            let update = try exampleUpdate(first)
            #expect(
                try await agents[0].announce(agents[0].header(first, update)).verdict == .wanted)
            let waiting = try await agents[1].announce(agents[1].header(second, update))
            #expect(waiting.verdict == .later)
            #expect((1...30).contains(waiting.retrySeconds))
            try await agents[0].chunk(update, at: 0)
            // What is sent without a place is not kept.
            try await agents[1].chunk(update, at: 0)
            #expect(try await agents[1].finish(second).verdict == .later)
            #expect(try await agents[0].finish(first).verdict == .accepted)
            #expect(try await agents[1].submit(second, update).verdict == .accepted)
        }
    }

    @Test("a stranger may not send a message larger than an enrolment")
    func strangersFrame() async throws {
        try await FleetUnderTest.run { fleet in
            let line = try await fleet.connect()
            try await line.write([0, 1, 0, 0])
            guard case .failure(let failure) = try await line.receive() else {
                Issue.record("not a failure")
                return
            }
            #expect(failure.code == Fault.Code.exhausted.rawValue)
            #expect(failure.message.contains("limit of \(WireLimits.strangerFrameBytes)"))
        }
    }
}

/// Connects over plain TCP, says nothing, and returns what comes until the peer closes.
private func plainSilence(port: UInt16) throws(Fault) -> [UInt8] {
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
    guard connected == 0 else { throw Fault(.unavailable, "the test cannot connect") }
    var answer: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = recv(socket, &piece, piece.count, 0)
        guard count > 0 else { return answer }
        answer += piece[..<count]
    }
}
