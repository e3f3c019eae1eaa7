import Configuration
import Federation
import Testing

@Suite struct PlanFileTests {
    @Test("every key of a plan arrives where it belongs")
    func everyKey() throws {
        let plan = try parse(validPlan)
        #expect(
            plan
                == Plan(
                    id: try #require(PlanID("tiny")), title: "A tiny plan", population: "testers",
                    data: DataPlan(
                        format: .idx(features: "x.idx", labels: "y.idx"), features: 4, classes: 3,
                        offset: [1, 2.5, 3, 4], scale: [2]),
                    layers: [
                        DenseLayerPlan(units: 8, relu: true), DenseLayerPlan(units: 3, relu: false),
                    ],
                    training: TrainingPlan(
                        epochs: 2, batchSize: 16, learningRate: 0.125, momentum: 0.5),
                    teacher: TeacherPlan(
                        hidden: [32, 16],
                        training: TrainingPlan(
                            epochs: 3, batchSize: 8, learningRate: 0.25, momentum: 0)),
                    distillation: DistillationPlan(
                        temperature: 4, alpha: 0.25,
                        training: TrainingPlan(
                            epochs: 5, batchSize: 4, learningRate: 0.5, momentum: 0.75)),
                    round: RoundPlan(
                        agents: 10, minimum: 6, overSelection: 1.5, selectionSeconds: 5,
                        reportSeconds: 50, leaseSeconds: 7.5, maxExamples: 1000),
                    clipping: ClippingPlan(norm: 1.5, kappa: 5), privacy: nil,
                    server: ServerPlan(learningRate: 0.75, momentum: 0.25),
                    sealing: SealingPlan(maxAccuracyDrop: 0.05)))
    }

    @Test("a private plan carries its noise, its coin and its budget")
    func privatePlan() throws {
        let plan = try parse(validPrivatePlan)
        #expect(
            plan.privacy
                == PrivacyPlan(
                    noiseMultiplier: 0.5, delta: 1e-3, sampling: .poisson(rate: 0.25), agents: 40,
                    maxEpsilon: 8))
        #expect(plan.round.agents == 10)
        #expect(plan.round.minimum == 0)
        #expect(plan.round.overSelection == 1)
    }

    @Test("CSV data names a file and its label column")
    func csv() throws {
        let text = validPlan.replacing(#"format = "idx""#, with: #"format = "csv""#)
            .replacing(#"features_file = "x.idx""#, with: #"file = "x.csv""#)
            .replacing(#"labels_file = "y.idx""#, with: #"label_column = "kind""#)
        #expect(try parse(text).data.format == .csv(file: "x.csv", label: "kind"))
    }

    @Test("an absent key takes its documented default")
    func defaults() throws {
        let required = """
            [plan]
            name = "tiny"
            [data]
            format = "idx"
            features_file = "x"
            labels_file = "y"
            features = 4
            classes = 3
            [[model.layers]]
            units = 8
            [[model.layers]]
            units = 3
            [training]
            learning_rate = 0.1
            [teacher]
            hidden = [9]
            epochs = 3
            learning_rate = 0.1
            [distillation]
            epochs = 3
            learning_rate = 0.1
            [round]
            agents = 7
            [clipping]
            norm = 1

            """
        let plan = try parse(required)
        #expect(plan.title == "tiny" && plan.population == "tiny")
        #expect(plan.data.offset == [0] && plan.data.scale == [1])
        #expect(plan.layers.map(\.relu) == [true, false])
        #expect(
            plan.training
                == TrainingPlan(epochs: 1, batchSize: 32, learningRate: 0.1, momentum: 0.9))
        #expect(plan.teacher.training.batchSize == 32 && plan.teacher.training.momentum == 0.9)
        #expect(plan.distillation.temperature == 2 && plan.distillation.alpha == 0.5)
        #expect(
            plan.round
                == RoundPlan(
                    agents: 7, minimum: 4, overSelection: 1, selectionSeconds: 60,
                    reportSeconds: 600,
                    leaseSeconds: 60, maxExamples: 1_000_000))
        #expect(plan.clipping == ClippingPlan(norm: 1, kappa: 6))
        #expect(plan.privacy == nil)
        #expect(plan.server == ServerPlan(learningRate: 1, momentum: 0))
        #expect(plan.sealing == SealingPlan(maxAccuracyDrop: 0.1))

        let noise = "[privacy]\nnoise_multiplier = 1\ndelta = 1e-6\nagents = 7\n"
        let withPrivacy = try parse(required + noise)
        #expect(withPrivacy.privacy?.sampling == .everyone)
        #expect(withPrivacy.privacy?.maxEpsilon == nil)
        #expect(withPrivacy.round.minimum == 0)
    }
}
