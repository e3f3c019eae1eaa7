import Federation
import Kernels

// Inside, images have their channels innermost, and so have the weights that meet them. The kernels
// are faster for it; parameters and files keep ONNX's order.

/// Brings a layer's weights from ONNX's order to the kernels' and back.
struct KernelOrder: Sendable {
    private let outputs: Int
    private let channels: Int
    private let taps: Int

    /// - Parameter dimensions: [outputs, inputs / groups, kernel height, kernel width].
    init(dimensions: [Int]) {
        outputs = dimensions[0]
        channels = dimensions[1]
        taps = dimensions[2] * dimensions[3]
    }

    /// [outputs, channels, taps] as [outputs, taps, channels].
    ///
    /// - Parameter some: how many of the outputs there are; by default all.
    func kernel<Value>(_ weights: [Value], outputs some: Int? = nil) -> [Value] {
        transposed(weights, blocks: some ?? outputs, rows: channels, columns: taps)
    }

    /// [outputs, taps, channels] as [outputs, channels, taps].
    func onnx<Value>(_ weights: [Value], outputs some: Int? = nil) -> [Value] {
        transposed(weights, blocks: some ?? outputs, rows: taps, columns: channels)
    }
}

/// Each of `blocks` matrices [rows x columns] transposed.
private func transposed<Value>(
    _ values: [Value], blocks: Int, rows: Int, columns: Int
) -> [Value] {
    guard rows > 1, columns > 1 else { return values }
    var result = values
    for block in 0..<blocks {
        let start = block * rows * columns
        for row in 0..<rows {
            for column in 0..<columns {
                result[start + column * rows + row] = values[start + row * columns + column]
            }
        }
    }
    return result
}

/// images [rows x area x channels] of values [rows x channels x area].
func interleaveChannels(
    _ values: [Float], rows: Int, shape: TensorShape, into images: inout [Float]
) {
    forEachPair(rows, shape) { planar, interleaved in images[interleaved] = values[planar] }
}

/// values [rows x channels x area] of images [rows x area x channels].
func separateChannels(
    _ images: [Float], rows: Int, shape: TensorShape, into values: inout [Float]
) {
    forEachPair(rows, shape) { planar, interleaved in values[planar] = images[interleaved] }
}

/// Calls `body` with the index of every value when channels are outermost and when innermost.
func forEachPair(_ rows: Int, _ shape: TensorShape, _ body: (Int, Int) -> Void) {
    let (channels, area) = (shape.channels, shape.area)
    for row in 0..<rows {
        let start = row * shape.count
        for channel in 0..<channels {
            for position in 0..<area {
                body(start + channel * area + position, start + position * channels + channel)
            }
        }
    }
}

extension StudentShape {
    /// How layer `layer`, a convolution or a pooling, looks at its input; nil for others.
    func window(layer: Int) -> ImageWindow? {
        let padding: [Int]
        let (size, stride): ([Int], [Int])
        switch layers[layer].kind {
        case .conv(let conv):
            (size, stride, padding) = (conv.kernel, conv.stride, conv.padding)
        case .maxPool(let windowSize, let step), .averagePool(let windowSize, let step):
            (size, stride, padding) = (windowSize, step, [0, 0])
        case .dense, .flatten, .add, .dropout: return nil
        }
        let input = activations[layer]
        return ImageWindow(
            height: input.height, width: input.width, channels: input.channels,
            kernelHeight: size[0], kernelWidth: size[1], strideHeight: stride[0],
            strideWidth: stride[1], paddingHeight: padding[0], paddingWidth: padding[1])
    }
}
