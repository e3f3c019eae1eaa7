import Federation
import Registry
import Testing

@Suite("Plans")
struct PlansTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    private func apply(_ text: String, title: String = "Fashion") async throws(Fault) -> Bool {
        try await registry.applyPlan(
            fashion, digest: digest(text), population: "people", title: title, nowUnix: now,
            event: event(.planApplied, text))
    }

    private func keepTeacher() async throws(Fault) {
        try await registry.setTeacher(
            fashion, digest: digest("teacher"), nowUnix: now, event: event(.teacherKept, "teacher"))
    }

    @Test("a new plan is preparing and every change is a version and an event")
    func versions() async throws {
        #expect(try await apply("one"))
        let first = try await registry.plan(fashion)
        #expect(first.version == 1)
        #expect(first.digest == digest("one"))
        #expect(first.population == "people")
        #expect(first.appliedUnix == now)
        #expect(first.state == "preparing")
        #expect(first.accuracyTeacher == nil)
        #expect(try await apply("two", title: "Second"))
        let second = try await registry.plan(fashion)
        #expect(second.version == 2)
        #expect(second.title == "Second")
        #expect(try await registry.plans() == [second])
        #expect(try await registry.eventCount() == 2)
    }

    @Test("the same text again changes nothing, an older text becomes a new version")
    func repetition() async throws {
        #expect(try await apply("one"))
        try await registry.setPlanState(
            fashion, state: "ready", detail: "done", accuracyTeacher: 0.9)
        #expect(try await !apply("one"))
        #expect(try await registry.plan(fashion).state == "ready")
        #expect(try await registry.eventCount() == 1)
        #expect(try await apply("two"))
        #expect(try await apply("one"))
        let plan = try await registry.plan(fashion)
        #expect(plan.version == 3)
        #expect(plan.state == "preparing")
        #expect(plan.accuracyTeacher == nil)
    }

    @Test("a state without a measurement keeps the teacher's accuracy")
    func teacherAccuracy() async throws {
        _ = try await apply("one")
        try await registry.setPlanState(
            fashion, state: "preparing", detail: "distilling", accuracyTeacher: 0.87)
        try await registry.setPlanState(
            fashion, state: "ready", detail: "", accuracyTeacher: nil)
        #expect(try await registry.plan(fashion).accuracyTeacher == 0.87)
        #expect(try await registry.plan(fashion).state == "ready")
    }

    @Test("a teacher is kept over a restart, until another text comes")
    func teacher() async throws {
        _ = try await apply("one")
        #expect(try await registry.plan(fashion).teacherDigest == nil)
        try await keepTeacher()
        try await registry.setPlanState(
            fashion, state: "ready", detail: "", accuracyTeacher: nil)
        #expect(
            try await scratch.reopened().plan(fashion).teacherDigest == digest("teacher"))
        #expect(try await !apply("one"))
        #expect(try await registry.plan(fashion).teacherDigest == digest("teacher"))
        #expect(try await registry.eventCount() == 2)
        try await keepTeacher()
        #expect(try await registry.eventCount() == 2)
        _ = try await apply("two")
        #expect(try await registry.plan(fashion).teacherDigest == nil)
    }

    @Test("an unknown plan or state is refused")
    func refusals() async throws {
        #expect(await faultCode { _ = try await registry.plan(fashion) } == .notFound)
        let unknown = await faultCode {
            try await registry.setPlanState(
                fashion, state: "ready", detail: "", accuracyTeacher: nil)
        }
        #expect(unknown == .notFound)
        let teacherless = await faultCode {
            try await keepTeacher()
        }
        #expect(teacherless == .notFound)
        _ = try await apply("one")
        let nonsense = await faultCode {
            try await registry.setPlanState(
                fashion, state: "sleeping", detail: "", accuracyTeacher: nil)
        }
        #expect(nonsense == .invalid)
    }

    @Test(
        "a pause is kept with its reason until it ends, and the audit sees who changed it from outside"
    )
    func pause() async throws {
        _ = try await registry.prepareFashion()
        #expect(try await registry.plan(fashion).pause == nil)
        let pause = StoredPause(unix: now, reason: "holidays")
        try await registry.setPause(
            fashion, pause, nowUnix: now, event: event(.planPaused, "fashion"))
        #expect(try await scratch.reopened().plan(fashion).pause == pause)
        let twice = await faultCode {
            try await registry.setPause(
                fashion, pause, nowUnix: now, event: event(.planPaused, "fashion"))
        }
        #expect(twice == .conflict)
        #expect(try scratch.rowsAreAsSealed())
        try await registry.setPause(
            fashion, nil, nowUnix: now, event: event(.planResumed, "fashion"))
        #expect(try await registry.plan(fashion).pause == nil)
        let ended = await faultCode {
            try await registry.setPause(
                fashion, nil, nowUnix: now, event: event(.planResumed, "fashion"))
        }
        #expect(ended == .conflict)
        #expect(try scratch.rowsAreAsSealed())
    }
}
