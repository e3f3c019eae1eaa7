import AgentService
import Federation
import Testing

@Suite("The owner's rules on this device")
struct WorkConditionsTests {
    let temporary: TemporaryDirectory
    private let directory: StateDirectory

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StateDirectory(path: temporary.path)
        _ = try temporary.folder("proc")
        try device(load: "1.5", memoryMiB: 500)
    }

    private func device(load: String, memoryMiB: Int) throws {
        try temporary.write(Array("\(load) 1 1 1/1 1\n".utf8), to: "proc/loadavg")
        let memory = "MemAvailable: \(memoryMiB * 1_024) kB\n"
        try temporary.write(Array(memory.utf8), to: "proc/meminfo")
    }

    private func conditions(
        _ change: (inout ParticipationRules) -> Void
    ) -> WorkConditions {
        var rules = ParticipationRules()
        change(&rules)
        return WorkConditions(rules, of: directory, probe: DeviceProbe(root: temporary.path))
    }

    @Test("right after training its load is still the agent's own")
    func ownLoad() throws {
        var conditions = conditions { $0.maxLoad = 1 }
        #expect(conditions.refusal(with: nil, plannedMiB: 0)?.message.contains("load") == true)
        #expect(conditions.refusalWhileTraining(plannedMiB: 0) == nil)
        #expect(conditions.refusal(with: nil, plannedMiB: 0) == nil)
        try device(load: "2.5", memoryMiB: 500)
        #expect(conditions.refusal(with: nil, plannedMiB: 0) != nil)
    }

    @Test("the load of training that an agent's end cut short is its own, too")
    func interrupted() throws {
        var marker = WorkMarker(file: directory.assignmentFile)
        try marker.set(WorkMarkerTests.assignment)
        #expect(conditions { $0.maxLoad = 1 }.refusal(with: nil, plannedMiB: 0) == nil)
        marker.clear()
        #expect(conditions { $0.maxLoad = 1 }.refusal(with: nil, plannedMiB: 0) != nil)
    }

    @Test("a device that took work is not made to give it up by training's own memory")
    func memory() throws {
        var conditions = conditions { $0.minMemoryMiB = 450 }
        #expect(conditions.refusal(with: nil, plannedMiB: 51) != nil)
        #expect(conditions.refusal(with: nil, plannedMiB: 50) == nil)
        try device(load: "1.5", memoryMiB: 410)
        #expect(conditions.refusalWhileTraining(plannedMiB: 50) == nil)
    }

    @Test("the network's rule is looked at where metered networks are refused")
    func network() {
        #expect(conditions { $0.maxLoad = 1 }.networkRefusal() == nil)
        #expect(conditions { $0.refusesMetered = true }.networkRefusal() != nil)
    }
}
