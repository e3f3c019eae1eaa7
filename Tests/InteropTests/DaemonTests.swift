import Foundation
import Glibc
import Testing

extension InteropTests {
    /// The agent as a service manager and a device's owner know it. Training takes some seconds, so that there is a middle.
    @Suite("The agent as a service", .fleet(.steady, rows: 300))
    struct DaemonTests {
        /// A second from the signal to the end, and as much as it takes to notice on a busy machine.
        private static let stopSeconds = 1.5

        @Test("systemd is told of readiness, of training, of signs of life and of the end")
        func notifications() async throws {
            let fleet = try ExampleFleet.current
            let agent = fleet.agent("one")
            try await fleet.process("one").stop()
            let manager = try NotifySocket(agent.directory.appending(path: "notify").path)
            let program = try RunningProgram(
                Program.daemon.located(), ["--config", agent.configuration],
                environment: ["NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000"],
                output: agent.log, errors: agent.log)
            defer { program.signal(SIGKILL) }
            try await wait(for: "readiness") { manager.messages.contains("READY=1") }
            let round = try await startRound(in: fleet)
            let before = manager.messages.count { $0 == "WATCHDOG=1" }
            try await wait(for: "signs of life from training") {
                manager.messages.count { $0 == "WATCHDOG=1" } > before + 2
            }
            #expect(
                manager.messages.contains { $0.hasPrefix("STATUS=training for round \(round).") })
            #expect(!manager.messages.contains("STOPPING=1"))
            #expect(try await program.stop() == 0)
            #expect(manager.messages.contains("STOPPING=1"))
            try await fleet.startAgent("one")
            #expect(try await fleet.end(of: round).reported == 2)
        }

        @Test(
            "SIGTERM ends it within a second while it trains, waits, retries, connects to silence")
        func terminated() async throws {
            let fleet = try ExampleFleet.current
            let round = try await startRound(in: fleet)
            #expect(try await fleet.process("one").stop(within: Self.stopSeconds) == 0)
            // Its next run goes on with the round.
            try await fleet.startAgent("one")
            #expect(try await fleet.end(of: round).reported == 2)
            #expect(try await fleet.process("one").stop(within: Self.stopSeconds) == 0)

            let silence = try SilentPort()
            for (port, sign) in [
                (try unusedPort(), "no connection"), (silence.port, "agent started"),
            ] {
                try await withElsewhere(fleet.agent("one"), port: port) { agent, program in
                    try await wait(for: sign) { try text(of: agent.log).contains(sign) }
                    #expect(try await program.stop(within: Self.stopSeconds) == 0)
                }
            }
            try await fleet.startAgent("one")
        }

        @Test(
            "a coordinator that is not there is said once, shown by status, and tried again (Flower 6250)"
        )
        func nobodyThere() async throws {
            let fleet = try ExampleFleet.current
            try await fleet.process("one").stop()
            let port = try unusedPort()
            try await withElsewhere(fleet.agent("one"), port: port) { agent, program in
                try await wait(for: "several attempts") {
                    try text(of: agent.log).split(separator: "\n").count { $0.contains("again:") }
                        > 2
                }
                let lines = try text(of: agent.log).split(separator: "\n")
                let warnings = lines.filter { $0.contains(" warning ") }
                #expect(warnings.count == 1, "\(warnings)")
                #expect(
                    warnings.first?.contains("127.0.0.1:\(port) refused the connection") == true)
                let status = try await run(.agent, "status", "--config", agent.configuration)
                #expect(status.output.contains("retrying"), "\(status)")
                #expect(status.output.contains("127.0.0.1:\(port) refused the connection"))
                #expect(program.isRunning)
                try await program.stop()
            }
            try await fleet.startAgent("one")
        }

        @Test(
            "another fleet's coordinator is named once, by log and status, and tried again (Flower PR 6299)"
        )
        func anotherFleet() async throws {
            let fleet = try ExampleFleet.current
            try await fleet.process("one").stop()
            try await ExampleFleet.withFleet([]) { other in
                let port = try #require(
                    other.address.split(separator: ":").last.flatMap { Int($0) })
                try await withElsewhere(fleet.agent("one"), port: port) { agent, program in
                    try await wait(for: "several attempts") {
                        try text(of: agent.log).split(separator: "\n")
                            .count { $0.contains("again:") } > 2
                    }
                    let warnings = try text(of: agent.log).split(separator: "\n")
                        .filter { $0.contains(" warning ") }
                    #expect(warnings.count == 1, "\(warnings)")
                    let why = "belongs to another fleet"
                    #expect(warnings.first?.contains(why) == true, "\(warnings)")
                    let status = try await run(.agent, "status", "--config", agent.configuration)
                    #expect(status.output.contains(why), "\(status)")
                    #expect(program.isRunning)
                    try await program.stop()
                }
            }
            try await fleet.startAgent("one")
        }

        @Test(
            "killed in a round that it may not go on with, it gives its place back at once and says why"
        )
        func givesBack() async throws {
            try await withRound { fleet, agent in
                try await fleet.process("one").signal(SIGKILL)
                _ = try await fleet.process("one").end(within: 10)
                try agent.add("[participation]\nmin_memory_mib = 16777216")
                try await fleet.startAgent("one")
                try await expectDecline(
                    in: fleet,
                    "the agent was interrupted and cannot go on: this device takes no work now:")
                let doctor = try await run(.agent, "doctor", "--config", agent.configuration)
                #expect(doctor.status == 1)
                #expect(
                    doctor.output.contains("FAIL memory: this device takes no work now"),
                    "\(doctor)")
                let status = try await run(.agent, "status", "--config", agent.configuration)
                #expect(status.output.contains("at least 16777216 MiB must be"), "\(status)")
            }
        }

        @Test(
            "a device that gets too busy while it trains gives its place back and says why",
            .enabled(if: Mount.isPossible, "a file can only be mounted over another by root"))
        func tooBusy() async throws {
            let load = FileManager.default.temporaryDirectory
                .appending(path: "tributary-load-\(UUID().uuidString)")
            try Data("0.10 0.10 0.10 1/100 1\n".utf8).write(to: load)
            defer { try? FileManager.default.removeItem(at: load) }
            try await withRound("[participation]\nmax_load = 1.5", load: load) { fleet, _ in
                let handle = try FileHandle(forWritingTo: load)
                try handle.write(contentsOf: Data("9.10".utf8))
                try handle.close()
                try await expectDecline(
                    in: fleet, "the load is 9.1, at most 1.5 is allowed besides training")
            }
        }

        @Test("training takes no more than its share of a processor, and stands back for others")
        func share() async throws {
            try await withRound("[limits]\ncpu_percent = 20\nnice = 7") { fleet, _ in
                let stat = URL(
                    filePath: "/proc/\(try await fleet.process("one").identifier)/stat")
                /// Fields after the name in brackets: user and system time in hundredths of a second, and niceness.
                func usage() throws -> (ticks: Int, nice: Int) {
                    let fields =
                        try text(of: stat).split(separator: ")").last?
                        .split(separator: " ").map(String.init) ?? []
                    try #require(fields.count > 16)
                    return (
                        try #require(Int(fields[11])) + (try #require(Int(fields[12]))),
                        try #require(Int(fields[16]))
                    )
                }
                let before = try usage()
                let start = ContinuousClock.now
                try await Task.sleep(for: .seconds(4))
                let seconds = (ContinuousClock.now - start) / .seconds(1)
                let after = try usage()
                let share = Double(after.ticks - before.ticks) / 100 / seconds
                // On a busy machine it gets even less.
                #expect(share < 0.3, "\(share)")
                #expect(after.ticks > before.ticks && after.nice == 7)
                // It trains still, and may be asked to end while it rests.
                #expect(try await fleet.process("one").stop(within: Self.stopSeconds) == 0)
            }
        }

        /// Runs `body` in the middle of a round of a fleet of its own.
        ///
        /// - Parameters:
        ///   - lines: what the first device's owner says.
        ///   - load: what the first device reads as its load average; nil: the machine's.
        private func withRound(
            _ lines: String = "", load: URL? = nil,
            _ body: (ExampleFleet, ExampleAgent) async throws -> Void
        ) async throws {
            try await ExampleFleet.withFleet([.steady]) { fleet in
                for name in ["one", "two"] { try await fleet.enrol(name, rows: 1_000) }
                let agent = fleet.agent("one")
                try agent.add(lines)
                var program: RunningProgram?
                if let load {
                    program = try RunningProgram(
                        URL(filePath: "/usr/bin/unshare"),
                        [
                            "-m", "sh", "-c", "mount --bind \"$0\" /proc/loadavg && exec \"$@\"",
                            load.path, Program.daemon.located().path, "--config",
                            agent.configuration,
                        ], output: agent.log, errors: agent.log)
                } else {
                    try await fleet.startAgent("one")
                }
                defer { program?.signal(SIGKILL) }
                try await fleet.startAgent("two")
                try await fleet.awaitReadiness(of: 2, plan: .steady)
                _ = try await startRound(in: fleet)
                try await body(fleet, agent)
            }
        }

        /// Waits until the first device has declined with this reason, and the coordinator knows it.
        private func expectDecline(in fleet: ExampleFleet, _ reason: String) async throws {
            let log = fleet.agent("one").log
            for (place, file) in [("device", log), ("coordinator", fleet.coordinatorLog)] {
                try await wait(for: "the \(place) tells of the decline, see \(file.path)") {
                    try text(of: file).split(separator: "\n").contains {
                        $0.contains("declined") && $0.contains(reason)
                    }
                }
            }
        }

        /// Starts the device's daemon with a coordinator at another port of loopback, and puts its own back afterwards.
        private func withElsewhere(
            _ agent: ExampleAgent, port: Int,
            _ body: (ExampleAgent, RunningProgram) async throws -> Void
        ) async throws {
            let file = URL(filePath: agent.state + "/coordinator")
            let before = try Data(contentsOf: file)
            let configuration = URL(filePath: agent.configuration)
            let lines = try text(of: configuration)
            try Data("127.0.0.1:\(port)\n".utf8).write(to: file)
            try Data(
                lines.replacing("[agent]\n", with: "[agent]\nlog_level = \"debug\"\n").utf8
            ).write(to: configuration)
            let program = try RunningProgram(
                Program.daemon.located(), ["--config", agent.configuration], output: agent.log,
                errors: agent.log)
            do { try await body(agent, program) } catch {
                program.signal(SIGKILL)
                try before.write(to: file)
                try Data(lines.utf8).write(to: configuration)
                throw error
            }
            try before.write(to: file)
            try Data(lines.utf8).write(to: configuration)
        }

        /// Starts a round and waits until both agents train for it.
        private func startRound(in fleet: ExampleFleet) async throws -> UInt64 {
            let plan = ExamplePlan.steady.name
            _ = try await fleet.administer(["round", "start", plan]) as JobAnswer
            var found: UInt64?
            try await wait(for: "a round of \(plan) is open") {
                let list: RoundsAnswer = try await fleet.administer(["round", "list", plan])
                found = list.rounds.last { !["published", "abandoned"].contains($0.phase) }?.round
                return found != nil
            }
            let round = try #require(found)
            try await fleet.trains(for: round)
            return round
        }
    }
}

extension ExampleAgent {
    /// Adds what the device's owner says.
    fileprivate func add(_ lines: String) throws {
        let file = URL(filePath: configuration)
        try Data((text(of: file) + "\n\(lines)\n").utf8).write(to: file)
    }
}

extension ExamplePlan {
    static let steady = ExamplePlan(name: "steady", format: .csv, epochs: 10_000)
}

/// Whether a process can have a file mounted over another for itself alone.
private enum Mount {
    static let isPossible = geteuid() == 0 && access("/usr/bin/unshare", X_OK) == 0
}

/// A port of loopback where connections are taken and nothing is ever said.
private final class SilentPort {
    let port: Int
    private let descriptor: Int32

    init() throws {
        port = try unusedPort()
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        address.sin_port = in_port_t(port).bigEndian
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0, listen(descriptor, 8) == 0 else {
            throw Unexpected("cannot listen: errno \(errno)")
        }
    }

    deinit { close(descriptor) }
}
