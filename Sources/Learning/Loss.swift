import Glibc

/// What a network is asked to minimise.
protocol Loss: Sendable {
    /// Sees the raw features [rows x inputs] of the batch whose outputs come next.
    mutating func observe(raw: [Float], rows: Int)

    /// Writes the gradient of the mean loss by `logits` [rows x classes] into `gradient` and returns the summed loss.
    mutating func gradient(
        logits: [Float], labels: [Int32], rows: Int, classes: Int, into gradient: inout [Float]
    ) -> Float
}

/// Softmax cross-entropy with the labels.
struct CrossEntropy: Loss {
    mutating func observe(raw: [Float], rows: Int) {}

    func gradient(
        logits: [Float], labels: [Int32], rows: Int, classes: Int, into gradient: inout [Float]
    ) -> Float {
        softmax(logits, rows: rows, classes: classes, temperature: 1, into: &gradient)
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

/// probabilities [rows x classes] = softmax(logits / temperature), row by row.
func softmax(
    _ logits: [Float], rows: Int, classes: Int, temperature: Float,
    into probabilities: inout [Float]
) {
    for row in 0..<rows {
        let range = row * classes..<(row + 1) * classes
        var largest = -Float.infinity
        for index in range { largest = max(largest, logits[index]) }
        var sum: Float = 0
        for index in range {
            let value = expf((logits[index] - largest) / temperature)
            probabilities[index] = value
            sum += value
        }
        for index in range { probabilities[index] /= sum }
    }
}
