package import Federation
import Kernels

/// The mean squared error of a network's outputs against its own normalised input.
package struct Reconstruction: Loss {
    private let normalisation: Normalisation
    private let width: Int
    /// The normalised input of the current batch [rows x width].
    private var targets: [Float] = []

    /// - Throws: `Fault.invalid` when the student has not one output a feature.
    package init(normalisation: Normalisation, shape: StudentShape) throws(Fault) {
        guard shape.classes == shape.inputs else {
            throw Fault(
                .invalid,
                "a student with \(shape.inputs) inputs and \(shape.classes) outputs cannot"
                    + " reconstruct its input")
        }
        self.normalisation = normalisation
        width = shape.inputs
    }

    package var answers: LossAnswers { .none }

    package var valuesPerRow: Int { width }

    package mutating func reserve(_ values: [Float]) { targets = values }

    package mutating func observe(raw: [Float], rows: Int) {
        let count = rows * width
        if targets.count < count { targets = [Float](repeating: 0, count: count) }
        for index in 0..<count { targets[index] = raw[index] }
        Int8Kernels.normalise(
            &targets, rows: rows, features: width, offset: normalisation.offset,
            scale: normalisation.scale)
    }

    package func gradient(
        logits: [Float], labels: [Int32], rows: Int, classes: Int, into gradient: inout [Float]
    ) -> Float {
        meanSquaredError(
            of: logits, against: targets, rows: rows, width: width, into: &gradient)
    }

    /// The mean squared error of each row of `outputs` [rows x width] against the batch last
    /// observed.
    func errors(of outputs: [Float], rows: Int) -> [Float] {
        (0..<rows).map { row in
            let range = row * width..<(row + 1) * width
            let sum = range.reduce(Float(0)) { sum, index in
                let error = outputs[index] - targets[index]
                return sum + error * error
            }
            return sum / Float(width)
        }
    }
}
