package import Federation
import Kernels

/// The fp32 network from which the first student learns: dense layers with ReLU between them.
package struct Teacher: Sendable {
    private let normalisation: Normalisation
    private(set) var layers: [LinearLayer]
    /// Outputs of each layer [capacity x width], the input's before them.
    private var activations: [[Float]]
    private var capacity: Int

    private init(
        widths: [Int], normalisation: Normalisation, capacity: Int,
        training: TrainingPlan, random: inout some RandomSource
    ) {
        self.normalisation = normalisation
        self.capacity = capacity
        layers = []
        for (inputs, outputs) in zip(widths, widths.dropFirst()) {
            layers.append(
                LinearLayer(
                    weights: initialWeights(inputs * outputs, inputs: inputs, random: &random),
                    bias: [Float](repeating: 0, count: outputs), training: training))
        }
        activations = widths.map { [Float](repeating: 0, count: capacity * $0) }
    }

    /// A network trained elsewhere, its layers from input to output; it is fed what the plan's
    /// normalisation makes of raw features.
    ///
    /// - Throws: `Fault.invalid` naming the layer whose size does not fit the data or the layer
    ///   before it, or that holds a value which is not finite.
    package init(layers imported: [ImportedLayer], plan: DataPlan) throws(Fault) {
        normalisation = Normalisation(plan: plan)
        try normalisation.check(features: plan.features)
        guard imported.last?.bias.count == plan.classes else {
            throw Fault(
                .invalid,
                "the teacher has \(imported.last?.bias.count ?? 0) outputs, the plan"
                    + " \(plan.classes) classes",
                remedy: "use a teacher that was trained for this plan")
        }
        var width = plan.features
        for (index, layer) in imported.enumerated() {
            try layer.check(inputs: width, name: "layer \(index) of the teacher")
            width = layer.bias.count
        }
        // It is never trained here.
        let training = TrainingPlan(epochs: 1, batchSize: 1, learningRate: 0, momentum: 0)
        layers = imported.map {
            LinearLayer(weights: $0.weights, bias: $0.bias, training: training)
        }
        capacity = 0
        activations = []
    }

    /// Raw features a row.
    package var inputs: Int { layers[0].inputs }
    /// Outputs a row.
    package var classes: Int { layers[layers.count - 1].outputs }

    /// Trains the network that `plan.teacher` describes, the learning rate falling to zero along a
    /// cosine.
    ///
    /// - Parameter progress: called with the finished share in [0, 1] every few batches; false
    ///   stops.
    /// - Throws: `Fault.invalid` when the data does not fit the plan or training diverged;
    ///   `Fault.gone` when stopped; what reading and `progress` throw.
    package static func trained<Source: ExampleSource, Random: RandomSource>(
        plan: Plan, on source: inout Source, random: inout Random,
        progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> Teacher {
        let normalisation = Normalisation(plan: plan.data)
        try normalisation.check(features: plan.data.features)
        var training = plan.teacher.training
        training.schedule = .cosine
        let teacher = Teacher(
            widths: [plan.data.features] + plan.teacher.hidden + [plan.data.classes],
            normalisation: normalisation, capacity: training.batchSize, training: training,
            random: &random)
        var learner = TeacherLearner(teacher: teacher, training: training)
        _ = try train(
            &learner, on: &source, training: training, random: &random, progress: progress)
        guard
            learner.teacher.layers.allSatisfy({
                $0.weights.values.allSatisfy(\.isFinite) && $0.bias.values.allSatisfy(\.isFinite)
            })
        else {
            throw Fault(
                .invalid, "the teacher's training diverged: a weight is no longer finite",
                remedy: "lower the learning rate or the momentum in the plan's [teacher] section")
        }
        return learner.teacher
    }

    /// Logits [rows x classes] for raw features [rows x inputs].
    package mutating func logits(raw: [Float], rows: Int) -> [Float] {
        if rows > capacity {
            capacity = rows
            activations = ([inputs] + layers.map(\.outputs)).map {
                [Float](repeating: 0, count: rows * $0)
            }
        }
        forward(raw: raw, rows: rows)
        return Array(activations[layers.count][..<(rows * classes)])
    }

    /// The share of `source` whose class the teacher names.
    ///
    /// - Throws: `Fault.invalid` when the source does not fit; what reading throws.
    package func accuracy(on source: inout some ExampleSource) throws(Fault) -> Double {
        var teacher = self
        return try Learning.accuracy(
            on: &source, inputs: inputs, classes: classes
        ) { teacher.logits(raw: $0, rows: $1) }
    }

    fileprivate mutating func forward(raw: [Float], rows: Int) {
        activations[0].replaceSubrange(0..<rows * inputs, with: raw[..<(rows * inputs)])
        Int8Kernels.normalise(
            &activations[0], rows: rows, features: inputs, offset: normalisation.offset,
            scale: normalisation.scale)
        for (index, layer) in layers.enumerated() {
            layer.forward(
                activations[index], rows: rows, relu: index + 1 < layers.count,
                into: &activations[index + 1])
        }
    }

    /// Descends on the gradient by the logits [rows x classes] of the last forward pass; `gradient`
    /// is overwritten.
    fileprivate mutating func backward(
        _ gradient: inout [Float], scratch: inout [Float], rows: Int, descent: Descent
    ) {
        for index in layers.indices.reversed() {
            if index > 0 {
                layers[index].propagate(gradient, rows: rows, into: &scratch)
                for entry in 0..<rows * layers[index].inputs where activations[index][entry] <= 0 {
                    scratch[entry] = 0
                }
            }
            layers[index].differentiate(
                gradient: gradient, input: activations[index], rows: rows)
            layers[index].descend(descent)
            swap(&gradient, &scratch)
        }
    }

    fileprivate func output() -> [Float] { activations[layers.count] }
    fileprivate var widest: Int { activations.reduce(0) { max($0, $1.count) } }
}

/// A dense layer of a teacher that was trained elsewhere.
package struct ImportedLayer: Sendable {
    /// Outputs x inputs, row-major.
    package var weights: [Float]
    /// One an output.
    package var bias: [Float]

    package init(weights: [Float], bias: [Float]) {
        self.weights = weights
        self.bias = bias
    }

    fileprivate func check(inputs: Int, name: String) throws(Fault) {
        guard !bias.isEmpty, weights.count == inputs * bias.count else {
            throw Fault(
                .invalid,
                "\(name) has \(weights.count) weights where \(inputs) inputs and \(bias.count)"
                    + " outputs need \(inputs * bias.count)",
                remedy: "use a teacher that was trained for this plan")
        }
        guard weights.allSatisfy(\.isFinite), bias.allSatisfy(\.isFinite) else {
            throw Fault(.invalid, "\(name) holds a value that is not finite")
        }
    }
}

private struct TeacherLearner: MinibatchLearner {
    var teacher: Teacher
    private let training: TrainingPlan
    private var steps = 0
    private let objective: CrossEntropy
    private var gradient: [Float]
    private var scratch: [Float]

    init(teacher: Teacher, training: TrainingPlan) {
        self.teacher = teacher
        self.training = training
        objective = CrossEntropy(classes: teacher.classes)
        gradient = [Float](repeating: 0, count: teacher.widest)
        scratch = gradient
    }

    var inputs: Int { teacher.inputs }
    var classes: Int? { teacher.classes }

    mutating func step(
        features: inout [Float], labels: [Int32], rows: Int, learningRate: Float
    ) -> Float {
        teacher.forward(raw: features, rows: rows)
        let loss = objective.gradient(
            logits: teacher.output(), labels: labels, rows: rows,
            classes: teacher.classes, into: &gradient)
        steps += 1
        teacher.backward(
            &gradient, scratch: &scratch, rows: rows,
            descent: Descent(training, learningRate: learningRate, count: steps))
        return loss
    }
}
