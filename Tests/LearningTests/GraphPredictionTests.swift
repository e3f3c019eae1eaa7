import Federation
import Learning
import Testing

@Suite("Int8 prediction of every kind of layer")
struct GraphPredictionTests {
    @Test("outputs are what the ONNX operators' formulas give, to the bit", arguments: Graphs.all)
    func formulas(graph: @Sendable () throws -> StudentShape) throws {
        let shape = try graph()
        let model = try QuantizedModel(
            parameters: graphParameters(shape, seed: 1), shape: shape, normalisation: pixels)
        let rows = 70
        let raw = randomBytes(shape, rows: rows, seed: 2)
        var predictor = Predictor(model)
        let outputs = predictor.outputs(raw: raw, rows: rows)
        for row in 0..<rows {
            let expected = onnxOutputs(
                model, raw: Array(raw[row * shape.inputs..<(row + 1) * shape.inputs]))
            #expect(Array(outputs[row * shape.classes..<(row + 1) * shape.classes]) == expected)
        }
        #expect(Set(outputs).count > rows / 4, "the outputs hardly vary")
    }

    @Test("int8 outputs are close to those of the same parameters in fp32", arguments: Graphs.all)
    func nearFloat(graph: @Sendable () throws -> StudentShape) throws {
        let shape = try graph()
        let raw = randomBytes(shape, rows: 32, seed: 3)
        var source = Table(
            features: shape.inputs, values: raw, classes: [Int32](repeating: 0, count: 32))
        var parameters = graphParameters(shape, seed: 4)
        var random = SeededRandom(seed: 5)
        try calibrate(
            &parameters, shape: shape, normalisation: pixels, on: &source, random: &random)
        let model = try QuantizedModel(parameters: parameters, shape: shape, normalisation: pixels)
        var predictor = Predictor(model)
        let int8 = predictor.outputs(raw: raw, rows: 32)
        let float = try FloatStudent(shape: shape, normalisation: pixels, parameters: parameters)
            .outputs(raw: raw, rows: 32)
        let reach = try #require(float.map(\.magnitude).max())
        let error = zip(int8, float).map { abs($0 - $1) }.max() ?? 0
        #expect(error < 0.1 * reach, "\(error) of \(reach)")
    }

    @Test("export, dequantise, export gives the same model", arguments: Graphs.all)
    func fixedPoint(graph: @Sendable () throws -> StudentShape) throws {
        let shape = try graph()
        let model = try QuantizedModel(
            parameters: graphParameters(shape, seed: 6), shape: shape, normalisation: pixels)
        let again = try QuantizedModel(
            parameters: model.dequantised(), shape: shape, normalisation: pixels)
        #expect(again == model)
        #expect(again.dequantised() == model.dequantised())
    }

    @Test("a scale too small for what an addition brings is refused")
    func unusableScale() throws {
        let shape = try Graphs.residual()
        let model = try QuantizedModel(
            parameters: graphParameters(shape, seed: 8), shape: shape, normalisation: pixels)
        var scales = model.activationScales
        scales[2] = 1e38
        scales[3] = 1e-38
        var layers = model.layers
        layers[1].scales = layers[1].scales.map { _ in 1e38 }
        let fault = #expect(throws: Fault.self) {
            try QuantizedModel(
                shape: shape, normalisation: pixels, activationScales: scales, layers: layers)
        }
        #expect(fault?.message.contains("layer 2's output") == true)
    }

    @Test("dropout is not deployed")
    func dropout() throws {
        let dense = try Graphs.shape(
            TensorShape(4), [.dense(units: 5, relu: true), .dense(units: 2, relu: false)])
        let dropping = try Graphs.shape(
            TensorShape(4),
            [.dense(units: 5, relu: true), .dropout(rate: 0.5), .dense(units: 2, relu: false)])
        let parameters = graphParameters(dense, seed: 7)
        #expect(dropping.parameterCount == dense.parameterCount)
        let models = try [dense, dropping].map {
            try QuantizedModel(parameters: parameters, shape: $0, normalisation: pixels)
        }
        #expect(models[0] == models[1])
        #expect(models[1].shape.layers.map(\.name) == ["layer0", "layer1"])
    }
}

/// The model's outputs for one row by the formulas of Sub, Div, QuantizeLinear, QLinearConv,
/// MaxPool, Concat, Flatten and DequantizeLinear, channels outermost as ONNX has them.
private func onnxOutputs(_ model: QuantizedModel, raw: [Float]) -> [Float] {
    let shape = model.shape
    let first = model.scale(activation: 0)
    var values = [
        raw.map { Int32(min(max(($0 / 255 / first).rounded(.toNearestOrEven), -128), 127)) }
    ]
    var weights = model.layers.makeIterator()
    for (index, layer) in shape.layers.enumerated() {
        let (input, output) = (shape.activations[index], shape.activations[index + 1])
        let scales = (model.scale(activation: index), model.scale(activation: index + 1))
        let zeros = (
            shape.zeroPoint(activation: index), shape.zeroPoint(activation: index + 1)
        )
        var conv = Conv(input: input, output: output, scale: scales, zero: zeros)
        switch layer.kind {
        case .dense, .conv:
            guard let weight = weights.next() else { return [] }
            conv.weights = weight.weights.map(Int32.init)
            (conv.weightScales, conv.bias) = (weight.scales, weight.bias)
            if case .conv(let plan) = layer.kind {
                (conv.kernel, conv.stride, conv.padding) = (plan.kernel, plan.stride, plan.padding)
                conv.groups = plan.isDepthwise ? input.channels : 1
            }
            values.append(conv.outputs(values[index]))
        case .averagePool(let size, let stride):
            (conv.kernel, conv.stride, conv.groups) = (size, stride, input.channels)
            conv.weights = [Int32](repeating: 1, count: input.channels * size[0] * size[1])
            conv.weightScales = [Float](
                repeating: 1 / Float(size[0] * size[1]), count: input.channels)
            conv.bias = [Int32](repeating: 0, count: input.channels)
            values.append(conv.outputs(values[index]))
        case .maxPool(let size, let stride):
            conv.kernel = size
            conv.stride = stride
            values.append(conv.largest(values[index]))
        case .flatten: values.append(values[index])
        case .add:
            guard let addend = shape.addend(layer: index),
                let addition = model.addition(layer: index)
            else { return [] }
            conv.add(addition)
            values.append(conv.outputs(values[index] + values[addend]))
        case .dropout: return []
        }
    }
    let last = shape.layerCount
    return values[last].map {
        Float($0 - shape.zeroPoint(activation: last)) * model.scale(activation: last)
    }
}

/// QLinearConv as ONNX and onnxruntime define it, and the windows of MaxPool.
private struct Conv {
    var input: TensorShape
    var output: TensorShape
    var scale: (Float, Float)
    var zero: (Int32, Int32)
    var weights: [Int32] = []
    var weightScales: [Float] = []
    var bias: [Int32] = []
    var kernel = [1, 1]
    var stride = [1, 1]
    var padding = [0, 0]
    var groups = 1

    init(input: TensorShape, output: TensorShape, scale: (Float, Float), zero: (Int32, Int32)) {
        (self.input, self.output, self.scale, self.zero) = (input, output, scale, zero)
    }

    /// Becomes the 1x1 convolution of two values of the input's shape side by side.
    mutating func add(_ addition: QuantizedAddition) {
        let channels = input.channels
        input.channels = 2 * channels
        scale.0 = addition.scale
        zero.0 = 0
        weights = (0..<channels * 2 * channels).map { entry in
            let (row, column) = (entry / (2 * channels), entry % (2 * channels))
            if column == row { return Int32(addition.inputWeight) }
            return column == row + channels ? Int32(addition.addendWeight) : 0
        }
        weightScales = [Float](repeating: QuantizedAddition.weightScale, count: channels)
        bias = [Int32](repeating: addition.bias, count: channels)
    }

    /// Calls `body` with each tap's place in the kernel and, inside the image, in a channel.
    private func taps(_ y: Int, _ x: Int, _ body: (_ tap: Int, _ pixel: Int) -> Void) {
        for i in 0..<kernel[0] {
            for j in 0..<kernel[1] {
                let (row, column) = (
                    y * stride[0] - padding[0] + i, x * stride[1] - padding[1] + j
                )
                guard 0..<input.height ~= row, 0..<input.width ~= column else { continue }
                body(i * kernel[1] + j, row * input.width + column)
            }
        }
    }

    private func map(_ body: (_ channel: Int, _ y: Int, _ x: Int) -> Int32) -> [Int32] {
        (0..<output.count).map { index in
            body(
                index / output.area, index % output.area / output.width,
                index % output.width)
        }
    }

    func outputs(_ values: [Int32]) -> [Int32] {
        let (ins, outs) = (input.channels / groups, output.channels / groups)
        return map { channel, y, x in
            var sum = bias[channel]
            for inner in 0..<ins {
                let plane = (channel / outs * ins + inner) * input.area
                let row = (channel * ins + inner) * kernel[0] * kernel[1]
                taps(y, x) { tap, pixel in
                    sum += weights[row + tap] * (values[plane + pixel] - zero.0)
                }
            }
            let factor = (scale.0 * weightScales[channel]) / scale.1
            let low = Float(-128 - zero.1)
            let high = Float(127 - zero.1)
            let value = min(max(Float(sum) * factor, low), high)
            return Int32(value.rounded(.toNearestOrEven)) + zero.1
        }
    }

    func largest(_ values: [Int32]) -> [Int32] {
        map { channel, y, x in
            var best = Int32.min
            taps(y, x) { _, pixel in best = max(best, values[channel * input.area + pixel]) }
            return best
        }
    }
}
