import Configuration
import CoordinatorService
import Cryptography
import Federation
import Foundation
import Registry
import Wire

/// A fleet as every world finds it: two plans whose first versions are made, and enrolled agents. It is made once.
struct Template: Sendable {
    /// Somebody with a certificate of the fleet.
    struct Member: Sendable {
        let name: String
        let certificate: Certificate
        /// Examples that it holds.
        let examples: UInt64
    }

    /// A plan whose updates are weighed by their examples.
    static let openPlan = "open"
    /// A plan with noise and a budget.
    static let privatePlan = "secret"

    let fixture: SimulatedCoordinator.Fixture
    let disk: SimulatedDisk
    let agents: [Member]
    let admin: Member
    let plans: [String: Plan]
    /// When it was made, on the wall clock.
    let unixMilliseconds: UInt64
    /// What coordinators say on standard error; one of swift-log's levels.
    let logLevel: String

    /// - Parameter directory: an empty one, which the worlds read from as long as they live.
    init(in directory: String, agents count: Int, logLevel: String) async throws {
        let state = try await Self.initialise(directory)
        fixture = try await SimulatedCoordinator.Fixture(state)
        let coordinator = SimulatedCoordinator(
            fixture, registry: fixture.registry, surroundings: Self.surroundings)
        try await coordinator.start()
        admin = Member(
            name: "admin",
            certificate: try Certificate(pemFile: state.adminFolder + "/admin.crt"), examples: 0)
        var desk = try SimulatedCoordinator.Conversation(
            with: coordinator, showing: admin.certificate, isConnected: { true })
        var plans: [String: Plan] = [:]
        for name in [Self.openPlan, Self.privatePlan] {
            let text = Array(Self.text(of: name).utf8)
            plans[name] = try PlanFile.parse(text, file: name)
            _ = try await desk.ask(.planApply(PlanApply(text: text)))
            try await desk.waitUntilReady(name)
        }
        self.plans = plans
        guard
            case .token(let issued) = try await desk.ask(
                .tokenCreate(TokenCreate(uses: UInt32(count), validSeconds: 3600)))
        else { throw Fault(.internal, "no token") }
        let token = try EnrolmentToken(parsing: issued.token)
        var agents: [Member] = []
        for index in 0..<count {
            agents.append(try await Self.enrol(in: coordinator, token, examples: 10 + index))
        }
        self.agents = agents
        await coordinator.stop()
        disk = try SimulatedDisk(copying: state.path)
        unixMilliseconds = SystemClock().unixMilliseconds
        self.logLevel = logLevel
    }

    /// The system's, but for names, which are the same every time.
    private static var surroundings: Surroundings {
        .system.with(
            RoundRandomness(
                rotationSeed: { 1 }, noise: { SeededRandom(seed: 1) },
                fleet: { SeededRandom(seed: 1) }))
    }

    private static func initialise(_ directory: String) async throws -> StateDirectory {
        let state = try await StateDirectory.initialise(
            path: directory + "/state", fleet: "lab", addresses: ["127.0.0.1"], port: 7443)
        let data = [openPlan, privatePlan].map {
            "[data.\($0)]\npublic = \"\(directory)\"\ntest = \"\(directory)\"\n"
        }
        let configuration = """
            [server]
            addresses = ["127.0.0.1"]
            [check_in]
            wait_seconds = 20
            come_back_seconds = 3
            \(data.joined())
            """
        try configuration.write(
            toFile: state.configurationFile, atomically: false, encoding: .utf8)
        try examples(48).write(
            toFile: directory + "/examples.csv", atomically: false, encoding: .utf8)
        return state
    }

    private static func enrol(
        in coordinator: SimulatedCoordinator, _ token: EnrolmentToken, examples: Int
    ) async throws -> Member {
        let key = try PrivateKey.generate(.p256)
        var stranger = try SimulatedCoordinator.Conversation(
            with: coordinator, showing: nil, isConnected: { true })
        let answer = await stranger.answer(
            .enrolRequest(
                EnrolRequest(
                    secret: token.secret, certificateRequest: try CertificateRequest.make(key: key),
                    agentVersion: "simulated", unixSeconds: SystemClock().unixSeconds)))
        guard case .enrolResponse(let response) = answer else {
            throw Fault(.internal, "not an enrolment's answer: \(String(describing: answer))")
        }
        return Member(
            name: response.agent, certificate: try Certificate(der: response.certificate),
            examples: UInt64(examples))
    }

    /// Examples that a line could separate: class c has its feature c raised.
    private static func examples(_ count: Int) -> String {
        var random = SeededRandom(seed: 1)
        var text = "a,b,c,label\n"
        for index in 0..<count {
            let features = (0..<3).map { feature in
                let noise = Double(random.next() >> 11) * 0x1p-53
                return String(noise + (feature == index % 3 ? 1.5 : 0))
            }
            text += features.joined(separator: ",") + ",\(index % 3)\n"
        }
        return text
    }

    private static func text(of name: String) -> String {
        let privacy = """
            [privacy]
            noise_multiplier = 0.05
            delta = 1e-3
            sampling = "everyone"
            agents = 3
            """
        return """
            [plan]
            name = "\(name)"
            title = "A plan of the simulated world"
            population = "\(name)"
            [data]
            format = "csv"
            file = "examples.csv"
            label_column = "label"
            features = 3
            classes = 3
            [[model.layers]]
            units = 4
            [[model.layers]]
            units = 3
            [training]
            batch_size = 8
            learning_rate = 0.05
            [teacher]
            hidden = [4]
            epochs = 2
            batch_size = 8
            learning_rate = 0.05
            [distillation]
            alpha = 0.5
            epochs = 2
            batch_size = 8
            learning_rate = 0.05
            [round]
            agents = 3
            minimum = \(name == privatePlan ? 0 : 2)
            selection_seconds = 8
            report_seconds = 20
            lease_seconds = 12
            max_examples = 1000
            [clipping]
            norm = 1
            [server]
            [sealing]
            max_accuracy_drop = 1
            \(name == privatePlan ? privacy : "[retention]\nversions = 2")

            """
    }
}

extension SimulatedCoordinator.Conversation {
    /// What an admin is told.
    fileprivate mutating func ask(_ request: AdminRequest) async throws -> AdminResponse {
        switch await answer(.adminRequest(request)) {
        case .adminResponse(let response): return response
        case .failure(let failure): throw Fault(failure)
        case let other:
            throw Fault(.internal, "not an admin's answer: \(String(describing: other))")
        }
    }

    fileprivate mutating func waitUntilReady(_ plan: String) async throws {
        var revision: UInt64 = 0
        while true {
            let show = PlanShow(plan: plan, afterRevision: revision, waitSeconds: 10)
            guard case .plan(let record) = try await ask(.planShow(show)) else { continue }
            if record.state == "ready" { return }
            guard record.state == "preparing" else { throw Fault(.conflict, record.detail) }
            revision = record.revision
        }
    }
}
