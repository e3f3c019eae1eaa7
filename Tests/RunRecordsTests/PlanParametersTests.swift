import Federation
import RunRecords
import Testing

@Suite("A plan's values")
struct PlanParametersTests {
    private func plan() throws -> Plan {
        let training = TrainingPlan(epochs: 2, batchSize: 16, learningRate: 0.1, momentum: 0.9)
        return Plan(
            id: try #require(PlanID("beads")), title: "Beads", population: "all",
            data: DataPlan(
                format: .csv(file: "rows.csv", label: "kind"), features: 40, classes: 4,
                offset: [Float](repeating: 1, count: 40), scale: [0.1]),
            layers: LayerPlan.dense([8, 4]), training: training, teacher: .none,
            distillation: DistillationPlan(temperature: 2, alpha: 0.5, training: training),
            round: RoundPlan(
                agents: 5, minimum: 3, overSelection: 1, selectionSeconds: 1, reportSeconds: 1,
                leaseSeconds: 1, maxExamples: 1000), clipping: ClippingPlan(norm: 2, kappa: 6),
            privacy: PrivacyPlan(
                noiseMultiplier: 1.5, delta: 1e-7, sampling: .poisson(rate: 0.01), agents: 500,
                maxEpsilon: nil), server: ServerPlan(learningRate: 1, momentum: 0),
            sealing: SealingPlan(maxAccuracyDrop: 0.2))
    }

    @Test(
        "are named as plans name them",
        arguments: [
            ("training.learning_rate", Setting.number(0.1)), ("training.batch_size", .number(16)),
            ("training.optimizer", .text("sgd")),
            ("training.optimizer.sgd.momentum", .number(0.9)),
            ("training.balances_classes", .truth(true)), ("training.schedule", .text("constant")),
            ("training.objective", .text("classification")), ("data.format", .text("csv")),
            ("data.format.csv.label", .text("kind")), ("data.scale", .number(0.1)),
            ("data.offset", .text("40 values")), ("data.shape", .text("40 1 1")),
            ("privacy.delta", .number(1e-7)), ("privacy.sampling", .text("poisson")),
            ("privacy.sampling.poisson.rate", .number(0.01)), ("id", .text("beads")),
            ("round.agents", .number(5)), ("layers.0.name", .text("layer0")),
        ])
    func names(name: String, value: Setting) throws {
        #expect(PlanParameters.all(of: try plan())[name] == value)
    }

    @Test("that a plan does without are not there, and any that differs shows")
    func differences() throws {
        let before = PlanParameters.all(of: try plan())
        #expect(before["privacy.max_epsilon"] == nil)
        #expect(before["schedule"] == nil)
        var changed = try plan()
        changed.training.proximalMu = 0.25
        changed.privacy?.maxEpsilon = 3
        changed.layers[1].name = "last"
        let after = PlanParameters.all(of: changed)
        let names = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
        #expect(
            names == ["training.proximal_mu", "privacy.max_epsilon", "layers.1.name"])
    }
}
