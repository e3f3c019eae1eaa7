package import Federation
import Kernels

/// Runs an int8 model; its outputs equal onnxruntime's on the same file to the bit.
package struct Predictor: Sendable {
    private var network: Int8Network
    private var features: [Float]
    private var logits: [Float]

    /// Rows of one pass; more bring no speed, and memory grows with it.
    static let batchRows = 64

    /// Prepares `model`'s weights and the buffers of one pass.
    package init(_ model: QuantizedModel) {
        network = Int8Network(model, capacity: Predictor.batchRows)
        features = [Float](repeating: 0, count: Predictor.batchRows * model.shape.inputs)
        logits = [Float](repeating: 0, count: Predictor.batchRows * model.shape.classes)
    }

    /// The dequantised float32 outputs [rows x classes] for raw features [rows x inputs]; targets
    /// are in raw units.
    package mutating func outputs(raw: [Float], rows: Int) -> [Float] {
        let (inputs, classes) = (network.shape.inputs, network.shape.classes)
        precondition(raw.count >= rows * inputs, "fewer features than rows")
        var outputs: [Float] = []
        outputs.reserveCapacity(rows * classes)
        for first in stride(from: 0, to: rows, by: Predictor.batchRows) {
            let count = min(Predictor.batchRows, rows - first)
            features.replaceSubrange(
                0..<count * inputs, with: raw[first * inputs..<(first + count) * inputs])
            network.forward(features: &features, rows: count)
            outputs += results(rows: count)
        }
        return outputs
    }

    /// As above for at most `batchRows` rows of raw features, which are overwritten.
    mutating func outputs(of features: inout RawFeatures, rows: Int) -> ArraySlice<Float> {
        if features.areBytes {
            network.forward(bytes: features.bytes, rows: rows)
        } else {
            network.forward(features: &features.values, rows: rows)
        }
        return results(rows: rows)
    }

    /// As `accuracy(of:on:)`, without preparing the model anew.
    ///
    /// - Throws: as there.
    package mutating func accuracy(on source: inout some ExampleSource) throws(Fault) -> Double {
        let shape = network.shape
        return try Learning.accuracy(
            on: &source, inputs: shape.inputs, classes: shape.classes,
            takesBytes: network.takesBytes
        ) { outputs(of: &$0, rows: $1) }
    }

    private mutating func results(rows: Int) -> ArraySlice<Float> {
        network.dequantise(activation: network.shape.layerCount, rows: rows, into: &logits)
        network.normalisation.targets?.restore(&logits, rows: rows)
        return logits[..<(rows * network.shape.classes)]
    }
}

extension Predictor {
    /// How unusual each of `rows` examples of raw features [rows x inputs] is to a model that
    /// reconstructs its input: the mean squared error of its outputs, in normalised units.
    ///
    /// - Throws: `Fault.invalid` when the model has not one output a feature.
    package mutating func anomalyScores(raw: [Float], rows: Int) throws(Fault) -> [Float] {
        var errors = try Reconstruction(normalisation: network.normalisation, shape: network.shape)
        errors.observe(raw: raw, rows: rows)
        return errors.errors(of: outputs(raw: raw, rows: rows), rows: rows)
    }
}

/// The share of `source` whose class the int8 model names: the largest output, the lowest index
/// among equals.
///
/// - Throws: `Fault.invalid` when the source's features or a label do not fit the model, or it is
///   empty.
package func accuracy(
    of model: QuantizedModel, on source: inout some ExampleSource
) throws(Fault) -> Double {
    var predictor = Predictor(model)
    return try predictor.accuracy(on: &source)
}

/// The arg-max accuracy of `outputs(raw features, rows)` [rows x classes] on `source`; it may
/// overwrite the features.
func accuracy(
    on source: inout some ExampleSource, inputs: Int, classes: Int, takesBytes: Bool = false,
    outputs: (inout RawFeatures, Int) -> ArraySlice<Float>
) throws(Fault) -> Double {
    var batches = try Minibatches(
        of: source, inputs: inputs, answers: .classes(classes), batchSize: Predictor.batchRows,
        takesBytes: takesBytes)
    var correct = 0
    for batch in 0..<batches.count {
        let rows = try batches.read(batch, from: &source)
        outputs(&batches.features, rows).withUnsafeBufferPointer { values in
            for row in 0..<rows {
                let best = largestIndex(values, row * classes..<(row + 1) * classes)
                if best == Int(batches.labels[row]) { correct += 1 }
            }
        }
    }
    return Double(correct) / Double(source.count)
}

/// The offset of the largest value, the lowest among equals.
package func largestIndex(_ scores: ArraySlice<Float>) -> Int {
    scores.withUnsafeBufferPointer { largestIndex($0, 0..<$0.count) }
}

/// The same of some of `scores`, from the first of them on.
private func largestIndex(_ scores: UnsafeBufferPointer<Float>, _ some: Range<Int>) -> Int {
    var best = some.lowerBound
    for index in some where scores[index] > scores[best] { best = index }
    return best - some.lowerBound
}
