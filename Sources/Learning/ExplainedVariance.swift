import Federation
import Kernels

/// The share of the normalised features' variance in `source` that a reconstruction explains, 0 when
/// that is negative: what tells good from bad where no label says which examples are anomalies.
///
/// - Parameter errors: the mean squared error of each of so many rows of raw features.
/// - Throws: `Fault.invalid` when all examples are the same; what reading and `errors` throw.
func explainedVariance(
    on source: inout some ExampleSource, normalisation: Normalisation,
    errors: ([Float], Int) throws(Fault) -> [Float]
) throws(Fault) -> Double {
    let width = source.features
    var features = [Float](repeating: 0, count: Predictor.batchRows * width)
    var labels = [Int32](repeating: 0, count: Predictor.batchRows)
    var sums = [Double](repeating: 0, count: width)
    var squares = sums
    var error = 0.0
    for start in stride(from: 0, to: source.count, by: Predictor.batchRows) {
        let rows = Array(start..<min(start + Predictor.batchRows, source.count))
        try source.read(rows: rows[...], features: &features, labels: &labels)
        for value in try errors(features, rows.count).prefix(rows.count) {
            error += Double(value) * Double(width)
        }
        Int8Kernels.normalise(
            &features, rows: rows.count, features: width, offset: normalisation.offset,
            scale: normalisation.scale)
        for index in 0..<rows.count * width {
            sums[index % width] += Double(features[index])
            squares[index % width] += Double(features[index]) * Double(features[index])
        }
    }
    let count = Double(source.count)
    let variance = zip(sums, squares).reduce(0) { $0 + $1.1 - $1.0 * $1.0 / count }
    guard variance > 0 else {
        throw Fault(
            .invalid, "all \(source.count) test examples are the same",
            remedy: "give the test data examples that differ")
    }
    return max(0, 1 - error / variance)
}
