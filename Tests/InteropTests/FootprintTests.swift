import Foundation
import Testing

extension InteropTests {
    /// What the daemon takes of a device, whatever it does.
    @Suite("The daemon's footprint")
    struct FootprintTests {
        /// What its program may be without names and debugging information, in bytes.
        private static let programLimit = 10 << 20
        /// What it may have resident at most while it trains, and while it waits, in KiB.
        private static let trainingLimit = 24 << 10
        private static let idleLimit = 14 << 10

        /// A plan of more than 300,000 parameters, and the rows of a step.
        private static func plan(lowMemory: Bool, batchSize: Int) -> ExamplePlan {
            var plan = ExamplePlan(name: lowMemory ? "spare" : "latent", format: .idx, agents: 1)
            plan.side = 28
            plan.hidden = [360, 64]
            plan.training = "batch_size = \(batchSize)\nlow_memory = \(lowMemory)"
            return plan
        }

        @Test(
            "at most 24 MiB resident while it trains more than 300,000 parameters, 14 before and after",
            arguments: [(false, 32), (false, 64), (true, 64)])
        func memory(lowMemory: Bool, batchSize: Int) async throws {
            let plan = Self.plan(lowMemory: lowMemory, batchSize: batchSize)
            try await ExampleFleet.withFleet([plan]) { fleet in
                let agent = try await fleet.enrol("one", rows: 1_000)
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                let daemon = try await fleet.process("one")
                try await expectIdle(daemon)
                _ =
                    try await fleet.administer(["round", "start", plan.name, "--rounds", "2"])
                    as JobAnswer
                try await wait(for: "two rounds with updates, see \(agent.log.path)") {
                    let list: RoundsAnswer = try await fleet.administer(
                        ["round", "list", plan.name])
                    return list.rounds.count { $0.published && $0.reported == 1 } == 2
                }
                try await expectIdle(daemon)
                let peak = try value(of: "VmHWM", for: daemon)
                #expect(peak <= Self.trainingLimit, "\(peak) KiB")
            }
        }

        /// It gives memory back when it begins to wait, which is soon.
        private func expectIdle(_ daemon: RunningProgram) async throws {
            try await wait(for: "at most \(Self.idleLimit) KiB resident", seconds: 10) {
                try value(of: "VmRSS", for: daemon) <= Self.idleLimit
            }
            // What its device does meanwhile must not count as the agent's; what it does itself would show.
            try await Task.sleep(for: .seconds(1))
            let resident = try value(of: "VmRSS", for: daemon)
            #expect(resident <= Self.idleLimit, "\(resident) KiB")
        }

        @Test("one thread, which sleeps until there is something to do")
        func wakeUps() async throws {
            try await ExampleFleet.withFleet([.beads], waitSeconds: 60) { fleet in
                try await fleet.enrol("one")
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: .beads)
                let daemon = try await fleet.process("one")
                try await expectIdle(daemon)
                let before = try value(of: "voluntary_ctxt_switches", for: daemon)
                try await Task.sleep(for: .seconds(3))
                // A sign of life may fall into them, of which there are two a minute, and the giving back of memory.
                let after = try value(of: "voluntary_ctxt_switches", for: daemon)
                #expect(after - before <= 2, "\(after - before) times in three seconds")
                #expect(try value(of: "Threads", for: daemon) == 1)
            }
        }

        @Test("its program is at most 10 MiB when it is stripped")
        func size() async throws {
            try await withTemporaryDirectory { directory in
                let stripped = directory.appending(path: "stripped")
                _ = try await run(
                    URL(filePath: "/usr/bin/strip"),
                    ["-s", "-o", stripped.path, Program.daemon.located().path]
                ).succeeded()
                let size = try #require(
                    stripped.resourceValues(forKeys: [.fileSizeKey]).fileSize)
                #expect(size <= Self.programLimit, "\(size) bytes")
            }
        }

        /// What the kernel says of a process: KiB where it is memory.
        private func value(of name: String, for program: RunningProgram) throws -> Int {
            let status = try text(of: URL(filePath: "/proc/\(program.identifier)/status"))
            let line = try #require(
                status.split(separator: "\n").first { $0.hasPrefix("\(name):") })
            return try #require(Int(line.dropFirst(name.count + 1).filter(\.isNumber)))
        }
    }
}
