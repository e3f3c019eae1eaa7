import Federation
import Learning
import Testing

/// Examples held in memory.
struct Table: ExampleSource {
    var features: Int
    /// Row-major.
    var values: [Float]
    var classes: [Int32]
    var targets = 0
    var hasLabels = true
    /// Row-major.
    var answers: [Float] = []

    var count: Int { classes.count }

    mutating func read(
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

    mutating func read(
        rows: ArraySlice<Int>, features output: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        for (offset, row) in rows.enumerated() {
            labels[offset] = classes[row]
            for column in 0..<features {
                output[offset * features + column] = values[row * features + column]
            }
        }
    }

    /// `count` rows of bytes around one random centre a class, classes in turn.
    static func clusters(_ count: Int, features: Int, classes: Int, seed: UInt64) -> Table {
        var random = SeededRandom(seed: seed)
        let centres = (0..<classes * features).map { _ in Float(random.next() % 200) }
        var table = Table(features: features, values: [], classes: [])
        for row in 0..<count {
            let label = row % classes
            table.classes.append(Int32(label))
            for column in 0..<features {
                let noise = Float(random.next() % 81) - 40
                table.values.append(
                    min(max(centres[label * features + column] + noise, 0), 255))
            }
        }
        return table
    }
}

/// A plan over `widths` with ReLU between layers, pixels scaled to [0, 1].
func examplePlan(
    widths: [Int], training: TrainingPlan, temperature: Float = 3, alpha: Float = 0.3
) throws -> Plan {
    let id = try #require(PlanID("example"))
    return Plan(
        id: id, title: "", population: "example",
        data: DataPlan(
            format: .idx(features: "features", labels: "labels"), features: widths[0],
            classes: widths[widths.count - 1], offset: [0], scale: [255]),
        layers: LayerPlan.dense(Array(widths.dropFirst())), training: training,
        teacher: TeacherPlan(hidden: [24], classes: widths[widths.count - 1], training: training),
        distillation: DistillationPlan(
            temperature: temperature, alpha: alpha, training: training),
        round: RoundPlan(
            agents: 1, minimum: 1, overSelection: 1, selectionSeconds: 1, reportSeconds: 1,
            leaseSeconds: 1, maxExamples: 1), clipping: ClippingPlan(norm: 1, kappa: 6),
        privacy: nil, server: ServerPlan(learningRate: 1, momentum: 0),
        sealing: SealingPlan(maxAccuracyDrop: 1))
}

/// Random parameters of plausible size for `shape`: weights of variance 1 / inputs, scales that fit
/// inputs in [0, 1].
func exampleParameters(_ shape: StudentShape, seed: UInt64) -> [Float] {
    var random = SeededRandom(seed: seed)
    func uniform() -> Float { 2 * Float(random.next() >> 40) / Float(1 << 24) - 1 }
    var parameters: [Float] = []
    for layer in 0..<shape.layerCount {
        let inputs = shape.widths[layer]
        let bound = (3 / Float(inputs)).squareRoot()
        for _ in 0..<inputs * shape.widths[layer + 1] { parameters.append(bound * uniform()) }
        for _ in 0..<shape.widths[layer + 1] { parameters.append(0.1 * uniform()) }
    }
    // ln(1/127) for the input, 3/255 and 3/127 for the layers.
    parameters.append(-4.844)
    for layer in 0..<shape.layerCount { parameters.append(shape.relu[layer] ? -4.4427 : -3.7457) }
    return parameters
}

/// Lets training run to its end.
func always(_ progress: Double) throws(Fault) -> Bool { true }

let pixels = Normalisation(offset: [0], scale: [255])
