import CoordinatorService
import Federation
import Foundation
import Learning
import ModelFormats
import Registry
import Testing
import Wire

@Suite("Distillation after a round", .timeLimit(.minutes(10)))
struct PostRoundTests {
    /// Much noise: the round's own weights are hardly better than a guess.
    private let noisy = TinyPlan(
        privacy: TinyPlan.privacy(noise: 5), alpha: 0, postRoundEpochs: 20)
    /// Hardly any: they are as good as the first student.
    private let quiet = TinyPlan(alpha: 0, postRoundEpochs: 20)

    /// The same noise in every run, so that what it does to the model is known.
    private var replayed: RoundRandomness {
        RoundRandomness(rotationSeed: { 7 }, noise: { SeededRandom(seed: 8) })
    }

    /// Serves a fleet whose plan is ready, and returns its agents.
    private func prepare(
        _ plan: TinyPlan, in directory: TemporaryDirectory
    ) async throws -> [ScriptedAgent] {
        try await FleetUnderTest.initialise(directory)
        return try await FleetUnderTest.serve(directory) {
            try await $0.prepare(plan, agents: 3).agents
        }
    }

    /// Runs a round of "tiny" on a coordinator that was started again, and returns what became of it.
    private func runRound(
        _ agents: [ScriptedAgent], in directory: TemporaryDirectory
    ) async throws -> RoundRecord {
        try await FleetUnderTest.serve(directory, randomness: replayed) { fleet in
            let admin = try await fleet.admin()
            let job = try await admin.start("tiny")
            var back: [ScriptedAgent] = []
            for agent in agents { back.append(try await agent.reconnected(to: fleet)) }
            try await submitFromAll(back)
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished", "\(ended.detail)")
            return try #require(ended.rounds.first)
        }
    }

    private func registry(in directory: TemporaryDirectory) throws -> Registry {
        try StateDirectory(path: directory.file("state")).registry()
    }

    /// The members of the newest leaf of the log.
    private func newestEvent(_ registry: Registry) async throws -> [String: Any] {
        let leaf = try #require(try await registry.events(from: 0, limit: 1000).last).leaf
        return try #require(try JSONSerialization.jsonObject(with: Data(leaf)) as? [String: Any])
    }

    @Test("that helps becomes the version's master, and is told to whoever asks")
    func accepted() async throws {
        try await FleetUnderTest.inTurn { directory in
            let agents = try await prepare(noisy, in: directory)
            let registry = try registry(in: directory)
            let teacher = try #require(try await registry.plan(tiny).teacherDigest)
            let round = try await runRound(agents, in: directory)
            let trial = try #require(round.distillation)
            #expect(trial.accepted && trial.accuracyAfter > trial.accuracyBefore)

            let stored = try await registry.round(RoundID(1))
            let model = try await registry.model(tiny, version: 1)
            #expect(model.distillation == stored.distillation)
            #expect(model.distillation?.accuracyAfter == trial.accuracyAfter)
            #expect(model.masterDigest != stored.masterDigest)
            #expect(model.velocityDigest == stored.velocityDigest)
            #expect(try await registry.ledger(population: "tiny").count == 1)
            // What is published is the rounding of that master, whose test accuracy is its own.
            let onnx = try await registry.blob(model.modelDigest)
            let published = try OnnxModel.decode(onnx).model
            let rounded = try QuantizedModel(
                parameters: try await floats(model.masterDigest, in: registry),
                shape: published.shape, normalisation: published.normalisation)
            #expect(rounded == published)
            #expect(try #require(model.accuracy) > 0.7)

            let event = try await newestEvent(registry)
            #expect(event["event"] as? String == "modelSigned")
            #expect(event["master"] as? String == model.masterDigest.hex)
            #expect(event["distillation"] as? String == "accepted")
            #expect(event["heldOutBefore"] as? String == trial.accuracyBefore.description)
            #expect(event["heldOutAfter"] as? String == trial.accuracyAfter.description)

            // The next round starts from it, and from the same teacher.
            _ = try await runRound(agents, in: directory)
            #expect(try await registry.model(tiny, version: 2).parentVersion == 1)
            #expect(try await registry.plan(tiny).teacherDigest == teacher)
        }
    }

    @Test("by a teacher that is worse than the student changes no bit, after a restart too")
    func refused() async throws {
        try await FleetUnderTest.inTurn { directory in
            let agents = try await prepare(quiet, in: directory)
            let registry = try registry(in: directory)
            let teacher = try #require(try await registry.plan(tiny).teacherDigest)
            let liar = try await registry.putBlob(negated(try await registry.blob(teacher)))
            try await registry.setTeacher(
                tiny, digest: liar, nowUnix: 1, event: FleetEvent(.teacherKept, []))
            let trial = try #require(try await runRound(agents, in: directory).distillation)
            #expect(!trial.accepted && trial.accuracyAfter < trial.accuracyBefore)
            let model = try await registry.model(tiny, version: 1)
            #expect(model.masterDigest == (try await registry.round(RoundID(1)).masterDigest))
            #expect(try await newestEvent(registry)["distillation"] as? String == "refused")
            // That the liar was heard says that the teacher of before the restart was asked.
            #expect(try await registry.plan(tiny).teacherDigest == liar)
        }
    }

    @Test("trains another teacher where the one it kept is lost", arguments: [true, false])
    func lostTeacher(isDamaged: Bool) async throws {
        try await FleetUnderTest.inTurn { directory in
            let agents = try await prepare(quiet, in: directory)
            let registry = try registry(in: directory)
            let teacher = try #require(try await registry.plan(tiny).teacherDigest)
            let file = directory.file("state/blobs/\(teacher.hex.prefix(2))/\(teacher.hex)")
            if isDamaged {
                try Data("nonsense".utf8).write(to: URL(filePath: file))
            } else {
                try FileManager.default.removeItem(atPath: file)
            }
            #expect(try await runRound(agents, in: directory).distillation != nil)
            let other = try #require(try await registry.plan(tiny).teacherDigest)
            #expect(other != teacher)
            _ = try await registry.blob(other)
        }
    }

    @Test("that cannot be done leaves the round its own weights")
    func impossible() async throws {
        try await FleetUnderTest.inTurn { directory in
            let agents = try await prepare(quiet, in: directory)
            try FileManager.default.removeItem(atPath: directory.file("public"))
            let round = try await runRound(agents, in: directory)
            #expect(round.published && round.distillation == nil)
            let registry = try registry(in: directory)
            let model = try await registry.model(tiny, version: 1)
            #expect(model.masterDigest == (try await registry.round(RoundID(1)).masterDigest))
        }
    }

    @Test("is off unless the plan asks for it, and keeps its teacher while the plan wants the same")
    func plans() async throws {
        try await FleetUnderTest.run { fleet in
            let registry = try fleet.registry()
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            #expect(try await registry.plan(tiny).teacherDigest == nil)
            let job = try await admin.start("tiny")
            try await submitFromAll(agents)
            let ended = try await admin.watchToEnd(job)
            #expect(try #require(ended.rounds.first).distillation == nil)
            #expect(try await newestEvent(registry)["distillation"] == nil)

            // Asked for later, a teacher is trained when the first round needs it.
            try await admin.apply(quiet.text)
            #expect(try await registry.plan(tiny).teacherDigest == nil)
            for agent in agents { try await agent.follow("tiny") }
            let next = try await admin.start("tiny")
            try await submitFromAll(agents)
            let later = try await admin.watchToEnd(next)
            #expect(try #require(later.rounds.first).distillation != nil)
            let teacher = try #require(try await registry.plan(tiny).teacherDigest)

            var other = quiet
            other.reportSeconds += 1
            try await admin.apply(other.text)
            #expect(try await registry.plan(tiny).teacherDigest == teacher)
            other.teacherEpochs += 1
            try await admin.apply(other.text)
            #expect(try await registry.plan(tiny).teacherDigest == nil)
        }
    }
}

private let tiny = tinyPlan()

private func tinyPlan() -> PlanID {
    guard let plan = PlanID("tiny") else { fatalError("a valid plan name is refused") }
    return plan
}

/// The parameters in the blob `digest`.
private func floats(_ digest: Digest, in registry: Registry) async throws -> [Float] {
    let bytes = try await registry.blob(digest)
    return stride(from: 0, to: bytes.count, by: 4).map { start in
        Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) })
    }
}

/// The teacher in `file` with a last layer that says the opposite.
private func negated(_ file: [UInt8]) throws -> [UInt8] {
    var teacher = try Safetensors(decoding: file)
    for name in ["layer1.weight", "layer1.bias"] {
        let values = try #require(teacher.tensors[name]?.values)
        teacher.tensors[name]?.values = values.map { -$0 }
    }
    return try teacher.encoded()
}
