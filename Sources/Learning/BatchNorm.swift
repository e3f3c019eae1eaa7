package import Federation
import Glibc

/// Batch normalisation of a layer's sums, channel by channel, before the layer's ReLU (Ioffe and
/// Szegedy 2015).
///
/// It exists only while the coordinator trains in fp32. `fold` brings it into the layer's weights and
/// bias, so that neither agents nor model files know of it.
package struct BatchNorm: Sendable {
    /// Added to a variance, so that a constant channel does not divide by zero.
    private static let epsilon: Float = 1e-5
    /// How much of the running mean and variance the newest batch replaces.
    private static let momentum: Float = 0.1

    /// What the normalised values are multiplied by, and what is then added: one a channel each.
    package private(set) var gain: TrainedTensor
    package private(set) var shift: TrainedTensor
    /// Of the batches so far, the latest weighing most: what `fold` uses.
    package private(set) var mean: [Float]
    package private(set) var variance: [Float]

    /// The last batch, normalised [rows x channels], and what it was multiplied by for that.
    private var normalised: [Float]
    private var sharpness: [Float]

    /// - Parameters:
    ///   - gain: where training starts, as `shift` does; one a channel.
    ///   - capacity: most rows of a batch; an image has one for each of its positions.
    package init(gain: [Float], shift: [Float], capacity: Int, training: TrainingPlan) {
        self.gain = TrainedTensor(gain, training: training, decays: false)
        self.shift = TrainedTensor(shift, training: training, decays: false)
        mean = [Float](repeating: 0, count: gain.count)
        variance = [Float](repeating: 1, count: gain.count)
        normalised = [Float](repeating: 0, count: capacity * gain.count)
        sharpness = variance
    }

    private var channels: Int { mean.count }

    /// values [rows x channels] become gain (values - mean) / sqrt(variance + epsilon) + shift, with
    /// the mean and the variance of these rows, which the running ones then follow.
    package mutating func normalise(_ values: inout [Float], rows: Int, relu: Bool) {
        let (batchMean, batchVariance) = moments(of: values, rows: rows)
        for channel in 0..<channels {
            sharpness[channel] = 1 / sqrtf(batchVariance[channel] + BatchNorm.epsilon)
            mean[channel] += BatchNorm.momentum * (batchMean[channel] - mean[channel])
            variance[channel] += BatchNorm.momentum * (batchVariance[channel] - variance[channel])
        }
        let (channels, gain, shift, sharpness) = (channels, gain.values, shift.values, sharpness)
        values.withUnsafeMutableBufferPointer { values in
            normalised.withUnsafeMutableBufferPointer { normalised in
                for row in 0..<rows {
                    for channel in 0..<channels {
                        let index = row * channels + channel
                        let value = (values[index] - batchMean[channel]) * sharpness[channel]
                        normalised[index] = value
                        let result = gain[channel] * value + shift[channel]
                        values[index] = relu ? max(result, 0) : result
                    }
                }
            }
        }
    }

    /// Sums in two passes: a mean far from zero must not swallow the variance.
    private func moments(of values: [Float], rows: Int) -> (mean: [Float], variance: [Float]) {
        let channels = channels
        let share = 1 / Float(rows)
        var mean = [Float](repeating: 0, count: channels)
        var variance = mean
        values.withUnsafeBufferPointer { values in
            for row in 0..<rows {
                for channel in 0..<channels { mean[channel] += values[row * channels + channel] }
            }
            for channel in 0..<channels { mean[channel] *= share }
            for row in 0..<rows {
                for channel in 0..<channels {
                    let distance = values[row * channels + channel] - mean[channel]
                    variance[channel] += distance * distance
                }
            }
            for channel in 0..<channels { variance[channel] *= share }
        }
        return (mean, variance)
    }

    /// Takes the loss's gradient [rows x channels] from the last batch's result, before the ReLU, to
    /// what was normalised, and sets those of gain and shift.
    ///
    /// Every value of a channel moves its mean and its variance, and through them all others.
    package mutating func differentiate(_ gradient: inout [Float], rows: Int) {
        let channels = channels
        let share = 1 / Float(rows)
        let factors = (0..<channels).map { gain.values[$0] * sharpness[$0] }
        var byGain = [Float](repeating: 0, count: channels)
        var byShift = byGain
        normalised.withUnsafeBufferPointer { normalised in
            gradient.withUnsafeMutableBufferPointer { gradient in
                for row in 0..<rows {
                    for channel in 0..<channels {
                        let index = row * channels + channel
                        byShift[channel] += gradient[index]
                        byGain[channel] += gradient[index] * normalised[index]
                    }
                }
                for row in 0..<rows {
                    for channel in 0..<channels {
                        let index = row * channels + channel
                        let common = byShift[channel] + normalised[index] * byGain[channel]
                        gradient[index] = factors[channel] * (gradient[index] - share * common)
                    }
                }
            }
        }
        gain.gradient = byGain
        shift.gradient = byShift
    }

    /// One step along the gradients, which are overwritten.
    mutating func descend(_ descent: Descent) {
        gain.descend(descent)
        shift.descend(descent)
    }

    /// Changes the weights [channels x any] and the bias [channels] of the layer whose sums were
    /// normalised: alone it then gives what it gave with the running mean and variance.
    package func fold(into parameters: inout [Float], weights: Range<Int>, bias: Range<Int>) {
        let fanIn = weights.count / channels
        for channel in 0..<channels {
            let factor = gain.values[channel] / sqrtf(variance[channel] + BatchNorm.epsilon)
            let first = weights.lowerBound + channel * fanIn
            for index in first..<first + fanIn { parameters[index] *= factor }
            let index = bias.lowerBound + channel
            parameters[index] = (parameters[index] - mean[channel]) * factor + shift.values[channel]
        }
    }
}
