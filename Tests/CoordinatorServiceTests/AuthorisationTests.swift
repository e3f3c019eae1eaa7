import CoordinatorService
import Cryptography
import Federation
import Foundation
import Testing
import Wire

@Suite("Who may say what", .timeLimit(.minutes(10)))
struct AuthorisationTests {
    private func certificate(
        from authority: CertificateAuthority, _ identity: Identity
    ) throws -> (Certificate, PrivateKey) {
        let key = try PrivateKey.generate(.p256)
        return (
            try authority.issue(
                identity: identity, publicKey: key.publicKey, days: 1,
                nowUnix: Int64(Date().timeIntervalSince1970)), key
        )
    }

    @Test("a certificate of another fleet is refused by TLS")
    func otherAuthority() async throws {
        try await FleetUnderTest.run { fleet in
            let stranger = try CertificateAuthority.create(
                fleet: "lab", nowUnix: Int64(Date().timeIntervalSince1970))
            for role in [Role.agent, .admin] {
                let identity = try certificate(
                    from: stranger, Identity(fleet: "lab", role: role, id: "admin"))
                let fault = await refusal {
                    let line = try await fleet.connect(identity)
                    try await line.ask(.adminRequest(.planList(PlanList())))
                }
                #expect(fault?.code == .unauthenticated)
                #expect(fault?.message.contains("refused our certificate") == true)
                #expect(fault?.message.contains("another fleet") == true, "\(fault?.message ?? "")")
            }
            _ = try await fleet.admin().agents()
        }
    }

    @Test(
        "a certificate of this authority that names another fleet, or an unknown agent, is refused")
    func unknownIdentities() async throws {
        try await FleetUnderTest.run { fleet in
            let authority = try CertificateAuthority(
                certificate: fleet.authority,
                key: try PrivateKey(pemFile: fleet.state.path + "/keys/fleet-ca.key"))
            let other = try await fleet.connect(
                try certificate(
                    from: authority, Identity(fleet: "elsewhere", role: .admin, id: "admin")))
            let otherFault = await refusal {
                try await other.ask(.adminRequest(.planList(PlanList())))
            }
            #expect(otherFault?.code == .unauthenticated)
            #expect(otherFault?.message.contains("lab") == true)

            let ghost = try await fleet.connect(
                try certificate(
                    from: authority, Identity(fleet: "lab", role: .agent, id: "ghost")))
            let ghostFault = await refusal {
                try await ghost.ask(.checkInRequest(CheckInRequest()))
            }
            #expect(ghostFault?.code == .forbidden)
            #expect(ghostFault?.message.contains("ghost") == true)
            #expect(ghostFault?.remedy.contains("enrol") == true)
        }
    }

    @Test("without a certificate a peer may only enrol")
    func noCertificate() async throws {
        try await FleetUnderTest.run { fleet in
            let messages: [Message] = [
                .checkInRequest(CheckInRequest()), .adminRequest(.planList(PlanList())),
                .blobRequest(BlobRequest(digest: [UInt8](repeating: 0, count: 32))),
                .trustSetRequest(TrustSetRequest()),
            ]
            for message in messages {
                let line = try await fleet.connect()
                let fault = await refusal { try await line.ask(message) }
                #expect(fault?.code == .unauthenticated)
                #expect(fault?.remedy.contains("enroll") == true)
            }
        }
    }

    @Test("an agent's certificate cannot administer, and an admin's cannot train")
    func roles() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let agent = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
            for request in [AdminRequest.planList(PlanList()), .tokenCreate(TokenCreate(uses: 1))] {
                let fault = await refusal { try await agent.line.ask(.adminRequest(request)) }
                #expect(fault?.code == .forbidden)
                #expect(fault?.message.contains("agent") == true)
            }
            _ = try await agent.checkIn([])
            let fault = await refusal {
                try await admin.line.ask(.checkInRequest(CheckInRequest()))
            }
            #expect(fault?.code == .forbidden)
            #expect(try await admin.agents().count == 1)
        }
    }

    @Test("an auditor reads, an operator runs rounds, and only an admin changes the fleet")
    func permissions() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 1)
            var credentials: [Role: Admin] = [.admin: admin]
            for role in [Role.operator, .auditor] {
                let folder = fleet.directory.file(role.rawValue)
                try await fleet.state.issueCredential(
                    name: "the-\(role.rawValue)", role: role, output: folder)
                credentials[role] = try await fleet.admin(folder: folder)
            }
            let reading: [AdminRequest] = [
                .planList(PlanList()), .planShow(PlanShow(plan: "tiny")), .agentList(AgentList()),
                .agentShow(AgentShow(agent: agents[0].name)), .roundList(RoundList()),
                .modelList(ModelList(plan: "tiny")),
                .modelShow(ModelShow(plan: "tiny", latest: true)), .doctorRun(DoctorRun()),
                .jobList(JobList()), .statusShow(StatusShow()),
            ]
            for request in reading {
                for person in credentials.values { _ = try await person.ask(request) }
            }
            for role in [Role.operator, .auditor] {
                for request in [
                    AdminRequest.planApply(PlanApply(text: Array(TinyPlan().text.utf8))),
                    .tokenCreate(TokenCreate(uses: 1, validSeconds: 60)),
                    .agentRevoke(AgentRevoke(agent: agents[0].name)),
                ] {
                    let fault = await refusal { _ = try await credentials[role]?.ask(request) }
                    #expect(fault?.code == .forbidden)
                    #expect(fault?.message.contains(role.rawValue) == true)
                    #expect(fault?.remedy.contains("role admin") == true)
                }
            }
            for request in [
                AdminRequest.roundStart(RoundStart(plan: "tiny", rounds: 1)),
                .roundCancel(RoundCancel(round: 1)), .jobCancel(JobCancel(job: 1)),
                .planPause(PlanPause(plan: "tiny")), .planResume(PlanResume(plan: "tiny")),
            ] {
                let fault = await refusal { _ = try await credentials[.auditor]?.ask(request) }
                #expect(fault?.code == .forbidden)
            }
            let job = try #require(try await credentials[.operator]?.start("tiny"))
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(job).state == "finished")
        }
    }

    @Test("a person's certificate counts while the registry says the same of them")
    func people() async throws {
        try await FleetUnderTest.run { fleet in
            func issue(_ role: Role, folder: String) async throws -> Admin {
                let folder = fleet.directory.file(folder)
                try await fleet.state.issueCredential(name: "kim", role: role, output: folder)
                return try await fleet.admin(folder: folder)
            }
            func refused(_ person: Admin) async -> Fault? {
                await refusal { _ = try await person.ask(.planList(PlanList())) }
            }
            let first = try await issue(.operator, folder: "first")
            _ = try await first.ask(.planList(PlanList()))
            let second = try await issue(.operator, folder: "second")
            _ = try await second.ask(.planList(PlanList()))
            #expect(await refused(first)?.message.contains("newer credential") == true)

            let third = try await issue(.auditor, folder: "third")
            #expect(await refused(second)?.message.contains("'kim' is auditor now") == true)
            _ = try await third.ask(.planList(PlanList()))
            try await fleet.state.revokeCredential(name: "kim", reason: "left")
            let fault = await refused(third)
            #expect(fault?.code == .forbidden)
            #expect(fault?.message.contains("was revoked") == true)
            #expect(fault?.remedy.contains("admin issue") == true)
        }
    }

    @Test("a person whom the registry does not know is told to get a new credential")
    func unknownPerson() async throws {
        try await FleetUnderTest.run { fleet in
            let authority = try CertificateAuthority(
                certificate: fleet.authority,
                key: try PrivateKey(pemFile: fleet.state.path + "/keys/fleet-ca.key"))
            let stranger = Admin(
                line: try await fleet.connect(
                    try certificate(
                        from: authority, Identity(fleet: "lab", role: .admin, id: "earlier"))))
            let fault = await refusal { _ = try await stranger.ask(.planList(PlanList())) }
            #expect(fault?.code == .forbidden)
            #expect(fault?.message.contains("'earlier'") == true)
            #expect(fault?.remedy.contains("admin issue") == true)
        }
    }

    @Test("a revoked agent is refused at its next message, and its round does not wait for it")
    func revocation() async throws {
        try await FleetUnderTest.run { fleet in
            // Longer than a test may take: it passes only because the round stops waiting.
            let plan = TinyPlan(reportSeconds: 600, leaseSeconds: 600)
            let (admin, agents) = try await fleet.prepare(plan, agents: 3)
            let job = try await admin.start("tiny")
            let assignment = try await agents[2].assignment()
            try await submitFromAll(Array(agents[..<2]))
            try await admin.revoke(agents[2], reason: "stolen")

            let open = await refusal {
                _ = try await agents[2].submit(assignment, try exampleUpdate(assignment))
            }
            #expect(open?.code == .forbidden)
            #expect(open?.message.contains("revoked") == true)
            let new = await refusal { _ = try await agents[2].reconnected().checkIn([]) }
            #expect(new?.code == .forbidden)
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished")
            #expect(ended.rounds.first?.reported == 2)
            let record = try await admin.agents().first { $0.agent == agents[2].name }
            #expect(record?.state == "revoked" && record?.revokedReason == "stolen")
        }
    }

    @Test("an agent that leaves is revoked, its round goes on without it, and the log says so")
    func leave() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(reportSeconds: 600, leaseSeconds: 600)
            let (admin, agents) = try await fleet.prepare(plan, agents: 3)
            let job = try await admin.start("tiny")
            _ = try await agents[2].assignment()
            try await submitFromAll(Array(agents[..<2]))
            let answer = try await agents[2].line.ask(.leaveRequest(LeaveRequest()))
            #expect(answer == .leaveAck(LeaveAck()))

            let again = await refusal {
                try await agents[2].reconnected().line.ask(.leaveRequest(LeaveRequest()))
            }
            #expect(again?.code == .forbidden)
            #expect(try await admin.watchToEnd(job).state == "finished")
            let record = try await admin.agents().first { $0.agent == agents[2].name }
            #expect(record?.state == "revoked")
            #expect(record?.revokedReason == "its owner took it out of the fleet")
            let others = try await admin.agents().filter { $0.state == "active" }
            #expect(others.count == 2)
        }
    }

    @Test("nobody but an agent leaves")
    func peopleDoNotLeave() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, _) = try await fleet.prepare(TinyPlan(), agents: 1)
            let person = await refusal {
                try await admin.line.ask(.leaveRequest(LeaveRequest()))
            }
            #expect(person?.code == .forbidden)
            let stranger = try await fleet.connect()
            let unknown = await refusal {
                try await stranger.ask(.leaveRequest(LeaveRequest()))
            }
            #expect(unknown?.code == .unauthenticated)
        }
    }

    @Test("a revoked agent that waits in a check-in is told at once")
    func revokedWhileWaiting() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 1)
            let readiness = try await agents[0].readiness("tiny")
            async let waiting = refusal {
                _ = try await agents[0].checkIn([readiness], waitSeconds: 30)
            }
            try await Task.sleep(for: .milliseconds(200))
            try await admin.revoke(agents[0])
            #expect(await waiting?.code == .forbidden)
        }
    }
}
