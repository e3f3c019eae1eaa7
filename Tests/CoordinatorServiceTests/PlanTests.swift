import CoordinatorService
import Federation
import Foundation
import Learning
import ModelFormats
import Registry
import Testing
import Wire

@Suite("Applying a plan", .timeLimit(.minutes(10)))
struct PlanTests {
    @Test("prepares its first model, and applying the same text again changes nothing")
    func twice() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, _) = try await fleet.prepare(TinyPlan(), agents: 0)
            let ready = try await admin.plan("tiny")
            #expect(ready.hasModel && ready.modelVersion == 0 && ready.progress == 1)
            #expect(ready.accuracyTeacher > 0.5 && ready.accuracyFirst > 0.5)
            #expect(ready.accuracyLast == ready.accuracyFirst)
            #expect(ready.parameters == UInt64(TinyPlan.parameters))
            #expect(ready.text == Array(TinyPlan().text.utf8))
            #expect(ready.epsilon == 0)

            let registry = try fleet.registry()
            let events = try await registry.eventCount()
            let again = try await admin.apply(TinyPlan().text)
            #expect(again.state == "ready" && again.digest == ready.digest)
            #expect(again.appliedUnix == ready.appliedUnix)
            #expect(try await registry.eventCount() == events)
            #expect(try await admin.models(of: "tiny").count == 1)
        }
    }

    @Test("with an unknown key or an impossible value says where it is")
    func mistakes() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let text = TinyPlan().text
            for (good, bad, place, words) in [
                (
                    "batch_size = 8\nlearning_rate = 0.05\n[teacher]", "batchsize = 8\n[teacher]",
                    (line: 16, column: 1), "batch_size"
                ),
                ("norm = 1", "norm = -1", (line: 37, column: 8), "norm"),
                (
                    "agents = 3\nminimum", "agents = 3 three\nminimum", (line: 30, column: 12),
                    "expected"
                ),
            ] {
                #expect(text.contains(good))
                let fault = await refusal {
                    try await admin.apply(text.replacingOccurrences(of: good, with: bad))
                }
                #expect(fault?.code == .invalid)
                let message = fault?.description ?? ""
                #expect(message.contains(":\(place.line):\(place.column)"), "\(message)")
                #expect(message.contains(words), "\(message)")
            }
            let long = String(repeating: "x", count: 100_000)
            for text in [
                "", "no toml", long, "[plan]\n\(long) = 1\n", "[plan]\nname = '\(long)'\n",
            ] {
                let fault = await refusal { try await admin.apply(text) }
                #expect(fault?.code == .invalid)
            }
            let listed = try await admin.ask(.planList(PlanList()))
            #expect(listed == .plans(PlanRecords(items: [])))
        }
    }

    @Test("without data of the coordinator's own says which table is missing")
    func noData() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let fault = await refusal { try await admin.apply(TinyPlan(name: "other").text) }
            #expect(fault?.code == .invalid)
            #expect(fault?.message.contains("[data.other]") == true)
            #expect(fault?.remedy.contains("restart") == true)
        }
    }

    @Test("with a missing data directory fails naming it, and works once it is there")
    func missingDirectory() async throws {
        try await FleetUnderTest.run { fleet in
            let hidden = fleet.directory.file("hidden")
            let missing = fleet.directory.file("public")
            try FileManager.default.moveItem(atPath: missing, toPath: hidden)
            let admin = try await fleet.admin()
            try await admin.apply(TinyPlan().text)
            let failed = try await admin.waitUntilPrepared("tiny")
            #expect(failed.state == "failed" && !failed.hasModel)
            #expect(failed.detail.contains(missing), "\(failed.detail)")
            let start = await refusal { _ = try await admin.start("tiny") }
            #expect(start?.code == .conflict && start?.message.contains("failed") == true)
            guard case .doctor(let report) = try await admin.ask(.doctorRun(DoctorRun())) else {
                Issue.record("not a report")
                return
            }
            let line = report.items.first { $0.check == "plan tiny" }
            #expect(line?.ok == false && line?.detail.contains(missing) == true)
            #expect(report.items.filter { !$0.ok }.count == 1)

            try FileManager.default.moveItem(atPath: hidden, toPath: missing)
            try await admin.apply(TinyPlan().text)
            #expect(try await admin.waitUntilPrepared("tiny").state == "ready")
        }
    }

    @Test("with a data file that does not parse fails naming file and row")
    func unreadableData() async throws {
        try await FleetUnderTest.run { fleet in
            try fleet.directory.write("test/examples.csv", "a,b,c,d,label\n1,2,3,4,dog\n")
            let admin = try await fleet.admin()
            try await admin.apply(TinyPlan().text)
            let failed = try await admin.waitUntilPrepared("tiny")
            #expect(failed.state == "failed")
            #expect(failed.detail.contains("test/examples.csv"), "\(failed.detail)")
            #expect(failed.detail.contains("2"), "\(failed.detail)")
        }
    }

    @Test("whose model would have another shape is refused, another learning rate is not")
    func changes() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, _) = try await fleet.prepare(TinyPlan(), agents: 0)
            let before = try await admin.plan("tiny")
            let fault = await refusal { try await admin.apply(TinyPlan(hidden: 9).text) }
            #expect(fault?.code == .conflict)
            #expect(fault?.message.contains("[4, 8, 3]") == true)
            #expect(fault?.message.contains("[4, 9, 3]") == true)
            #expect(try await admin.plan("tiny").digest == before.digest)

            let changed = try await admin.apply(TinyPlan(reportSeconds: 30).text)
            #expect(changed.state == "ready" && changed.modelVersion == 0)
            #expect(changed.digest != before.digest)
            #expect(changed.accuracyFirst == before.accuracyFirst)
        }
    }

    @Test(
        "while the first model of another text is being prepared leaves one model, of the last text"
    )
    func changeWhilePreparing() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            // The first text is of another shape and done first: its model must not become the second's.
            try await admin.apply(TinyPlan(hidden: 16, teacherEpochs: 2000).text)
            try await admin.apply(TinyPlan(teacherEpochs: 6000).text)
            let ready = try await admin.waitUntilPrepared("tiny")
            #expect(ready.state == "ready", "\(ready.detail)")
            #expect(ready.parameters == UInt64(TinyPlan.parameters))
            let agent = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
            let model = try #require(try await admin.latestModel(of: "tiny").model)
            let onnx = try await agent.download(model.modelDigest)
            #expect(try OnnxModel.decode(onnx).model.shape.widths == [4, 8, 3])
        }
    }

    @Test("with other noise is refused once a round has spent some of the budget")
    func changedPrivacy() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            // Before the first round nothing is spent yet.
            try await admin.apply(TinyPlan(privacy: TinyPlan.privacy(noise: 0.1)).text)
            for agent in agents { try await agent.follow("tiny") }
            let job = try await admin.start("tiny")
            try await submitFromAll(agents)
            let spent = try await admin.watchToEnd(job).epsilon
            for privacy in [TinyPlan.privacy(noise: 10), nil] {
                let fault = await refusal {
                    try await admin.apply(TinyPlan(privacy: privacy).text)
                }
                #expect(fault?.code == .conflict)
                #expect(fault?.remedy.contains("name") == true)
            }
            #expect(try await admin.plan("tiny").epsilon == spent)
            // The limit is no part of what was spent.
            let limited = TinyPlan(privacy: TinyPlan.privacy(noise: 0.1, maxEpsilon: 1e6))
            #expect(try await admin.apply(limited.text).epsilon == spent)
        }
    }
}
