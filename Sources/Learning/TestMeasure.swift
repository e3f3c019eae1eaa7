package import Federation

/// How well a model does what its plan asks for, on test examples: from 0 to 1, more is better.
///
/// A classifier is measured by its accuracy. A model that reconstructs its input is measured by how
/// it ranks: the probability that an anomaly, an example of any class but 0, scores higher than a
/// normal one, of class 0 (the area under the ROC curve); without labels, by the share of the
/// features' variance that it explains. A model that predicts targets is measured by the share of
/// their variance that it explains (R2), the mean over the targets. Shares of variance are 0 when
/// they are negative.
extension QuantizedModel {
    /// - Throws: `Fault.invalid` when the examples do not fit, are not of both kinds where anomalies
    ///   are ranked, or all have the same targets; what reading throws.
    package func measure(
        _ objective: TrainingPlan.Objective, on source: inout some ExampleSource
    ) throws(Fault) -> Double {
        guard objective != .classification else { return try accuracy(of: self, on: &source) }
        var predictor = Predictor(self)
        return try Learning.measure(
            objective, on: &source, shape: shape, normalisation: normalisation
        ) { predictor.outputs(raw: $0, rows: $1) }
    }
}

extension FloatStudent {
    /// As a `QuantizedModel`'s.
    ///
    /// - Throws: as there.
    package func measure(
        _ objective: TrainingPlan.Objective, on source: inout some ExampleSource
    ) throws(Fault) -> Double {
        var network = FloatNetwork(
            shape: shape, normalisation: normalisation, capacity: Predictor.batchRows, seed: nil)
        return try Learning.measure(
            objective, on: &source, shape: shape, normalisation: normalisation
        ) { outputs(raw: $0, rows: $1, network: &network) }
    }
}

/// Measures `outputs(raw features, rows)` [rows x shape.classes].
private func measure(
    _ objective: TrainingPlan.Objective, on source: inout some ExampleSource, shape: StudentShape,
    normalisation: Normalisation, outputs: ([Float], Int) -> [Float]
) throws(Fault) -> Double {
    switch objective {
    case .classification:
        return try accuracy(
            on: &source, inputs: shape.inputs, classes: shape.classes
        ) { outputs($0.values, $1)[...] }
    case .reconstruction:
        var errors = try Reconstruction(normalisation: normalisation, shape: shape)
        let scores = { (raw: [Float], rows: Int) throws(Fault) in
            errors.observe(raw: raw, rows: rows)
            return errors.errors(of: outputs(raw, rows), rows: rows)
        }
        return source.hasLabels
            ? try rankingQuality(on: &source, scores: scores)
            : try explainedVariance(on: &source, normalisation: normalisation, errors: scores)
    case .regression:
        return try determination(
            on: &source, inputs: shape.inputs, targets: shape.classes, outputs: outputs)
    }
}

/// The area under the ROC curve of `scores(raw features, rows)` on `source`.
private func rankingQuality(
    on source: inout some ExampleSource, scores: ([Float], Int) throws(Fault) -> [Float]
) throws(Fault) -> Double {
    var features = [Float](repeating: 0, count: Predictor.batchRows * source.features)
    var labels = [Int32](repeating: 0, count: Predictor.batchRows)
    var normal: [Float] = []
    var anomalous: [Float] = []
    for start in stride(from: 0, to: source.count, by: Predictor.batchRows) {
        let rows = Array(start..<min(start + Predictor.batchRows, source.count))
        try source.read(rows: rows[...], features: &features, labels: &labels)
        for (score, label) in zip(try scores(features, rows.count), labels) {
            if label == 0 { normal.append(score) } else { anomalous.append(score) }
        }
    }
    guard !normal.isEmpty, !anomalous.isEmpty else {
        throw Fault(
            .invalid,
            "the test data has \(normal.count) normal examples, of class 0, and \(anomalous.count)"
                + " others", remedy: "give it examples of both kinds")
    }
    return areaUnderCurve(lower: normal, higher: anomalous)
}

/// The share of pairs in which the one of `higher` is the larger; a tie counts half.
func areaUnderCurve(lower: [Float], higher: [Float]) -> Double {
    let lower = lower.sorted()
    var wins = 0.0
    for value in higher {
        let below = lower.partitionPoint { $0 >= value }
        let notAbove = lower.partitionPoint { $0 > value }
        wins += Double(below) + Double(notAbove - below) / 2
    }
    return wins / (Double(lower.count) * Double(higher.count))
}

extension [Float] {
    /// The index of the first element of which `isBeyond` is true; the array is sorted so that all
    /// after it are, too.
    fileprivate func partitionPoint(_ isBeyond: (Float) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
