import AgentService
import Cryptography
import Federation
import Foundation
import Learning
import ModelFormats
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

    // MARK: Examples held out

    /// The plan with a quarter of the examples held out, and rows of which no two are the same.
    private func followed(heldOut: String, rows: Range<Int>) throws -> FollowedPlan {
        let lines = rows.map { "\($0),\($0 * 7 % 13),1,\($0 % 2)\n" }.joined()
        let name = "data\(rows)"
        let directory = try temporary.folder(name)
        try temporary.write(Array((header + lines).utf8), to: "\(name)/rows.csv")
        let text = Array(
            String(decoding: fleet.planText, as: UTF8.self)
                .replacingOccurrences(of: "classes = 2", with: "classes = 2\n\(heldOut)").utf8)
        var plan = FollowedPlan(id: try planID("pumps"), directory: directory)
        try plan.adopt(text, digest: SHA256.digest(of: text))
        return plan
    }

    private func model(version: UInt64) throws -> QuantizedModel {
        try OnnxModel.decode(fleet.model(version: version)).model
    }

    @Test("a plan's held-out share is not trained on, and each version is measured with it once")
    func heldOut() throws {
        var plan = try followed(heldOut: "held_out = 0.25", rows: 0..<400)
        #expect((250..<350).contains(plan.examples))
        #expect(plan.heldOutMeasure == nil)
        try plan.measure(model(version: 1), version: 1)
        let first = try #require(plan.heldOutMeasure)
        #expect(first.version == 1 && first.examples == 400 - plan.examples)
        #expect((0...1).contains(first.accuracy))
        // Of a version that was measured nothing is read any more.
        try FileManager.default.removeItem(atPath: temporary.path + "/data0..<400/rows.csv")
        try plan.measure(model(version: 1), version: 1)
        #expect(plan.heldOutMeasure == first)
        let second = try model(version: 2)
        let missing = fault { () throws(Fault) in try plan.measure(second, version: 2) }
        #expect(missing?.code == .notFound)
        #expect(plan.heldOutMeasure == nil)
    }

    @Test("measuring asks before each batch whether it may go on")
    func measuringStops() throws {
        var plan = try followed(heldOut: "held_out = 0.25", rows: 0..<400)
        let model = try model(version: 1)
        let stopped = fault { () throws(Fault) in
            try plan.measure(model, version: 1) { () throws(Fault) in
                throw Fault(.gone, "enough")
            }
        }
        #expect(stopped?.message == "enough" && plan.heldOutMeasure == nil)
        var batches = 0
        try plan.measure(model, version: 1) { batches += 1 }
        #expect(batches > 0 && plan.heldOutMeasure != nil)
    }

    @Test("examples that are added move none between training and the held-out share")
    func stableSplit() throws {
        var counts: [(training: Int, heldOut: Int)] = []
        for rows in [0..<200, 200..<400, 0..<400] {
            var plan = try followed(heldOut: "held_out = 0.25", rows: rows)
            try plan.measure(model(version: 1), version: 1)
            counts.append((plan.examples, try #require(plan.heldOutMeasure).examples))
        }
        #expect(counts[0].training + counts[1].training == counts[2].training)
        #expect(counts[0].heldOut + counts[1].heldOut == counts[2].heldOut)
    }

    @Test("without held_out every example is trained on and nothing is measured")
    func nothingHeldOut() throws {
        var plan = try followed(heldOut: "", rows: 0..<40)
        #expect(plan.examples == 40)
        try plan.measure(model(version: 1), version: 1)
        #expect(plan.heldOutMeasure == nil)
    }
}
