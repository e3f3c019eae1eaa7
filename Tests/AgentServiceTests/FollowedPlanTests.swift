import AgentService
import Cryptography
import Federation
import Testing

@Suite("The data of a plan, as the daemon follows it")
struct FollowedPlanTests {
    private let temporary: TemporaryDirectory
    private let fleet: ExampleFleet
    private let header = "a,b,c,state\n"

    init() throws {
        temporary = try TemporaryDirectory()
        fleet = try ExampleFleet()
    }

    private func followed(_ directory: String) throws -> FollowedPlan {
        var plan = FollowedPlan(id: try planID("pumps"), directory: directory)
        try plan.adopt(fleet.planText, digest: SHA256.digest(of: fleet.planText))
        return plan
    }

    @Test("rows that came while the daemon ran are there when a round begins")
    func growth() throws {
        let directory = try temporary.folder("data")
        let rows = "1,2,3,0\n4,5,6,1\n"
        try temporary.write(Array((header + rows).utf8), to: "data/rows.csv")
        var plan = try followed(directory)
        #expect(plan.examples == 2)
        // What a round does before it trains; the last row is still being written.
        try temporary.write(Array((header + rows + "7,8,9,1\n1,1,1,0").utf8), to: "data/rows.csv")
        plan.reopenData()
        #expect(plan.examples == 3)
        #expect(plan.problem == nil)
        try temporary.write(
            Array((header + rows + "7,8,9,1\n1,1,1,0\n2,2,x,0\n").utf8), to: "data/rows.csv")
        plan.reopenData()
        #expect(plan.examples == 4)
        #expect(plan.problem?.contains("rows.csv: line 6, column 3") == true)
    }

    @Test("a directory that is filled after the daemon started is found")
    func lateData() throws {
        let directory = "\(temporary.path)/data"
        var plan = try followed(directory)
        #expect(plan.examples == 0)
        #expect(plan.problem?.contains(directory) == true)
        _ = try temporary.folder("data")
        try temporary.write(Array((header + "1,2,3,0\n").utf8), to: "data/rows.csv")
        plan.reopenData()
        #expect(plan.examples == 1)
        #expect(plan.problem == nil)
    }
}
