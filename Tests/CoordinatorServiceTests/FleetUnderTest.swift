import CoordinatorService
import Cryptography
import Federation
import Foundation
import Provenance
import Registry
import Wire

/// A coordinator in this process, listening on a loopback port, with a state directory of its own.
struct FleetUnderTest {
    let directory: TemporaryDirectory
    let state: StateDirectory
    let authority: Certificate
    let address: NetworkAddress
    private let serving: Task<Void, any Error>

    /// Makes a fleet in a new directory and serves it while `body` runs.
    ///
    /// - Parameters:
    ///   - plans: the plans for which coordinator.toml names data.
    ///   - limits: lines of its `[limits]`.
    static func run<Result>(
        plans: [String] = ["tiny"], limits: String = "",
        _ body: (FleetUnderTest) async throws -> Result
    ) async throws -> Result {
        try await inTurn { directory in
            try await initialise(directory, plans: plans, limits: limits)
            return try await serve(directory, body)
        }
    }

    /// Runs `body` with a new directory when it is its turn: a few coordinators at a time, so that none starves.
    static func inTurn<Result>(
        _ body: (TemporaryDirectory) async throws -> Result
    ) async throws -> Result {
        await Turnstile.shared.enter()
        do {
            let result = try await body(try TemporaryDirectory())
            await Turnstile.shared.leave()
            return result
        } catch {
            await Turnstile.shared.leave()
            throw error
        }
    }

    /// Makes the state directory, its configuration and the coordinator's own examples.
    static func initialise(
        _ directory: TemporaryDirectory, plans: [String] = ["tiny"], deviceDays: Double = 90,
        minFreeMiB: Int = 0, limits: String = ""
    ) async throws {
        let state = try await StateDirectory.initialise(
            path: directory.file("state"), fleet: "lab", addresses: ["127.0.0.1"], port: 7443)
        let data = plans.map {
            """
            [data.\($0)]
            public = "\(directory.file("public"))"
            test = "\(directory.file("test"))"
            """
        }
        let configuration = """
            [server]
            listen = "127.0.0.1"
            port = 0
            addresses = ["127.0.0.1"]
            [log]
            level = "critical"
            [check_in]
            wait_seconds = 30
            come_back_seconds = 1
            [certificates]
            device_days = \(deviceDays)
            [limits]
            \(limits)
            [storage]
            min_free_mib = \(minFreeMiB)
            \(data.joined(separator: "\n"))

            """
        try configuration.write(
            toFile: state.configurationFile, atomically: false, encoding: .utf8)
        try directory.write("public/examples.csv", TinyPlan.examples(96, seed: 1))
        try directory.write("test/examples.csv", TinyPlan.examples(60, seed: 2))
    }

    /// Serves a directory that `initialise` made while `body` runs, and returns when the daemon has stopped.
    static func serve<Result>(
        _ directory: TemporaryDirectory, randomness: RoundRandomness = .system,
        dashboard: Coordinator.DashboardMaker? = nil,
        _ body: (FleetUnderTest) async throws -> Result
    ) async throws -> Result {
        let fleet = try await FleetUnderTest(
            directory, randomness: randomness, dashboard: dashboard)
        do {
            let result = try await body(fleet)
            await fleet.stop()
            return result
        } catch {
            await fleet.stop()
            throw error
        }
    }

    private init(
        _ directory: TemporaryDirectory, randomness: RoundRandomness,
        dashboard: Coordinator.DashboardMaker?
    ) async throws {
        self.directory = directory
        let state = try StateDirectory(path: directory.file("state"))
        let (addresses, announce) = AsyncStream.makeStream(of: String.self)
        let serving = Task {
            defer { announce.finish() }
            try await Coordinator.serve(
                directory: state.path, randomness: randomness, dashboard: dashboard
            ) {
                announce.yield($0)
            }
        }
        var addressIterator = addresses.makeAsyncIterator()
        guard let address = await addressIterator.next() else {
            // It ended before it listened, and says why here.
            try await serving.value
            throw Fault(.internal, "the coordinator ended without a reason")
        }
        self.state = state
        self.serving = serving
        self.address = try NetworkAddress(parsing: address)
        authority = try Certificate(pemFile: state.path + "/certificates/fleet-ca.crt")
    }

    /// A second hand on the registry of the running coordinator.
    func registry() throws(Fault) -> Registry { try state.registry() }

    /// The newest checkpoint of this coordinator's log.
    func checkpoint() async throws -> SignedCheckpoint { try await registry().checkpoint() }

    /// Serves the same directory anew while `body` runs; this coordinator has stopped by then for good.
    ///
    /// - Parameter work: what happens while nobody serves it.
    func restarted(
        after work: () async throws -> Void = {}, _ body: (FleetUnderTest) async throws -> Void
    ) async throws {
        await stop()
        try await work()
        try await Self.serve(directory, body)
    }

    private func stop() async {
        serving.cancel()
        _ = await serving.result
    }

    /// Opens a connection to this coordinator.
    func connect(_ identity: (Certificate, PrivateKey)? = nil) async throws -> Line {
        try await Line.connect(to: address, authority: authority, identity: identity)
    }

    /// Connects with the credential in `folder`, the first admin's unless named.
    func admin(folder: String? = nil) async throws -> Admin {
        let folder = folder ?? state.adminFolder
        return Admin(
            line: try await connect(
                (
                    try Certificate(pemFile: folder + "/admin.crt"),
                    try PrivateKey(pemFile: folder + "/admin.key")
                )))
    }

    /// A fleet where `plan` is ready and `agents` agents follow it.
    func prepare(
        _ plan: TinyPlan, agents: Int
    ) async throws -> (admin: Admin, agents: [ScriptedAgent]) {
        let admin = try await admin()
        try await admin.apply(plan.text)
        let ready = try await admin.waitUntilPrepared(plan.name)
        guard ready.state == "ready" else { throw Fault(.conflict, ready.detail) }
        var enrolled: [ScriptedAgent] = []
        for _ in 0..<agents {
            let agent = try await ScriptedAgent.enrol(in: self, token: try await admin.token())
            try await agent.follow(plan.name)
            enrolled.append(agent)
        }
        return (admin, enrolled)
    }
}

extension StateDirectory {
    /// The registry of the fleet `lab`, besides the daemon.
    func registry() throws(Fault) -> Registry {
        try Registry.open(directory: path, log: try logSigner(), nowUnix: 1)
    }

    /// What signs the log of the fleet `lab`.
    func logSigner() throws(Fault) -> LogSigner {
        try LogSigner(name: "tributary/lab", key: PrivateKey(pemFile: path + "/keys/log.key"))
    }
}

/// Lets a few through at a time.
private actor Turnstile {
    static let shared = Turnstile(places: 4)

    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) { self.places = places }

    func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { places += 1 } else { waiting.removeFirst().resume() }
    }
}
