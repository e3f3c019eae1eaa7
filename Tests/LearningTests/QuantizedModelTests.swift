import Federation
import Glibc
import Learning
import Testing

@Suite("Int8 models")
struct QuantizedModelTests {
    let shape: StudentShape
    let parameters: [Float]
    let model: QuantizedModel

    init() throws {
        shape = try StudentShape(widths: [7, 30, 4], relu: [true, false])
        parameters = exampleParameters(shape, seed: 1)
        model = try QuantizedModel(parameters: parameters, shape: shape, normalisation: pixels)
    }

    @Test("rounding moves no weight by more than half a scale, no bias by more than half a unit")
    func rounding() {
        let real = model.dequantised()
        #expect(real.count == parameters.count)
        for layer in 0..<2 {
            let ranges = shape.parameterRanges(layer: layer)
            for index in ranges.weights {
                let channel = (index - ranges.weights.lowerBound) / shape.widths[layer]
                let scale = model.layers[layer].scales[channel]
                #expect((real[index] - parameters[index]).magnitude <= scale * 0.5001)
            }
            for index in ranges.bias {
                let channel = index - ranges.bias.lowerBound
                let unit = model.activationScales[layer] * model.layers[layer].scales[channel]
                #expect((real[index] - parameters[index]).magnitude <= unit * 0.5001)
            }
        }
        for (scale, logarithm) in zip(model.activationScales, parameters[shape.logScaleOffset...]) {
            #expect(scale == Float(exp(Double(logarithm))))
        }
    }

    @Test("the model of a model's dequantised parameters is that model", arguments: 1...20)
    func fixedPoint(seed: Int) throws {
        var parameters = exampleParameters(shape, seed: UInt64(seed))
        parameters[shape.logScaleOffset + 1] += Float(seed) / 3 - 1
        parameters[3] = 0
        let model = try QuantizedModel(
            parameters: parameters, shape: shape, normalisation: pixels)
        let again = try QuantizedModel(
            parameters: model.dequantised(), shape: shape, normalisation: pixels)
        #expect(again == model)
    }

    @Test("a channel of zeros gets a positive scale and zero weights")
    func zeroChannel() throws {
        var parameters = parameters
        for index in 0..<7 { parameters[index] = 0 }
        parameters[shape.parameterRanges(layer: 0).bias.lowerBound] = 0
        let model = try QuantizedModel(
            parameters: parameters, shape: shape, normalisation: pixels)
        #expect(model.layers[0].scales[0] == 1)
        #expect(model.layers[0].weights[..<7].allSatisfy { $0 == 0 })
        #expect(model.dequantised()[..<7].allSatisfy { $0 == 0 })
    }

    @Test("a scale that noise threw far off is kept to a usable range")
    func wildScale() throws {
        var parameters = parameters
        parameters[shape.logScaleOffset] = 80
        parameters[shape.logScaleOffset + 1] = -80
        let model = try QuantizedModel(
            parameters: parameters, shape: shape, normalisation: pixels)
        #expect(model.activationScales[0] < 200)
        #expect(model.activationScales[1] > 1e-6)
    }

    @Test(
        "a parameter that is not finite is refused, and the fault names its layer",
        arguments: [
            (0, "layer 0"), (7 * 30 + 2, "layer 0"), (7 * 30 + 30, "layer 1"),
            (7 * 30 + 30 + 30 * 4 + 4, "the input"), (7 * 30 + 30 + 30 * 4 + 4 + 2, "layer 1's"),
        ])
    func notFinite(index: Int, place: String) {
        for bad in [Float.nan, .infinity, -.infinity] {
            var parameters = parameters
            parameters[index] = bad
            let fault = #expect(throws: Fault.self) {
                try QuantizedModel(parameters: parameters, shape: shape, normalisation: pixels)
            }
            #expect(fault?.code == .invalid)
            #expect(fault?.message.contains(place) == true)
        }
    }

    @Test("a plan's layer too wide for int32 sums is refused")
    func tooWide() throws {
        let training = TrainingPlan(epochs: 1, batchSize: 1, learningRate: 0, momentum: 0)
        let plan = try examplePlan(widths: [32_769, 1], training: training)
        let fault = #expect(throws: Fault.self) { try StudentShape(plan: plan) }
        #expect(fault?.message.contains("'layer0' sums 32769 products") == true)
    }

    @Test("a wide model is rounded from runs of its parameters, none of them as large as a layer")
    func runs() throws {
        let shape = try StudentShape(widths: [300, 700, 5], relu: [true, false])
        let parameters = exampleParameters(shape, seed: 2)
        var longest = 0
        let model = try QuantizedModel(shape: shape, normalisation: pixels) { range in
            longest = max(longest, range.count)
            return parameters[range]
        }
        #expect(longest < 300 * 700 / 4)
        let real = model.dequantised()
        for (layer, width) in [(0, 300), (1, 700)] {
            let ranges = shape.parameterRanges(layer: layer)
            for index in ranges.weights {
                let scale = model.layers[layer].scales[(index - ranges.weights.lowerBound) / width]
                #expect((real[index] - parameters[index]).magnitude <= scale * 0.5001)
            }
        }
        let whole = try QuantizedModel(
            parameters: parameters, shape: shape, normalisation: pixels)
        #expect(whole == model)
        let fault = #expect(throws: Fault.self) {
            try QuantizedModel(shape: shape, normalisation: pixels) { range throws(Fault) in
                if range.contains(150_000) { throw Fault(.storage, "it cannot be read") }
                return parameters[range]
            }
        }
        #expect(fault?.code == .storage)
    }

    @Test("the wrong number of parameters is refused")
    func wrongCount() {
        for parameters in [[], Array(parameters.dropLast()), parameters + [0]] {
            #expect(throws: Fault.self) {
                try QuantizedModel(parameters: parameters, shape: shape, normalisation: pixels)
            }
        }
    }

    @Test("a model whose parts do not fit or are not positive is refused")
    func brokenParts() {
        let breakages: [(String, (inout QuantizedModel) -> Void)] = [
            ("activation scales", { $0.activationScales.removeLast() }),
            ("the input", { $0.activationScales[0] = 0 }),
            ("layer 1's output", { $0.activationScales[2] = -.infinity }),
            ("layer 0, channel 3", { $0.layers[0].scales[3] = 0 }),
            ("layer 1, channel 0", { $0.layers[1].scales[0] = .nan }),
            (
                "layer 1, channel 1",
                {
                    // Finite, but the factor that requantises is not.
                    $0.layers[1].scales[1] = 3e38
                    $0.activationScales[1] = 100
                }
            ),
            ("layer 0", { $0.layers[0].weights.removeLast() }),
            ("layer 1", { $0.layers[1].bias.append(0) }),
            ("layer 0", { $0.layers[0].weights[5] = -128 }),
            ("layer 1", { $0.layers[1].bias[0] = .min }),
            ("2 layers has 1", { $0.layers.removeLast() }),
            (
                "normalisation",
                { $0.normalisation = Normalisation(offset: [0, 0], scale: [1, 1]) }
            ),
            ("normalisation", { $0.normalisation = Normalisation(offset: [0], scale: [0]) }),
            ("normalisation", { $0.normalisation = Normalisation(offset: [.nan], scale: [1]) }),
        ]
        for (words, damage) in breakages {
            var broken = model
            damage(&broken)
            let fault = #expect(throws: Fault.self) {
                try QuantizedModel(
                    shape: broken.shape, normalisation: broken.normalisation,
                    activationScales: broken.activationScales, layers: broken.layers)
            }
            #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "") / \(words)")
        }
    }
}
