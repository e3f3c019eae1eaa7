import Foundation
import Glibc
import Testing

extension InteropTests {
    /// A model of more than a megabyte, over a line that stands still half-way.
    @Suite("Transfers that are cut short")
    struct ResumedTransferTests {
        private static let plan: ExamplePlan = {
            var plan = ExamplePlan(name: "wide", format: .idx, agents: 1)
            plan.side = 28
            plan.hidden = [1_000, 500]
            return plan
        }()
        private static let half = 600_000
        /// More than any of it.
        private static let everything = 1 << 30
        /// What handshakes, check-ins and records add to the bytes themselves.
        private static let overhead = 150_000

        @Test(
            "an agent killed in the middle of a download, then of an upload, goes on where each one stopped (Flower 766)"
        )
        func resumes() async throws {
            try await ExampleFleet.withFleet([Self.plan]) { fleet in
                let agent = try await fleet.enrol("one")
                let down = try await over(fleet, up: Self.everything, down: Self.half) { line in
                    try await fleet.startAgent("one")
                    try await wait(for: "the download stands still, see \(agent.log.path)") {
                        try line().stands
                    }
                    try await kill(in: fleet)
                }
                let part = try size(of: "\(agent.state)/blobs") { $0.hasSuffix(".part") }
                #expect(part > Self.half / 2 && down.down <= Self.half)

                let up = try await over(fleet, up: Self.half, down: Self.everything) { line in
                    try await fleet.startAgent("one")
                    let held = "\(agent.state)/models/\(Self.plan.name)"
                    try await wait(for: "the model is held, see \(agent.log.path)") {
                        (try? size(of: held) { $0 == "model.onnx" }) ?? 0 > 0
                    }
                    let whole = try size(of: held) { $0 == "model.onnx" }
                    #expect(try line().down < whole - part + Self.overhead)
                    _ =
                        try await fleet.administer(["round", "start", Self.plan.name]) as JobAnswer
                    try await wait(for: "the upload stands still, see \(agent.log.path)") {
                        try line().stands
                    }
                    try await kill(in: fleet)
                }
                let update = try size(of: "\(agent.state)/update") { !$0.hasSuffix(".header") }
                #expect(update > 1_000_000 && up.up <= Self.half)

                let rest = try await over(fleet, up: Self.everything, down: Self.everything) { _ in
                    try await fleet.startAgent("one")
                    try await wait(for: "the round's update, see \(agent.log.path)") {
                        let list: RoundsAnswer = try await fleet.administer(
                            ["round", "list", Self.plan.name])
                        return list.rounds.contains { $0.published && $0.reported == 1 }
                    }
                    try await fleet.process("one").stop()
                }
                #expect(rest.up < update - Self.half / 2 + Self.overhead, "\(rest) of \(update)")
            }
        }

        /// Bytes that a line has carried to the coordinator and back, and whether it stands still.
        private struct Carried {
            var up = 0
            var down = 0
            var stands = false
        }

        /// Runs `body` while the agent's only way to the coordinator is a line that carries so much.
        private func over(
            _ fleet: ExampleFleet, up: Int, down: Int,
            _ body: (() throws -> Carried) async throws -> Void
        ) async throws -> Carried {
            let port = try unusedPort()
            let file = fleet.directory.appending(path: "line-\(port)")
            let log = fleet.directory.appending(path: "line-\(port).log")
            let relay = try RunningProgram(
                Checkout.venv("python"),
                [
                    Checkout.script("stall.py"), "\(port)", fleet.address, "\(up)", "\(down)",
                    file.path,
                ], output: log, errors: log)
            defer { relay.signal(SIGKILL) }
            func carried() throws -> Carried {
                let words = try text(of: file).split(whereSeparator: \.isWhitespace)
                    .compactMap { Int($0) }
                try #require(words.count == 3)
                return Carried(up: words[0], down: words[1], stands: words[2] == 1)
            }
            try await wait(for: "the line, see \(log.path)") { (try? carried()) != nil }
            try Data("127.0.0.1:\(port)\n".utf8).write(
                to: URL(filePath: fleet.agent("one").state + "/coordinator"))
            try await body(carried)
            return try carried()
        }

        private func kill(in fleet: ExampleFleet) async throws {
            let process = try await fleet.process("one")
            process.signal(SIGKILL)
            #expect(try await process.end(within: 10) == -SIGKILL)
        }

        /// Bytes of the one file in a directory whose name will do.
        private func size(of directory: String, where accepts: (String) -> Bool) throws -> Int {
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            let found = names.filter(accepts)
            let name = try #require(found.first, "in \(names)")
            #expect(found.count == 1, "\(found)")
            let attributes = try FileManager.default.attributesOfItem(
                atPath: "\(directory)/\(name)")
            return try #require(attributes[.size] as? Int)
        }
    }
}
