import Federation
import Simulation
import Testing

/// Examples held in an array.
struct Table: ExampleSource {
    var features: Int
    /// Row-major.
    var values: [Float]
    var classes: [Int32]
    var targets = 0
    /// Row-major.
    var answers: [Float] = []

    var count: Int { classes.count }

    /// The rows whose index `holds`.
    func rows(where holds: (Int) -> Bool) -> Table {
        let kept = classes.indices.filter(holds)
        return Table(
            features: features,
            values: kept.flatMap { values[$0 * features..<($0 + 1) * features] },
            classes: kept.map { classes[$0] })
    }

    func read(
        rows: ArraySlice<Int>, features output: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        for (offset, row) in rows.enumerated() {
            labels[offset] = classes[row]
            for column in 0..<features {
                output[offset * features + column] = values[row * features + column]
            }
        }
    }
}

extension Table {
    func read(
        rows: ArraySlice<Int>, features output: inout [Float], targets values: inout [Float]
    ) throws(Fault) {
        var labels = [Int32](repeating: 0, count: rows.count)
        try read(rows: rows, features: &output, labels: &labels)
        for (offset, row) in rows.enumerated() {
            for column in 0..<targets {
                values[offset * targets + column] = answers[row * targets + column]
            }
        }
    }
}

/// `count` rows of 6 features around one centre a class, of which there are 4, in turn; the centres
/// are always the same.
func clusters(_ count: Int, seed: UInt64 = 1) -> Table {
    let (features, classes) = (6, 4)
    var places = SeededRandom(seed: 99)
    let centres = (0..<classes * features).map { _ in Float(places.next() % 5) - 2 }
    var random = SeededRandom(seed: seed)
    var table = Table(features: features, values: [], classes: [])
    for row in 0..<count {
        let label = row % classes
        table.classes.append(Int32(label))
        for column in 0..<features {
            let noise = Float(random.next() >> 40) / Float(1 << 23) - 1
            table.values.append(centres[label * features + column] + noise)
        }
    }
    return table
}

/// The rows of each of `sources`, one source after another.
func resident(_ sources: Table...) throws(Fault) -> ResidentExamples {
    var examples = ResidentExamples(features: 6)
    for source in sources {
        var source = source
        try examples.append(&source)
    }
    return examples
}

/// A plan for `clusters` with one hidden layer of 8; five agents a round unless it is private.
func clusterPlan(privacy: PrivacyPlan? = nil) throws -> Plan {
    let id = try #require(PlanID("clusters"))
    let training = TrainingPlan(epochs: 1, batchSize: 16, learningRate: 0.05, momentum: 0.9)
    return Plan(
        id: id, title: "", population: "clusters",
        data: DataPlan(
            format: .csv(file: "rows.csv", label: "label"), features: 6, classes: 4, offset: [0],
            scale: [1]),
        layers: LayerPlan.dense([8, 4]), training: training,
        teacher: TeacherPlan(hidden: [8], classes: 4, training: training),
        distillation: DistillationPlan(temperature: 2, alpha: 0.5, training: training),
        round: RoundPlan(
            agents: 5, minimum: 3, overSelection: 1, selectionSeconds: 1, reportSeconds: 1,
            leaseSeconds: 1, maxExamples: 1000), clipping: ClippingPlan(norm: 2, kappa: 6),
        privacy: privacy, server: ServerPlan(learningRate: 1, momentum: 0),
        sealing: SealingPlan(maxAccuracyDrop: 0.2))
}

/// A student's weights that know nothing yet: small, from a seed, with scales that fit `clusters`.
func blankParameters(seed: UInt64 = 3) -> [Float] {
    var random = SeededRandom(seed: seed)
    let weights = (0..<6 * 8 + 8 + 8 * 4 + 4).map { _ in
        Float(random.next() >> 40) / Float(1 << 24) - 0.5
    }
    return weights + [-3.7, -4, -3.7]
}
