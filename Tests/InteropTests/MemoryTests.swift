import Foundation
import Testing

extension InteropTests {
    @Suite("The daemon's memory")
    struct MemoryTests {
        /// What the peak may be, in KiB.
        private static let limit = 24 * 1_024

        /// A plan of more than 300,000 parameters, and the rows of a step.
        private static func plan(lowMemory: Bool, batchSize: Int) -> ExamplePlan {
            var plan = ExamplePlan(name: lowMemory ? "spare" : "latent", format: .idx, agents: 1)
            plan.side = 28
            plan.hidden = [360, 64]
            plan.training = "batch_size = \(batchSize)\nlow_memory = \(lowMemory)"
            return plan
        }

        @Test(
            "its peak is at most 24 MiB while it trains a model of more than 300,000 parameters",
            arguments: [(false, 32), (true, 64)])
        func peak(lowMemory: Bool, batchSize: Int) async throws {
            let plan = Self.plan(lowMemory: lowMemory, batchSize: batchSize)
            try await ExampleFleet.withFleet([plan]) { fleet in
                let agent = try await fleet.enrol("one", rows: 1_000)
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                let daemon = try await fleet.process("one")
                let idle = try residentKibibytes(of: daemon, at: "VmRSS")
                _ =
                    try await fleet.administer(["round", "start", plan.name, "--rounds", "2"])
                    as JobAnswer
                try await wait(for: "two rounds with updates, see \(agent.log.path)") {
                    let list: RoundsAnswer = try await fleet.administer(
                        ["round", "list", plan.name])
                    return list.rounds.count { $0.published && $0.reported == 1 } == 2
                }
                let peak = try residentKibibytes(of: daemon, at: "VmHWM")
                #expect(
                    peak <= Self.limit, "\(peak) KiB, of which \(idle) before the first round")
            }
        }

        /// What the kernel says of a process's resident memory.
        private func residentKibibytes(
            of program: RunningProgram, at name: String
        ) throws -> Int {
            let status = try text(of: URL(filePath: "/proc/\(program.identifier)/status"))
            let line = try #require(
                status.split(separator: "\n").first { $0.hasPrefix("\(name):") })
            return try #require(
                Int(line.dropFirst(name.count + 1).filter { $0.isNumber }))
        }
    }
}
