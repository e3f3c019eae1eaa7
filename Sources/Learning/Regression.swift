package import Federation

/// The mean squared error of a network's outputs against normalised targets.
package struct Regression: Loss {
    private let scale: TargetScale
    /// The normalised targets of the current batch [rows x outputs].
    private var targets: [Float] = []

    /// - Throws: `Fault.invalid` when there is no normalisation of targets, or it is not one a
    ///   network of `outputs` outputs has.
    package init(normalisation: Normalisation, outputs: Int) throws(Fault) {
        guard let scale = normalisation.targets else {
            throw Fault(
                .invalid, "a student cannot learn targets that nobody named",
                remedy: "give the plan's [data] target_columns, or another objective")
        }
        try normalisation.check(outputs: outputs)
        self.scale = scale
    }

    package var answers: LossAnswers { .targets }

    package var valuesPerRow: Int { scale.outputs }

    package mutating func reserve(_ values: [Float]) { targets = values }

    package mutating func observe(targets raw: [Float], rows: Int) {
        let count = rows * scale.outputs
        if targets.count < count { targets = [Float](repeating: 0, count: count) }
        for index in 0..<count { targets[index] = scale.normalised(raw[index], at: index) }
    }

    package var observesFeatures: Bool { false }

    package mutating func observe(raw: [Float], rows: Int) {}

    package func gradient(
        logits: [Float], labels: [Int32], rows: Int, classes: Int, into gradient: inout [Float]
    ) -> Float {
        meanSquaredError(
            of: logits, against: targets, rows: rows, width: scale.outputs, into: &gradient)
    }
}

/// Writes the gradient of the mean squared error of `outputs` [rows x width] by them into
/// `gradient` and returns the error summed over the rows.
func meanSquaredError(
    of outputs: [Float], against targets: [Float], rows: Int, width: Int,
    into gradient: inout [Float]
) -> Float {
    var loss: Float = 0
    let share = 2 / Float(rows * width)
    for index in 0..<rows * width {
        let error = outputs[index] - targets[index]
        gradient[index] = share * error
        loss += error * error
    }
    return loss / Float(width)
}

/// The coefficient of determination of `outputs(raw features, rows)` [rows x targets], raw, on
/// `source`: the mean over the targets of 1 - squared error / squared deviation from the target's
/// mean; 0 where it is negative, which is worse than always to name the mean.
///
/// - Throws: `Fault.invalid` when the source does not fit, or all examples have the same target;
///   what reading throws.
func determination(
    on source: inout some ExampleSource, inputs: Int, targets width: Int,
    outputs: ([Float], Int) -> [Float]
) throws(Fault) -> Double {
    var batches = try Minibatches(
        of: source, inputs: inputs, answers: .targets(width), batchSize: Predictor.batchRows)
    var spreads = [Spread](repeating: Spread(), count: width)
    for batch in 0..<batches.count {
        let rows = try batches.read(batch, from: &source)
        let values = outputs(batches.features.values, rows)
        for index in 0..<rows * width {
            spreads[index % width].add(target: batches.targets[index], output: values[index])
        }
    }
    var sum = 0.0
    for (index, spread) in spreads.enumerated() {
        guard spread.deviation > 0 else {
            throw Fault(
                .invalid, "target \(index) is the same in every one of \(source.count) examples",
                remedy: "measure on examples in which it varies")
        }
        sum += 1 - spread.error / spread.deviation
    }
    return max(0, sum / Double(width))
}

/// How far one target is from its mean and from what was predicted.
private struct Spread {
    /// Sum of squared errors.
    private(set) var error = 0.0
    /// Sum of squared deviations from the mean, updated as Welford 1962 does.
    private(set) var deviation = 0.0
    private var mean = 0.0
    private var count = 0.0

    mutating func add(target: Float, output: Float) {
        let difference = Double(target) - Double(output)
        error += difference * difference
        count += 1
        let before = Double(target) - mean
        mean += before / count
        deviation += before * (Double(target) - mean)
    }
}
