import Cryptography
package import Federation
package import Provenance

/// Facts of versions that never were.
package enum SampleFacts {
    /// A small convolutional classifier of clothing.
    package static func plan(
        privacy: PrivacyPlan? = nil, card: ModelCardPlan = ModelCardPlan(),
        title: String = "Clothing on twelve devices"
    ) -> Plan? {
        let training = TrainingPlan(epochs: 2, batchSize: 64, learningRate: 0.02, momentum: 0.9)
        return PlanID("fashion").map {
            Plan(
                id: $0, title: title, population: "fashion-devices",
                data: DataPlan(
                    format: .idx(features: "images", labels: "labels"), features: 784, classes: 10,
                    shape: [1, 28, 28], offset: [0], scale: [255]),
                layers: [
                    LayerPlan(
                        name: "stem",
                        kind: .conv(
                            ConvPlan(
                                channels: 8, kernel: [3, 3], stride: [2, 2], padding: [1, 1])
                        )),
                    LayerPlan(name: "flat", kind: .flatten),
                    LayerPlan(name: "head", kind: .dense(units: 10, relu: false)),
                ], training: training, teacher: .none,
                distillation: DistillationPlan(temperature: 2, alpha: 0.5, training: training),
                round: RoundPlan(
                    agents: 12, minimum: 6, overSelection: 1, selectionSeconds: 5,
                    reportSeconds: 77, leaseSeconds: 5, maxExamples: 1000),
                clipping: ClippingPlan(norm: 1, kappa: 6), privacy: privacy,
                server: ServerPlan(learningRate: 1, momentum: 0.5),
                sealing: SealingPlan(maxAccuracyDrop: 0.1), card: card)
        }
    }

    package static let privacy = PrivacyPlan(
        noiseMultiplier: 0.75, delta: 1e-5, sampling: .poisson(rate: 0.05), agents: 1000,
        maxEpsilon: 8)

    package static func digest(_ text: String) -> Digest { SHA256.digest(of: text.utf8) }

    package static let participation = ModelFacts.RoundFacts.Participation(
        agents: 11, examples: 4321, rejected: 2)

    /// What round 14 of the plan adds.
    package static func round(
        _ plan: Plan, participation: ModelFacts.RoundFacts.Participation? = nil,
        distillation: DistillationTrial? = nil
    ) throws -> ModelFacts.RoundFacts {
        ModelFacts.RoundFacts(
            at: RoundAttempt(round: RoundID(14), attempt: 2),
            lattice: Lattice(
                parameters: plan.parameterCount, clippingNorm: 1.5, step: 0.001, kappa: 6,
                rotationSeed: .max - 6),
            updates: digest("updates"), capacity: 256, participation: participation,
            distillation: distillation)
    }

    /// Version 12, of version 11, unless something else is said.
    package static func facts(
        _ plan: Plan, origin: ModelFacts.Origin, version: UInt64 = 12,
        spend: ModelFacts.Spend? = nil
    ) -> ModelFacts {
        ModelFacts(
            fleet: "lab", plan: plan, planDigest: digest("plan"), version: version,
            model: digest("model"), modelSize: 1_234_567,
            parent: version == 0
                ? nil : ModelFacts.Parent(version: version - 1, model: digest("parent")),
            origin: origin, accuracy: 0.87654321, testExamples: 10_000, spend: spend)
    }

    /// A version of a plan without privacy, after its round.
    package static func open() throws -> ModelFacts {
        guard let plan = plan() else { throw Fault(.internal, "no plan") }
        return facts(
            plan,
            origin: .round(
                try round(
                    plan, participation: participation,
                    distillation: DistillationTrial(accuracyBefore: 0.81, accuracyAfter: 0.83))))
    }

    /// A version of a private plan, after its round.
    package static func secret() throws -> ModelFacts {
        guard let plan = plan(privacy: privacy) else { throw Fault(.internal, "no plan") }
        return facts(
            plan, origin: .round(try round(plan)),
            spend: ModelFacts.Spend(epsilon: 3.14159265, rounds: 12, localEpsilon: nil))
    }

    /// Version 0.
    package static func first() throws -> ModelFacts {
        guard let plan = plan() else { throw Fault(.internal, "no plan") }
        return facts(plan, origin: .distillation(teacherAccuracy: 0.9), version: 0)
    }
}
