import Cryptography
import Federation
import Foundation
import FoundationNetworking
import NIOSSL
import Synchronization

/// A coordinator of this run's own: the real program, in a directory that stays from one run to the next.
final class CoordinatorProcess: Sendable {
    /// Connections and handshakes that the coordinator is told to allow.
    static let handshakesPerSecond = 500

    private let program: String
    private let directory: URL
    private let process = Mutex<Process?>(nil)
    /// Where it serves its metrics.
    private let metrics = Mutex("")

    var state: String { directory.appending(path: "coordinator").path }

    init(program: String, directory: URL) {
        self.program = program
        self.directory = directory
    }

    // MARK: Its directory

    /// Makes the fleet unless it is there already.
    func initialise(_ plans: [LoadPlan]) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        if !FileManager.default.fileExists(atPath: state) {
            try run([
                "init", "--dir", state, "--address", "127.0.0.1", "--port", "\(try unusedPort())",
                "--http-port", "0", "--dashboard-port", "0", "--fleet", "load",
            ])
        }
        let dashboard = try unusedPort()
        metrics.withLock { $0 = "http://127.0.0.1:\(dashboard)/metrics" }
        var lines = """
            [dashboard]
            port = \(dashboard)
            [server]
            listen = "127.0.0.1"
            port = \(try Self.port(of: state))
            addresses = ["127.0.0.1"]
            [log]
            level = "warning"
            [check_in]
            wait_seconds = 60
            come_back_seconds = 20
            [limits]
            connections = 12000
            connections_per_address = 12000
            handshakes_per_second = \(Self.handshakesPerSecond)
            handshakes_per_second_per_address = \(Self.handshakesPerSecond)

            """
        for plan in plans {
            for (part, seed) in [("public", UInt64(1)), ("test", 2)] {
                try plan.writeRows(
                    64, seed: seed, to: directory.appending(path: "data/\(plan.name)/\(part)"))
            }
            lines += "[data.\(plan.name)]\n"
            lines += "public = \"../data/\(plan.name)/public\"\n"
            lines += "test = \"../data/\(plan.name)/test\"\n"
        }
        try Data(lines.utf8).write(to: URL(filePath: state + "/coordinator.toml"))
    }

    /// Seconds that a scrape of the metrics takes, with the bytes that come.
    func scrape() throws -> (seconds: Double, bytes: Int) {
        guard let address = URL(string: metrics.withLock { $0 }) else {
            throw Fault(.internal, "there is no address to scrape")
        }
        let start = ContinuousClock.now
        let bytes = try Data(contentsOf: address).count
        return (Double((ContinuousClock.now - start) / .microseconds(1)) / 1e6, bytes)
    }

    /// The port that was chosen when the fleet was made.
    private static func port(of state: String) throws -> UInt16 {
        let line = try String(contentsOfFile: state + "/admin/address", encoding: .utf8)
        return try NetworkAddress(parsing: line.filter { !$0.isWhitespace }).port
    }

    var address: NetworkAddress {
        get throws { NetworkAddress(host: "127.0.0.1", port: try Self.port(of: state)) }
    }

    var authorities: [NIOSSLCertificate] {
        get throws { try NIOSSLCertificate.fromPEMFile(state + "/admin/fleet-ca.crt") }
    }

    var identities: URL { directory.appending(path: "identities.plist") }

    // MARK: The process

    /// Starts it and waits until it answers.
    func serve() async throws {
        let log = directory.appending(path: "coordinator.log")
        FileManager.default.createFile(atPath: log.path, contents: nil)
        let child = Process()
        child.executableURL = URL(filePath: program)
        child.arguments = ["serve", "--dir", state]
        let output = try FileHandle(forWritingTo: log)
        try output.seekToEnd()
        child.standardOutput = output
        child.standardError = output
        try child.run()
        process.withLock { $0 = child }
        while true {
            guard child.isRunning else {
                throw Fault(.unavailable, "the coordinator ended, see \(log.path)")
            }
            if String(decoding: try Data(contentsOf: log), as: UTF8.self)
                .contains("listening on")
            {
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    func stop() {
        guard let child = process.withLock({ $0.take() }), child.isRunning else { return }
        child.terminate()
        child.waitUntilExit()
    }

    /// As a power cut would.
    func kill() {
        guard let child = process.withLock({ $0.take() }), child.isRunning else { return }
        Foundation.kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
    }

    /// Resident memory in MiB: now, and the most so far.
    var memory: (now: Double, peak: Double) {
        get throws {
            guard let child = process.withLock({ $0 }) else { return (0, 0) }
            let status = try String(
                contentsOfFile: "/proc/\(child.processIdentifier)/status", encoding: .utf8)
            func value(_ key: String) -> Double {
                let line = status.split(separator: "\n").first { $0.hasPrefix(key) }
                let digits = line?.filter(\.isNumber) ?? ""
                return (Double(digits) ?? 0) / 1024
            }
            return (value("VmRSS:"), value("VmHWM:"))
        }
    }

    /// Processor time so far, of all threads.
    var processorSeconds: Double {
        get throws {
            guard let child = process.withLock({ $0 }) else { return 0 }
            let line = try String(
                contentsOfFile: "/proc/\(child.processIdentifier)/stat", encoding: .utf8)
            // User and system time are fields 14 and 15; the program's name, in parentheses, is field 2.
            let fields = line.split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 12 else { return 0 }
            return fields[11...12].reduce(0) { $0 + (Double($1) ?? 0) }
                / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
    }

    // MARK: Administration

    /// Runs an administration command and returns its JSON, and how long it took, start of the program included.
    @discardableResult
    func administer(_ words: [String]) throws -> (answer: [String: Any], seconds: Double) {
        let start = ContinuousClock.now
        let output = try run(words + ["--dir", state, "--json"])
        let seconds = Double((ContinuousClock.now - start) / .microseconds(1)) / 1e6
        return (try JSONSerialization.jsonObject(with: output) as? [String: Any] ?? [:], seconds)
    }

    /// Runs the program and returns what it prints.
    ///
    /// Not with Foundation's `Process`, which looks at every open file first and reads past the end of some thousands of them.
    @discardableResult
    private func run(_ words: [String]) throws -> Data {
        let pipe = Pipe()
        let output = pipe.fileHandleForWriting.fileDescriptor
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        for end in [output, pipe.fileHandleForReading.fileDescriptor] {
            posix_spawn_file_actions_addclose(&actions, end)
        }
        var arguments = ([program] + words).map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        guard posix_spawn(&child, program, &actions, nil, &arguments, environ) == 0 else {
            throw Fault(.internal, "cannot run \(program)")
        }
        try pipe.fileHandleForWriting.close()
        let printed = pipe.fileHandleForReading.readDataToEndOfFile()
        var status: CInt = 0
        while waitpid(child, &status, 0) == -1, errno == EINTR {}
        guard status == 0 else {
            throw Fault(.internal, "\(words.joined(separator: " ")) failed")
        }
        return printed
    }

    /// A round as `round list` tells it.
    struct Round {
        let number: Int
        let phase: String

        var isOver: Bool { phase == "published" || phase == "abandoned" }
    }

    /// The rounds of a plan, or of all.
    func rounds(of plan: LoadPlan?) throws -> [Round] {
        let answer = try administer(["round", "list"] + (plan.map { [$0.name] } ?? [])).answer
        let items = answer["rounds"] as? [[String: Any]] ?? []
        return items.compactMap { item in
            guard let number = item["round"] as? Int, let phase = item["phase"] as? String else {
                return nil
            }
            return Round(number: number, phase: phase)
        }
    }

    /// Applies a plan and waits until its first model is there.
    func apply(_ plan: LoadPlan) async throws {
        let file = directory.appending(path: "\(plan.name).toml")
        try Data(plan.toml.utf8).write(to: file)
        try administer(["plan", "apply", file.path])
        while true {
            let answer = try administer(["plan", "show", plan.name]).answer
            switch answer["state"] as? String {
            case "ready": return
            case "failed": throw Fault(.invalid, "plan \(plan.name) failed: \(answer)")
            default: try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    func token(uses: Int) throws -> EnrolmentToken {
        let answer = try administer(["agent", "token", "--uses", "\(uses)"]).answer
        return try EnrolmentToken(parsing: answer["token"] as? String ?? "")
    }
}

/// A TCP port of loopback that nothing listens on now.
private func unusedPort() throws -> Int {
    let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(probe) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            bind(probe, generic, length) == 0 && getsockname(probe, generic, &length) == 0
        }
    }
    guard bound else { throw Fault(.unavailable, "there is no unused port") }
    return Int(UInt16(bigEndian: address.sin_port))
}
