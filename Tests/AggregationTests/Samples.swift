import Aggregation
import Federation
import UpdateCodec

extension Plan {
    /// A plan of d = 8 * 6 + 6 + 6 * 3 + 3 + 3 = 78 parameters.
    static func sample(
        privacy: PrivacyPlan? = nil, server: ServerPlan = ServerPlan(learningRate: 1, momentum: 0)
    ) -> Plan {
        let training = TrainingPlan(epochs: 1, batchSize: 1, learningRate: 0.1, momentum: 0)
        return Plan(
            id: PlanID("sample") ?? { preconditionFailure("the name is valid") }(), title: "",
            population: "p",
            data: DataPlan(
                format: .csv(file: "a.csv", label: "label"), features: 8, classes: 3, offset: [0],
                scale: [1]),
            layers: LayerPlan.dense([6, 3]),
            training: training, teacher: TeacherPlan(hidden: [], classes: 3, training: training),
            distillation: DistillationPlan(temperature: 2, alpha: 0.5, training: training),
            round: RoundPlan(
                agents: 12, minimum: 1, overSelection: 1, selectionSeconds: 1, reportSeconds: 1,
                leaseSeconds: 1, maxExamples: 500),
            clipping: ClippingPlan(norm: 1, kappa: 6), privacy: privacy, server: server,
            sealing: SealingPlan(maxAccuracyDrop: 1))
    }
}

extension PrivacyPlan {
    static func sample(noiseMultiplier: Double) -> PrivacyPlan {
        PrivacyPlan(
            noiseMultiplier: noiseMultiplier, delta: 1e-5, sampling: .everyone, agents: 12,
            maxEpsilon: nil)
    }
}

/// `count` encoded updates of norm about 1, each of other parameters, with weights 100, 110, ...
func sampleUpdates(
    _ count: Int, lattice: Lattice
) throws -> [(delta: [Float], values: [Int8], weight: UInt64)] {
    var random = SeededRandom(seed: 99)
    return try (0..<count).map { number in
        let delta = (0..<lattice.parameters).map { _ in
            (Float(random.next() >> 40) * 0x1p-24 - 0.5) * 0.3
        }
        let encoded = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
        return (delta, encoded.values, UInt64(100 + 10 * number))
    }
}
