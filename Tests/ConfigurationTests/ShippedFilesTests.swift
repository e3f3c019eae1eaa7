import Configuration
import Federation
import Foundation
import Testing

/// The files under agent-config/ and coordinator-config/ are the documentation of every key.
@Suite struct ShippedFilesTests {
    @Test("the shipped agent.toml parses and means the defaults")
    func agent() throws {
        let agent = try AgentConfiguration.load(file: path("agent-config/agent.toml"))
        let defaults = try AgentConfiguration.parse([], file: "agent.toml")
        #expect(agent.stateDirectory == defaults.stateDirectory)
        #expect(agent.logLevel == defaults.logLevel)
        #expect(agent.localNoiseFloor == defaults.localNoiseFloor)
        #expect(agent.participation == defaults.participation)
        #expect(agent.limits == defaults.limits)
        #expect(agent.logFormat == defaults.logFormat)
        #expect(agent.metricsPort == nil)
        // The data of the example are on no device.
        #expect(agent.data.isEmpty)
    }

    @Test("the shipped coordinator.toml parses and means the defaults")
    func coordinator() throws {
        let file = path("coordinator-config/coordinator.toml")
        let coordinator = try CoordinatorConfiguration.load(file: file)
        let defaults = try CoordinatorConfiguration.parse(
            Array("[server]\naddresses = [\"coordinator.example.org\"]\n[http]\n[dashboard]".utf8),
            file: file)
        #expect(coordinator.listen == defaults.listen)
        #expect(coordinator.port == defaults.port)
        #expect(coordinator.addresses == defaults.addresses)
        #expect(coordinator.logLevel == defaults.logLevel)
        #expect(coordinator.logFormat == defaults.logFormat)
        #expect(coordinator.checkInWaitSeconds == defaults.checkInWaitSeconds)
        #expect(coordinator.comeBackSeconds == defaults.comeBackSeconds)
        #expect(coordinator.deviceDays == defaults.deviceDays)
        #expect(coordinator.minFreeMiB == defaults.minFreeMiB)
        #expect(coordinator.http == defaults.http)
        #expect(coordinator.dashboard == defaults.dashboard)
        #expect(coordinator.keys == defaults.keys)
        #expect(coordinator.data.keys.map(\.name) == ["fashion"])
    }

    @Test("the shipped plan is a private one over twelve agents with a student of 100 k parameters")
    func fashion() throws {
        let file = path("coordinator-config/plans/fashion.toml")
        let plan = try PlanFile.parse(Array(Data(contentsOf: URL(filePath: file))), file: file)
        #expect(plan.id.name == "fashion")
        #expect(plan.widths == [784, 1568, 784, 784, 128, 10])
        #expect(plan.parameterCount == 103_023)
        #expect(plan.round.agents == 12)
        #expect(plan.privacy?.noiseMultiplier == 0.05)
        #expect(plan.privacy?.delta == 1e-5)
        #expect(plan.privacy?.sampling == .everyone)
        #expect(plan.privacy?.agents == 12)
    }

    @Test("agent.toml has every key that is known, and only those")
    func agentKeys() throws {
        let sections = [
            "agent", "data.fashion", "privacy", "participation", "limits", "metrics",
        ]
        try expectEveryKey(in: "agent-config/agent.toml", sections) {
            _ = try AgentConfiguration.parse($0, file: "agent.toml")
        }
    }

    @Test("coordinator.toml has every key that is known, and only those")
    func coordinatorKeys() throws {
        let sections = [
            "server", "log", "check_in", "limits", "storage", "keys", "certificates", "http",
            "dashboard", "data.fashion",
        ]
        try expectEveryKey(in: "coordinator-config/coordinator.toml", sections) {
            _ = try CoordinatorConfiguration.parse($0, file: "coordinator.toml")
        }
    }

    @Test("fashion.toml has every key that is known, and only those")
    func planKeys() throws {
        let sections = [
            "plan", "data", "[model.layers]", "training", "teacher", "[teacher.layers]",
            "distillation", "round", "clipping", "privacy", "server", "sealing", "schedule",
            "retention", "model_card",
        ]
        // A teacher's layers have a student's keys.
        let alike = ["[teacher.layers]": "[model.layers]"]
        try expectEveryKey(in: "coordinator-config/plans/fashion.toml", sections, alike) {
            _ = try PlanFile.parse($0, file: "fashion.toml")
        }
    }

    private func expectEveryKey(
        in file: String, _ sections: [String], _ alike: [String: String] = [:],
        parse: ([UInt8]) throws -> Void
    ) throws {
        let text = try String(contentsOfFile: path(file), encoding: .utf8)
        let documented = keys(of: text)
        #expect(documented.keys.sorted() == sections.sorted())
        for section in sections {
            // The parser says itself which keys a section has.
            let header = text.contains("\n[\(section)]\n") ? "" : "# "
            let strange = text.replacing(
                "\n\(header)[\(section)]\n", with: "\n[\(section)]\nxyzxyzxyz = 1\n",
                maxReplacements: 1)
            let fault = #expect(throws: Fault.self) { try parse(Array(strange.utf8)) }
            let remedy = try #require(fault?.remedy)
            let known = remedy.trimmingPrefix("known keys: ").split(separator: ", ").map(
                String.init)
            let place = alike[section] ?? section
            #expect(documented[place]?.sorted() == known.sorted(), "[\(section)] of \(file)")
        }
    }

    /// The keys under each table header of `text`, commented ones of both included.
    private func keys(of text: String) -> [String: Set<String>] {
        var keys: [String: Set<String>] = [:]
        var section = ""
        for line in text.split(separator: "\n").map({ $0.trimmingPrefix("# ") }) {
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = String(line.dropFirst().dropLast())
                keys[section, default: []] = keys[section] ?? []
                // A table in an array is a key of its parent.
                let path = section.split { "[].".contains($0) }
                if section.hasPrefix("["), path.count == 2, keys[String(path[0])] != nil {
                    keys[String(path[0])]?.insert(String(path[1]))
                }
            } else if let key = line.firstMatch(of: /^([a-z_]+) =/) {
                keys[section, default: []].insert(String(key.1))
            }
        }
        return keys
    }

    /// `relative` to the root of the repository.
    private func path(_ relative: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: relative).path
    }
}
