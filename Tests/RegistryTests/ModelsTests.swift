import Federation
import Registry
import Testing

@Suite("Models")
struct ModelsTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    @Test("every field and file of a version is kept")
    func fields() async throws {
        _ = try await registry.prepareFashion()
        let first = fashionModel(0, round: 0)
        #expect(try await registry.model(fashion, version: 0) == first)
        #expect(try await registry.latestModel(fashion) == first)
        #expect(try await registry.models(fashion) == [first])
    }

    @Test("a published round's version follows and is the newest")
    func next() async throws {
        let at = try await registry.startFirstRound()
        try await registry.gather(at)
        try await registry.releaseRound(at)
        try await registry.publishRound(at, version: 1)
        let second = fashionModel(1, round: 1)
        #expect(try await registry.latestModel(fashion) == second)
        #expect(try await registry.models(fashion) == [fashionModel(0, round: 0), second])
    }

    @Test("what distillation did is told with the version and with its round")
    func distillation() async throws {
        let at = try await registry.startFirstRound()
        try await registry.gather(at)
        try await registry.releaseRound(at)
        #expect(try await registry.round(at.round).distillation == nil)
        var model = fashionModel(1, round: at.round.number)
        model.distillation = DistillationTrial(accuracyBefore: 0.75, accuracyAfter: 0.8125)
        try await registry.publish(
            at, model: model, nowUnixMilliseconds: nowMilliseconds, events: [modelSigned(1)])
        let reopened = try scratch.reopened()
        #expect(try await reopened.models(fashion) == [fashionModel(0, round: 0), model])
        #expect(try await reopened.round(at.round).distillation == model.distillation)
    }

    @Test("the first model is published once, and is version 0 without a parent")
    func firstOnly() async throws {
        _ = try await registry.prepareFashion()
        let events = try await registry.eventCount()
        func publish(_ model: StoredModel) async -> Fault.Code? {
            await faultCode {
                try await registry.publishFirstModel(
                    model, event: event(.modelSigned, "again"), nowUnix: now)
            }
        }
        #expect(await publish(fashionModel(0, round: 0)) == .conflict)
        #expect(await publish(fashionModel(1, round: 0)) == .invalid)
        #expect(await publish(fashionModel(0, round: 1)) == .invalid)
        #expect(try await registry.eventCount() == events)
    }

    @Test("a version that no round made follows another of its plan")
    func republished() async throws {
        _ = try await registry.prepareFashion()
        let model = fashionModel(1, round: 0)
        func republish(
            _ change: (inout StoredModel) -> Void = { _ in }, signs: FleetEvent = modelSigned(1)
        ) async -> Fault.Code? {
            var changed = model
            change(&changed)
            do throws(Fault) {
                try await registry.republish(changed, event: signs, nowUnix: now)
                return nil
            } catch { return error.code }
        }
        #expect(await republish { $0.round = RoundID(1) } == .invalid)
        #expect(await republish { $0.parentVersion = nil } == .invalid)
        #expect(await republish { $0.version = 0 } == .invalid)
        #expect(await republish { $0.version = 2 } == .conflict)
        #expect(await republish { $0.parentVersion = 7 } == .notFound)
        #expect(await republish(signs: event(.roundSealed, "1")) == .invalid)
        let before = try await registry.eventCount()
        #expect(await republish() == nil)
        #expect(try await registry.latestModel(fashion) == model)
        #expect(try await registry.eventCount() == before + 1)
    }

    @Test("a model that no event signs is not published")
    func unsigned() async throws {
        let at = try await registry.startFirstRound()
        try await registry.gather(at)
        try await registry.releaseRound(at)
        for events in [[], [event(.roundSealed, "1")], [modelSigned(1), event(.roundSealed, "1")]] {
            let code = await faultCode {
                try await registry.publish(
                    at, model: fashionModel(1, round: 1), nowUnixMilliseconds: nowMilliseconds,
                    events: events)
            }
            #expect(code == .invalid)
        }
        #expect(try await registry.latestModel(fashion)?.version == 0)
        #expect(try await registry.round(at.round).phase == .sealing)
    }

    @Test("models of an unknown plan, and unknown versions, are not found")
    func unknown() async throws {
        let published = await faultCode {
            try await registry.publishFirstModel(
                fashionModel(0, round: 0), event: event(.modelSigned, "0"), nowUnix: now)
        }
        #expect(published == .notFound)
        #expect(await faultCode { _ = try await registry.model(fashion, version: 0) } == .notFound)
        #expect(
            await faultCode { _ = try await registry.model(fashion, version: .max) } == .notFound)
        #expect(try await registry.latestModel(fashion) == nil)
        #expect(try await registry.models(fashion).isEmpty)
    }

    @Test("a model that names a file twice is not published at all")
    func duplicateFile() async throws {
        _ = try await registry.applyPlan(
            fashion, digest: digest("plan"), population: "people", title: "", nowUnix: now,
            event: event(.planApplied, "fashion"))
        var model = fashionModel(0, round: 0)
        model.files.append(model.files[0])
        let code = await faultCode { [model] in
            try await registry.publishFirstModel(
                model, event: event(.modelSigned, "0"), nowUnix: now)
        }
        #expect(code == .conflict)
        #expect(try await registry.latestModel(fashion) == nil)
        #expect(try await registry.eventCount() == 1)
    }
}
