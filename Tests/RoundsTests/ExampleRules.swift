import Federation
import Rounds

/// A plan of which only the parts that rounds read matter.
func examplePlan(_ round: RoundPlan, privacy: PrivacyPlan? = nil) -> Plan? {
    guard let id = PlanID("example") else { return nil }
    let training = TrainingPlan(epochs: 1, batchSize: 1, learningRate: 1, momentum: 0)
    return Plan(
        id: id, title: "", population: "everyone",
        data: DataPlan(
            format: .csv(file: "rows.csv", label: "class"), features: 1, classes: 2, offset: [0],
            scale: [1]),
        layers: LayerPlan.dense([2]), training: training,
        teacher: TeacherPlan(hidden: [], classes: 2, training: training),
        distillation: DistillationPlan(temperature: 1, alpha: 1, training: training), round: round,
        clipping: ClippingPlan(norm: 1, kappa: 6), privacy: privacy,
        server: ServerPlan(learningRate: 1, momentum: 0), sealing: SealingPlan(maxAccuracyDrop: 1))
}

/// Rules of a round that selects for 60 s and reports for 100 s, under leases of 30 s.
func openRules(
    agents: Int = 4, minimum: Int = 2, overSelection: Double = 1.25, leaseSeconds: Double = 30
) -> SelectionRules? {
    examplePlan(
        RoundPlan(
            agents: agents, minimum: minimum, overSelection: overSelection, selectionSeconds: 60,
            reportSeconds: 100, leaseSeconds: leaseSeconds, maxExamples: 1000)
    ).map(SelectionRules.init)
}

/// The same times with privacy. The minimum and over-selection are there to be ignored.
func privateRules(sampling: PrivacyPlan.Sampling = .everyone) -> SelectionRules? {
    examplePlan(
        RoundPlan(
            agents: 2, minimum: 2, overSelection: 2, selectionSeconds: 60, reportSeconds: 100,
            leaseSeconds: 30, maxExamples: 1000),
        privacy: PrivacyPlan(
            noiseMultiplier: 1, delta: 1e-5, sampling: sampling, agents: 2, maxEpsilon: nil)
    ).map(SelectionRules.init)
}
