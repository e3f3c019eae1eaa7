import DataSets
package import Federation
import Learning
import ModelFormats

/// Predictions from a model file, as lines of text.
package struct Prediction: ~Copyable {
    private static let batchRows = 64
    /// A model file that a device could hold in memory.
    private static let largestModelBytes: UInt64 = 1 << 30

    private var predictor: Predictor
    private let classes: Int
    private let input: FeatureFile

    /// - Parameters:
    ///   - directory: holds `model.onnx`.
    ///   - file: IDX or CSV rows of raw features.
    /// - Throws: `Fault` naming the file that is missing or malformed, and the row.
    package init(modelDirectory directory: String, input file: String) throws(Fault) {
        let path = "\(directory)/model.onnx"
        guard let size = fileSize(path) else {
            throw Fault(
                .notFound, "\(path) does not exist",
                remedy: "give --model the directory that holds model.onnx")
        }
        guard size <= Prediction.largestModelBytes else {
            throw Fault(.invalid, "\(path) has \(size) bytes, more than any model here")
        }
        let model: QuantizedModel
        do throws(Fault) {
            model = try OnnxModel.decode(try readBytes(path, count: Int(size))).model
        } catch {
            throw Fault(error.code, "\(path): \(error.message)", remedy: error.remedy)
        }
        input = try FeatureFile.open(file: file, features: model.shape.inputs)
        predictor = Predictor(model)
        classes = model.shape.classes
    }

    /// Calls `line` with the text for each row, in order: the class or, with `json`, an object with `label` and `outputs`.
    ///
    /// - Throws: `Fault` when the file cannot be read any more.
    package mutating func lines(json: Bool, _ line: (String) -> Void) throws(Fault) {
        for start in stride(from: 0, to: input.count, by: Prediction.batchRows) {
            let rows = start..<min(start + Prediction.batchRows, input.count)
            let outputs = predictor.outputs(
                raw: try input.read(rows: rows), rows: rows.count)
            for row in 0..<rows.count {
                let scores = outputs[row * classes..<(row + 1) * classes]
                let label = largestIndex(scores)
                line(json ? Prediction.json(label: label, outputs: scores) : String(label))
            }
        }
    }

    /// A float32's shortest decimal that reads back to the same bits; JSON allows every form Swift writes for a finite one.
    package static func json(label: Int, outputs: ArraySlice<Float>) -> String {
        object([
            ("label", String(label)),
            ("outputs", "[" + outputs.map(\.description).joined(separator: ",") + "]"),
        ])
    }
}
