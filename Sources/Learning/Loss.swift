import Glibc

/// What a loss compares a network's outputs with, besides its input.
package enum LossAnswers: Sendable {
    /// Labels, which must name a class.
    case labels
    /// Numbers, one an output.
    case targets
    case none
}

/// What a network is asked to minimise.
package protocol Loss: Sendable {
    var answers: LossAnswers { get }

    /// Whether it looks at the raw features.
    var observesFeatures: Bool { get }

    /// Values that it keeps of each row of a batch.
    var valuesPerRow: Int { get }

    /// Takes room for the values of the largest batch, so that no step need look for it.
    mutating func reserve(_ values: [Float])

    /// Sees the raw features [rows x inputs] of the batch whose outputs come next, if it looks at
    /// them.
    mutating func observe(raw: [Float], rows: Int)

    /// Sees the raw targets [rows x outputs] of the batch whose outputs come next, where they are
    /// the loss's answers.
    mutating func observe(targets: [Float], rows: Int)

    /// Writes the gradient of the mean loss by `logits` [rows x classes] into `gradient` and
    /// returns the summed loss.
    mutating func gradient(
        logits: [Float], labels: [Int32], rows: Int, classes: Int, into gradient: inout [Float]
    ) -> Float
}

extension Loss {
    package var answers: LossAnswers { .labels }

    package var observesFeatures: Bool { true }

    package var valuesPerRow: Int { 0 }

    package mutating func reserve(_ values: [Float]) {}

    package mutating func observe(targets: [Float], rows: Int) {}
}

/// Softmax cross-entropy with the labels, of the logits plus a constant for each class.
package struct CrossEntropy: Loss {
    /// Added to each class's logit; all zero for the plain loss.
    private let offsets: [Float]

    /// The plain loss.
    package init(classes: Int) { offsets = [Float](repeating: 0, count: classes) }

    /// The loss whose optimum does not depend on how often each class occurs in the data: it adds
    /// the logarithm of a class's share to its logit, so that the network need not learn the
    /// shares.
    ///
    /// Agents see the classes in different proportions. With this correction they still pull
    /// towards one model; without it each pulls towards its own proportions (Zhang et al.,
    /// "Federated Learning with Label Distribution Skew via Logits Calibration", 2022).
    ///
    /// - Parameter counts: examples of each class.
    package init(classCounts counts: [Int]) {
        // Half an example each keeps absent classes finite, and hardly touched.
        let total = Float(counts.reduce(0, +)) + Float(counts.count) / 2
        offsets = counts.map { logf((Float($0) + 0.5) / total) }
    }

    package var observesFeatures: Bool { false }

    package mutating func observe(raw: [Float], rows: Int) {}

    package func gradient(
        logits: [Float], labels: [Int32], rows: Int, classes: Int, into gradient: inout [Float]
    ) -> Float {
        for row in 0..<rows {
            for index in 0..<classes {
                gradient[row * classes + index] = logits[row * classes + index] + offsets[index]
            }
        }
        softmax(&gradient, rows: rows, classes: classes, temperature: 1)
        var loss: Float = 0
        for row in 0..<rows {
            let target = row * classes + Int(labels[row])
            loss -= logf(max(gradient[target], .leastNormalMagnitude))
            gradient[target] -= 1
        }
        let share = 1 / Float(rows)
        for index in 0..<rows * classes { gradient[index] *= share }
        return loss
    }
}

/// values [rows x classes] become softmax(values / temperature), row by row.
func softmax(_ values: inout [Float], rows: Int, classes: Int, temperature: Float) {
    for row in 0..<rows {
        let range = row * classes..<(row + 1) * classes
        var largest = -Float.infinity
        for index in range { largest = max(largest, values[index]) }
        var sum: Float = 0
        for index in range {
            let value = expf((values[index] - largest) / temperature)
            values[index] = value
            sum += value
        }
        for index in range { values[index] /= sum }
    }
}
