import Foundation
import Testing

/// The real coordinator and agent machines in worlds full of faults: lost, late, doubled and cut messages, partitions,
/// kills at any instant, disks that fail, clocks that jump, devices that leave, and agents that keep to no protocol.
///
/// `TRIBUTARY_FAULT_SEEDS=A-B` names other worlds than the usual.
@Suite("A fleet among faults") struct FaultTests {
    private static let seeds =
        ProcessInfo.processInfo.environment["TRIBUTARY_FAULT_SEEDS"] ?? "1-2000"

    @Test(
        """
        loses no round, no update and no budget, whoever is killed and whatever is lost: a server that dies \
        (NVFLARE 242, Flower 599, OpenFL 1367), a flaky network (Flower 766, OpenFL 455), an offline node \
        (Flower PR 4968)
        """)
    func keepsGoing() async throws {
        let finished = try await SimulatedWorlds.run([Self.seeds, "--workers", "2"])
        #expect(finished.status == 0, "\(finished.output)")
        let ends = Self.seeds.split(separator: "-").compactMap { Int($0) }
        let count = try #require(ends.last) - (try #require(ends.first)) + 1
        #expect(finished.lastLine == "\(count) passed, 0 failed")
    }

    @Test("is found out when it counts an update twice, and each find says how to see it again")
    func plantedBug() async throws {
        let finished = try await SimulatedWorlds.run(["1-40", "--workers", "2", "--planted-bug"])
        #expect(finished.status == 1)
        let finds = finished.output.split(separator: "\n").filter { $0.contains("is not the sum") }
        #expect(!finds.isEmpty, "\(finished.output)")
        for find in finds {
            let seed = find.split(separator: " ")[1]
            #expect(find.hasPrefix("seed \(seed) failed: "))
            #expect(find.hasSuffix("replay: make faults SEEDS=\(seed)-\(seed)"))
        }
    }

    @Test("is the same world each time that its seed is run", arguments: [3, 17, 58])
    func replay(seed: Int) async throws {
        let first = try await SimulatedWorlds.run(["\(seed)-\(seed)", "--journal"])
        let second = try await SimulatedWorlds.run(["\(seed)-\(seed)", "--journal"])
        #expect(first.status == 0 && first.output.contains("\ntrace "))
        #expect(first.output == second.output)
    }

    @Test(
        "is not simulated when the seeds make no sense",
        arguments: ["", "2-1", "a-b", "1-2-3", "-5", "1-99999999999999999999"])
    func senseless(seeds: String) async throws {
        let finished = try await SimulatedWorlds.run([seeds])
        #expect(finished.status == 2)
        #expect(finished.output.contains("names no seeds") && finished.output.contains("1-2000"))
    }
}
