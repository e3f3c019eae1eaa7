import AgentService
import Configuration
import Federation
import Testing

@Suite("A plan that the coordinator does not have")
struct UnknownPlanTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    @Test("is one that the answer to a check-in does not name; the nearest that it names was meant")
    func named() throws {
        let mistyped = try planID("fashon")
        let others = [try planID("fashion"), try planID("shuttle-anomaly")]
        #expect(UnknownPlan(mistyped, named: others + [mistyped]) == nil)
        let unknown = try #require(UnknownPlan(mistyped, named: others))
        #expect(unknown.meant == "fashion")
        #expect(
            unknown.fault.description.hasPrefix(
                "the coordinator has no plan 'fashon'; did you mean [data.fashion]? correct the name"
            ))
        let strange = try #require(UnknownPlan(try planID("beads"), named: others))
        #expect(strange.meant == nil && !strange.fault.description.contains("did you mean"))
    }

    @Test("is what the status says of its data, until there is one")
    func followed() throws {
        let directory = try temporary.folder("data")
        var plan = FollowedPlan(id: try planID("pumps"), directory: directory)
        #expect(plan.problem == nil)
        plan.unknown = UnknownPlan(plan: try planID("pumps"), meant: "pump")
        #expect(plan.problem?.contains("did you mean [data.pump]?") == true)
        plan.unknown = nil
        #expect(plan.problem == nil)
    }

    @Test("fails in the doctor once the coordinator was asked, and in no doctor before")
    func doctor() throws {
        let directory = try temporary.folder("data")
        let state = StateDirectory(path: "\(temporary.path)/state")
        try state.prepare()
        func finding() throws -> Doctor.Finding? {
            let configuration = AgentConfiguration(
                stateDirectory: state.path, logLevel: "info",
                data: [(plan: try planID("pumps"), directory: directory)])
            return Doctor(configuration, probe: DeviceProbe(root: temporary.path)).examine()
                .first { $0.check == "data of pumps" }
        }
        #expect(try finding()?.passed == true)
        let plan = try planID("pumps")
        let texts = PlanTexts(directory: state.planDirectory)
        try texts.note(UnknownPlan(plan: plan, meant: "pump"), of: plan)
        let found = try #require(try finding())
        #expect(!found.passed && found.detail.contains("did you mean [data.pump]?"))
        try texts.note(UnknownPlan(plan: plan, meant: nil), of: plan)
        #expect(
            try finding()?.detail.hasPrefix("the coordinator has no plan 'pumps'; correct") == true)
        try texts.note(nil, of: plan)
        #expect(try finding()?.passed == true)
    }
}
