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
                        LayerPlan(name: "layer0", kind: .dense(units: 8, relu: true)),
                        LayerPlan(name: "layer1", kind: .dense(units: 3, relu: false)),
                    ],
                    training: TrainingPlan(
                        epochs: 2, batchSize: 16, learningRate: 0.125, momentum: 0.5),
                    teacher: TeacherPlan(
                        hidden: [32, 16], classes: 3,
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

    @Test("a table's columns, missing values and windows arrive where they belong")
    func table() throws {
        let written = """
            format = "csv"
            feature_columns = ["ax", "ay"]
            class_names = ["still", "moving"]
            missing = ["", "NA"]
            window = { length = 2, stride = 1, label = "majority", group_column = "recording" }
            """
        let text = validPlan.replacing(#"format = "idx""#, with: written)
            .replacing(#"features_file = "x.idx""#, with: #"file = "log-*.csv""#)
            .replacing(#"labels_file = "y.idx""#, with: #"label_column = "kind""#)
        let expected = TableFormat(
            files: "log-*.csv", label: "kind", classNames: ["still", "moving"],
            columns: [.init(name: "ax"), .init(name: "ay")], missing: ["", "NA"],
            window: WindowFormat(length: 2, stride: 1, label: .majority, group: "recording"))
        #expect(try parse(text).data.format == .table(expected))
    }

    @Test("one offset a channel is the offset of all its features")
    func offsetsOfChannels() throws {
        let text = validPlan.replacing("features = 4", with: "features = 4\nshape = [2, 1, 2]")
            .replacing("offset = [1, 2.5, 3, 4]", with: "offset = [1, 2]")
            .replacing(
                "[[model.layers]]", with: "[[model.layers]]\ntype = \"flatten\"\n[[model.layers]]",
                maxReplacements: 1)
        let data = try parse(text).data
        #expect(data.offset == [1, 1, 2, 2])
    }

    @Test("every training option arrives where it belongs")
    func training() throws {
        let written = """
            momentum = 0.5
            nesterov = true
            weight_decay = 0.25
            schedule = "cosine"
            gradient_clip = 5
            proximal_mu = 0.125
            patience = 3
            balances_classes = false
            """
        let plan = try parse(
            validPlan.replacing("momentum = 0.5", with: written, maxReplacements: 1)
        ).training
        var expected = TrainingPlan(
            epochs: 2, batchSize: 16, learningRate: 0.125,
            optimizer: .sgd(momentum: 0.5, nesterov: true))
        expected.weightDecay = 0.25
        expected.schedule = .cosine
        expected.clipNorm = 5
        expected.proximalMu = 0.125
        expected.patience = 3
        expected.balancesClasses = false
        #expect(plan == expected)
    }

    @Test("AdamW has betas in place of a momentum", arguments: [nil, [0.5, 0.75]] as [[Float]?])
    func adamW(betas: [Float]?) throws {
        let written =
            betas.map { "optimizer = \"adamw\"\nbetas = \($0)" } ?? "optimizer = \"adamw\""
        let plan = try parse(
            validPlan.replacing("momentum = 0.5", with: written, maxReplacements: 1))
        #expect(
            plan.training.optimizer
                == .adamW(beta1: betas?[0] ?? 0.9, beta2: betas?[1] ?? 0.999, epsilon: 1e-8))
    }

    @Test("a student that reconstructs has an output a feature")
    func reconstruction() throws {
        let text = untaughtPlan("reconstruction").replacing("units = 3", with: "units = 4")
        let plan = try parse(text)
        #expect(plan.training.objective == .reconstruction)
        #expect(plan.teacher == .none)
        #expect(plan.widths == [4, 8, 4])
    }

    @Test("distillation after rounds is off unless asked for, and needs classes")
    func postRoundDistillation() throws {
        #expect(try parse(validPlan).distillation.postRoundEpochs == 0)
        let text = validPlan.replacing(
            "[distillation]", with: "[distillation]\npost_round_epochs = 4")
        #expect(try parse(text).distillation.postRoundEpochs == 4)
        let other = untaughtPlan("reconstruction").replacing("units = 3", with: "units = 4")
            .replacing("[distillation]", with: "[distillation]\npost_round_epochs = 4")
        #expect(
            refusal(of: other)
                == "tiny.toml:25:21: post_round_epochs in [distillation] does not belong to a plan"
                + #" with an objective other than "classification"; remove post_round_epochs"#)
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
        #expect(plan.data.shape == [4, 1, 1])
        #expect(plan.data.offset == [0] && plan.data.scale == [1])
        #expect(plan.data.heldOut == 0)
        #expect(plan.layers.map(\.kind.hasReLU) == [true, false])
        #expect(
            plan.training
                == TrainingPlan(epochs: 1, batchSize: 32, learningRate: 0.1, momentum: 0.9))
        #expect(
            plan.teacher.training
                == TrainingPlan(epochs: 3, batchSize: 32, learningRate: 0.1, momentum: 0.9))
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
