import Federation
import Learning
import Testing

@Suite("Int8 prediction")
struct PredictorTests {
    @Test("outputs equal a plain computation of QuantizeLinear, QLinearConv and DequantizeLinear")
    func reference() throws {
        let shape = try StudentShape(widths: [11, 70, 9, 3], relu: [true, true, false])
        let normalisation = Normalisation(
            offset: (0..<11).map { Float($0) }, scale: (0..<11).map { Float(200 + $0) })
        let model = try QuantizedModel(
            parameters: exampleParameters(shape, seed: 3), shape: shape,
            normalisation: normalisation)
        let rows = 131
        let data = Table.clusters(rows, features: 11, classes: 3, seed: 4)
        var predictor = Predictor(model)
        let outputs = predictor.outputs(raw: data.values, rows: rows)
        #expect(outputs.count == rows * 3)
        for row in 0..<rows {
            let expected = plainOutputs(model, raw: data.values[row * 11..<(row + 1) * 11])
            #expect(Array(outputs[row * 3..<(row + 1) * 3]) == expected)
        }
        // One row alone gives what it gives among others, whatever was predicted before.
        #expect(
            predictor.outputs(raw: Array(data.values[..<11]), rows: 1) == Array(outputs[..<3]))
        #expect(predictor.outputs(raw: [], rows: 0).isEmpty)
    }

    @Test("accuracy counts the largest output, the lowest class among equals")
    func ties() throws {
        let shape = try StudentShape(widths: [1, 3], relu: [false])
        // All outputs are zero: class 0 wins.
        let model = try QuantizedModel(
            shape: shape, normalisation: pixels, activationScales: [1, 1],
            layers: [QuantizedLayer(weights: [0, 0, 0], scales: [1, 1, 1], bias: [0, 0, 0])])
        var data = Table(features: 1, values: [1, 2, 3, 4], classes: [0, 1, 2, 0])
        #expect(try accuracy(of: model, on: &data) == 0.5)
        // Bias 5 for classes 1 and 2: class 1 wins.
        let other = try QuantizedModel(
            shape: shape, normalisation: pixels, activationScales: [1, 1],
            layers: [QuantizedLayer(weights: [0, 0, 0], scales: [1, 1, 1], bias: [0, 5, 5])])
        #expect(try accuracy(of: other, on: &data) == 0.25)
    }

    @Test("accuracy refuses no examples, other features and labels that are no class")
    func badData() throws {
        let shape = try StudentShape(widths: [2, 3], relu: [false])
        let model = try QuantizedModel(
            parameters: exampleParameters(shape, seed: 1), shape: shape, normalisation: pixels)
        let tables: [(Table, String)] = [
            (Table(features: 2, values: [], classes: []), "no examples"),
            (Table(features: 1, values: [1], classes: [0]), "1 features"),
            (Table(features: 2, values: [1, 2, 3, 4], classes: [0, 3]), "row 1 is 3"),
            (Table(features: 2, values: [1, 2, 3, 4], classes: [-1, 0]), "row 0 is -1"),
        ]
        for (table, words) in tables {
            var table = table
            let fault = #expect(throws: Fault.self) { try accuracy(of: model, on: &table) }
            #expect(fault?.code == .invalid)
            #expect(fault?.message.contains(words) == true)
        }
    }

    /// One row through the model, as ONNX defines its operators.
    private func plainOutputs(_ model: QuantizedModel, raw: ArraySlice<Float>) -> [Float] {
        let shape = model.shape
        let scales = model.activationScales
        var bytes = raw.enumerated().map { index, value -> Int32 in
            let normalised =
                (value - model.normalisation.offset[index]) / model.normalisation.scale[index]
            let rounded = (normalised / scales[0]).rounded(.toNearestOrEven)
            return Int32(min(max(rounded, -128), 127))
        }
        for (index, layer) in model.layers.enumerated() {
            let inputZero = shape.zeroPoint(activation: index)
            let zero = shape.zeroPoint(activation: index + 1)
            bytes = (0..<shape.widths[index + 1]).map { channel in
                var sum = layer.bias[channel]
                for (column, byte) in bytes.enumerated() {
                    let weight = layer.weights[channel * shape.widths[index] + column]
                    sum += (byte - inputZero) * Int32(weight)
                }
                let multiplier = scales[index] * layer.scales[channel] / scales[index + 1]
                let real = Float(sum) * multiplier
                let bounded = min(max(real, Float(-128 - zero)), Float(127 - zero))
                return Int32(bounded.rounded(.toNearestOrEven)) + zero
            }
        }
        let last = shape.layerCount
        return bytes.map { Float($0 - shape.zeroPoint(activation: last)) * scales[last] }
    }
}
