import Foundation
import Glibc

/// A coordinator and its agents: processes of their own on loopback, with all they keep below one directory.
actor ExampleFleet {
    let directory: URL
    let plans: [ExamplePlan]
    /// How long a device's certificate is valid; nil: as long as it is by default.
    let deviceDays: Double?
    /// How long the coordinator holds a check-in; nil: as long as it does by default.
    let waitSeconds: Int?
    private var processes: [String: RunningProgram] = [:]
    private static let coordinator = "coordinator"

    /// - Parameter directory: made when missing.
    init(
        in directory: URL, plans: [ExamplePlan], deviceDays: Double? = nil, waitSeconds: Int? = nil
    ) {
        self.directory = directory
        self.plans = plans
        self.deviceDays = deviceDays
        self.waitSeconds = waitSeconds
    }

    // MARK: Places

    nonisolated var coordinatorDirectory: URL { directory.appending(path: Self.coordinator) }
    nonisolated var coordinatorLog: URL { directory.appending(path: "coordinator.log") }
    nonisolated var registry: String { coordinatorDirectory.path + "/registry.sqlite" }

    /// The coordinator's address, `host:port`.
    nonisolated var address: String {
        get throws {
            try text(of: coordinatorDirectory.appending(path: "admin/address"))
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    nonisolated func testData(of plan: ExamplePlan) -> URL {
        directory.appending(path: "data/\(plan.name)/test")
    }

    /// A device's directory, whether or not it has enrolled.
    nonisolated func agent(_ name: String) -> ExampleAgent {
        ExampleAgent(directory: directory.appending(path: "agents/\(name)"))
    }

    // MARK: The coordinator

    /// Makes the fleet and its data, serves, applies the plans.
    func start() async throws {
        for plan in plans {
            for (seed, part) in ["public", "test"].enumerated() {
                try plan.writeRows(
                    200, seed: UInt64(seed),
                    to: directory.appending(path: "data/\(plan.name)/\(part)"))
            }
        }
        try await initialise(port: unusedPort())
        try await serve()
        for plan in plans {
            let file = directory.appending(path: "\(plan.name).toml")
            try Data(plan.toml.utf8).write(to: file)
            _ = try await administer(["plan", "apply", file.path]) as PlanAnswer
        }
    }

    /// `init`, and a configuration that names the plans' data and lets agents come back soon.
    func initialise(port: Int) async throws {
        _ = try await run(
            .coordinator, "init", "--dir", coordinatorDirectory.path, "--address", "127.0.0.1",
            "--port", "\(port)", "--http-port", "0", "--dashboard-port", "0", "--fleet", "example"
        ).succeeded()
        var lines = "\n[check_in]\ncome_back_seconds = 1\n"
        if let waitSeconds { lines += "wait_seconds = \(waitSeconds)\n" }
        if let deviceDays { lines += "\n[certificates]\ndevice_days = \(deviceDays)\n" }
        for plan in plans {
            lines += "\n[data.\(plan.name)]\n"
            lines += "public = \"../data/\(plan.name)/public\"\n"
            lines += "test = \"../data/\(plan.name)/test\"\n"
        }
        let file = coordinatorDirectory.appending(path: "coordinator.toml")
        try Data((text(of: file) + lines).utf8).write(to: file)
    }

    /// Starts the coordinator unless it runs, and waits until it listens.
    func serve() async throws {
        if processes[Self.coordinator]?.isRunning == true { return }
        let program = try RunningProgram(
            Program.coordinator.located(), ["serve", "--dir", coordinatorDirectory.path],
            output: coordinatorLog, errors: coordinatorLog)
        processes[Self.coordinator] = program
        let log = coordinatorLog
        try await wait(for: "the coordinator listens, see \(log.path)") {
            guard program.isRunning else {
                throw Unexpected("the coordinator ended: \(try text(of: log))")
            }
            return try text(of: log).contains("listening on")
        }
    }

    /// Runs an administration command and reads its answer.
    nonisolated func administer<Answer: Decodable>(_ words: [String]) async throws -> Answer {
        let finished = try await attempt(words).succeeded()
        return try decoded(finished.output)
    }

    /// Runs an administration command that may fail.
    nonisolated func attempt(_ words: [String]) async throws -> Finished {
        try await run(
            Program.coordinator.located(), words + ["--dir", coordinatorDirectory.path, "--json"])
    }

    /// Whether the coordinator that was started is the one that answers.
    func isServing() async throws -> Bool {
        guard try process().isRunning else { return false }
        return try await attempt(["plan", "list"]).status == 0
    }

    // MARK: Agents

    func newToken() async throws -> String {
        (try await administer(["agent", "token"]) as TokenAnswer).token
    }

    /// Enrols a device that holds data for these plans, or for every plan.
    @discardableResult
    func enrol(
        _ name: String, for some: [ExamplePlan]? = nil, rows: Int = 100,
        localNoiseFloor: Double = 0
    ) async throws -> ExampleAgent {
        let agent = agent(name)
        let followed = some ?? plans
        for (index, plan) in followed.enumerated() {
            try plan.writeRows(
                rows, seed: UInt64(name.utf8.reduce(index) { $0 * 31 + Int($1) }),
                to: agent.data(of: plan))
        }
        try agent.writeConfiguration(plans: followed, localNoiseFloor: localNoiseFloor)
        _ = try await run(
            .agent, "enroll", "--config", agent.configuration, "--token", try await newToken()
        ).succeeded()
        return agent
    }

    /// Starts an enrolled device's daemon unless it runs.
    func startAgent(_ name: String) throws {
        if processes[name]?.isRunning == true { return }
        let agent = agent(name)
        processes[name] = try RunningProgram(
            Program.daemon.located(), ["--config", agent.configuration], output: agent.log,
            errors: agent.log)
    }

    /// Waits until this many devices have told the coordinator of examples for a plan.
    nonisolated func awaitReadiness(of count: Int, plan: ExamplePlan) async throws {
        try await wait(for: "\(count) agents are ready for \(plan.name)") {
            let answer: AgentsAnswer = try await self.administer(["agent", "list"])
            return answer.agents.count { agent in
                agent.plans.contains { $0.plan == plan.name && $0.examples > 0 }
            } >= count
        }
    }

    // MARK: Processes

    /// The coordinator, or the daemon of the device with this name.
    func process(_ name: String = coordinator) throws -> RunningProgram {
        guard let process = processes[name] else { throw Unexpected("\(name) was never started") }
        return process
    }

    /// Ends every process, the agents first.
    ///
    /// - Throws: `Unexpected` when one had to be killed, or did not end with exit status 0.
    func stop() async throws {
        let running = processes.filter(\.value.isRunning)
        let agents = running.keys.filter { $0 != Self.coordinator }.sorted()
        for name in agents { running[name]?.signal(SIGTERM) }
        var unruly: [String] = []
        for name in agents + [Self.coordinator] {
            guard let process = running[name] else { continue }
            let status = try? await process.stop()
            if status != 0 { unruly.append("\(name): \(status.map { "exit \($0)" } ?? "killed")") }
        }
        processes = [:]
        guard unruly.isEmpty else {
            throw Unexpected("not ended in order on SIGTERM: \(unruly.joined(separator: ", "))")
        }
    }
}

/// A device's files.
struct ExampleAgent: Sendable {
    let directory: URL

    var configuration: String { directory.path + "/agent.toml" }
    var state: String { directory.path + "/state" }
    var certificate: String { state + "/agent.crt" }
    var key: String { state + "/agent.key" }
    var log: URL { directory.appending(path: "agentd.log") }

    func data(of plan: ExamplePlan) -> URL { directory.appending(path: "data/\(plan.name)") }

    func writeConfiguration(
        plans: [ExamplePlan], state: String = "state", localNoiseFloor: Double = 0
    ) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var lines = "[agent]\nstate_directory = \"\(state)\"\n"
        lines += "[privacy]\nlocal_noise_floor = \(localNoiseFloor)\n"
        for plan in plans {
            lines += "\n[data.\(plan.name)]\ndirectory = \"data/\(plan.name)\"\n"
        }
        try Data(lines.utf8).write(to: URL(filePath: configuration))
    }
}

/// A TCP port of loopback that nothing listens on now.
func unusedPort() throws -> Int {
    let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard probe >= 0 else { throw Unexpected("no socket: errno \(errno)") }
    defer { close(probe) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            bind(probe, generic, length) == 0 && getsockname(probe, generic, &length) == 0
        }
    }
    guard bound else { throw Unexpected("no unused port: errno \(errno)") }
    return Int(UInt16(bigEndian: address.sin_port))
}
