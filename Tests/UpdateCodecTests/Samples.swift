import Federation
import UpdateCodec

extension Plan {
    /// A plan with the demo's student.
    static let sample = Plan(
        id: PlanID("sample") ?? { preconditionFailure("the name is valid") }(), title: "",
        population: "p",
        data: DataPlan(
            format: .csv(file: "a.csv", label: "label"), features: 784, classes: 10, offset: [0],
            scale: [1]),
        layers: LayerPlan.dense([128, 10]),
        training: training, teacher: TeacherPlan(hidden: [], classes: 10, training: training),
        distillation: DistillationPlan(temperature: 2, alpha: 0.5, training: training),
        round: RoundPlan(
            agents: 12, minimum: 12, overSelection: 1, selectionSeconds: 1, reportSeconds: 1,
            leaseSeconds: 1, maxExamples: 10),
        clipping: ClippingPlan(norm: 3.5, kappa: 6), privacy: nil,
        server: ServerPlan(learningRate: 1, momentum: 0),
        sealing: SealingPlan(maxAccuracyDrop: 1))

    private static let training = TrainingPlan(
        epochs: 1, batchSize: 1, learningRate: 0.1, momentum: 0)
}

extension Lattice {
    /// A lattice whose step follows from its other fields.
    static func sample(
        parameters: Int, norm: Float = 1, kappa: Float = 6, seed: UInt64 = 7
    ) -> Lattice {
        var lattice = Lattice(
            parameters: parameters, clippingNorm: norm, step: 0, kappa: kappa, rotationSeed: seed)
        lattice.step = kappa * norm / (127 * Float(lattice.dimension).squareRoot())
        return lattice
    }
}

/// `count` values of which few are large, as in the update of a real network; scaled to the L2 norm
/// `norm`.
func heavyTailed(_ count: Int, norm: Double, seed: UInt64) -> [Float] {
    var random = SeededRandom(seed: seed)
    let values = (0..<count).map { _ in
        let uniform = Double(random.next() >> 11) * 0x1p-53 - 0.5
        return uniform * uniform * uniform * uniform * uniform
    }
    let scale = norm / euclideanNorm(values)
    return values.map { Float($0 * scale) }
}

func euclideanNorm(_ values: some Sequence<Double>) -> Double {
    values.reduce(0) { $0 + $1 * $1 }.squareRoot()
}

func euclideanNorm(_ values: [Float]) -> Double { euclideanNorm(values.lazy.map(Double.init)) }
