import Kernels

// What the integer kernels do to one channel at a time, on floats.
extension ImageWindow {
    /// Calls `body` for each pixel that each window sees of `rows` images: with its tap, and where
    /// its channels begin in the images and those of the window in the output.
    func forEachTap(rows: Int, _ body: (_ tap: Int, _ input: Int, _ output: Int) -> Void) {
        let (imageLength, positions, taps) = (imageLength, positions, taps)
        for row in 0..<rows {
            for position in 0..<positions {
                let top = position / outputWidth * strideHeight - paddingHeight
                let left = position % outputWidth * strideWidth - paddingWidth
                for tap in 0..<taps {
                    let (y, x) = (top + tap / kernelWidth, left + tap % kernelWidth)
                    guard 0..<height ~= y, 0..<width ~= x else { continue }
                    body(
                        tap, row * imageLength + (y * width + x) * channels,
                        (row * positions + position) * channels)
                }
            }
        }
    }

    /// Depthwise convolution: output [rows x positions x channels] of images [rows x imageLength]
    /// with weights [channels x taps], then ReLU if asked.
    func filter(
        _ images: [Float], rows: Int, weights: [Float], bias: [Float], relu: Bool,
        into output: inout [Float]
    ) {
        let (channels, taps) = (channels, taps)
        let count = rows * positions * channels
        // By tap, then channel, as the values lie.
        let tapWeights = weights.indices.map { weights[$0 % channels * taps + $0 / channels] }
        images.withUnsafeBufferPointer { images in
            tapWeights.withUnsafeBufferPointer { weights in
                output.withUnsafeMutableBufferPointer { output in
                    for index in 0..<count { output[index] = bias[index % channels] }
                    forEachTap(rows: rows) { tap, from, to in
                        for channel in 0..<channels {
                            output[to + channel] +=
                                weights[tap * channels + channel] * images[from + channel]
                        }
                    }
                    guard relu else { return }
                    for index in 0..<count { output[index] = max(output[index], 0) }
                }
            }
        }
    }

    /// The largest value of each channel under each window, and its index in its image; of equals
    /// the first.
    func largest(
        _ images: [Float], rows: Int, into output: inout [Float], winners: inout [Int32]
    ) {
        let (channels, imageLength) = (channels, imageLength)
        for index in 0..<rows * positions * channels { output[index] = -.infinity }
        images.withUnsafeBufferPointer { images in
            output.withUnsafeMutableBufferPointer { output in
                winners.withUnsafeMutableBufferPointer { winners in
                    forEachTap(rows: rows) { _, from, to in
                        for channel in 0..<channels
                        where images[from + channel] > output[to + channel] {
                            output[to + channel] = images[from + channel]
                            winners[to + channel] = Int32((from + channel) % imageLength)
                        }
                    }
                }
            }
        }
    }
}
