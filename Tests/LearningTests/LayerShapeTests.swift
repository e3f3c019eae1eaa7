import Federation
import Learning
import Testing

@Suite("Shapes of layers")
struct LayerShapeTests {
    @Test("each kind of layer gives the shape that ONNX gives it")
    func shapes() throws {
        let shape = try StudentShape(
            input: TensorShape(1, 28, 28),
            layers: [
                LayerPlan(
                    name: "a",
                    kind: .conv(ConvPlan(channels: 8, kernel: [5, 5], padding: [2, 2]))),
                LayerPlan(name: "b", kind: .maxPool(size: [2, 2], stride: [2, 2])),
                LayerPlan(
                    name: "c",
                    kind: .conv(ConvPlan(channels: 16, kernel: [3, 4], stride: [2, 3]))),
                LayerPlan(
                    name: "d",
                    kind: .conv(
                        ConvPlan(channels: 16, kernel: [3, 3], padding: [1, 1], isDepthwise: true))
                ),
                LayerPlan(name: "e", kind: .add(from: "c", relu: true)),
                LayerPlan(name: "f", kind: .averagePool(size: [6, 4], stride: [1, 1])),
                LayerPlan(name: "g", kind: .dropout(rate: 0.5)),
                LayerPlan(name: "h", kind: .flatten),
                LayerPlan(name: "i", kind: .dense(units: 10, relu: false)),
            ])
        #expect(
            shape.activations.map(\.description) == [
                "[1, 28, 28]", "[8, 28, 28]", "[8, 14, 14]", "[16, 6, 4]", "[16, 6, 4]",
                "[16, 6, 4]", "[16, 1, 1]", "[16, 1, 1]", "[16, 1, 1]", "[10, 1, 1]",
            ])
        #expect(shape.weightedLayers == [0, 2, 3, 8])
        #expect(shape.weightDimensions(layer: 2) == [16, 8, 3, 4])
        #expect(shape.weightDimensions(layer: 3) == [16, 1, 3, 3])
        #expect(shape.weightDimensions(layer: 1) == nil)
        #expect(shape.parameterRanges(layer: 0).bias == 200..<208)
        #expect(shape.parameterRanges(layer: 2).weights == 208..<208 + 1536)
        // The input, a, c, d, e, f and i have scales of their own.
        #expect(shape.scaleCount == 7)
        #expect((0...9).map(shape.scaleIndex) == [0, 1, 1, 2, 3, 4, 5, 5, 5, 6])
        #expect(shape.parameterCount == 208 + 1552 + 160 + 170 + 7)
        #expect(
            (0...9).map { shape.zeroPoint(activation: $0) }
                == [0, -128, -128, -128, -128, -128, -128, -128, -128, 0])
        #expect(shape.addend(layer: 4) == 3)
        #expect(shape.deployed.layers.map(\.name) == (0..<8).map { "layer\($0)" })
        #expect(shape.deployed.addend(layer: 4) == 3)
    }

    @Test("a plan counts the parameters that its student has")
    func planCount() throws {
        var plan = try examplePlan(
            widths: [64, 3],
            training: TrainingPlan(epochs: 1, batchSize: 1, learningRate: 1, momentum: 0))
        plan.data.shape = [1, 8, 8]
        plan.layers = TrainingOptionTests.layers
        let shape = try StudentShape(plan: plan)
        #expect(plan.parameterCount == shape.parameterCount)
        #expect(plan.widths == shape.widths)
        plan.data.shape = [1, 8, 7]
        #expect(throws: Fault.self) { try StudentShape(plan: plan) }
        #expect(plan.parameterCount == 0)
    }

    @Test(
        "a layer that does not fit is named, with the shapes",
        arguments: [
            (.dense(units: 3, relu: false), ["'last'", "[2, 6, 6]", "flatten"]),
            (
                .conv(ConvPlan(channels: 3, kernel: [7, 1])),
                ["'last'", "[7, 1]", "[2, 6, 6]"]
            ),
            (.conv(ConvPlan(channels: 3, kernel: [0, 1])), ["'last'", "[0, 1]"]),
            (.conv(ConvPlan(channels: 3, kernel: [2, 2], padding: [2, 0])), ["[2, 0]"]),
            (.conv(ConvPlan(channels: 3, kernel: [2, 2], stride: [0, 1])), ["'last'", "[0, 1]"]),
            (.conv(ConvPlan(channels: 0, kernel: [2, 2])), ["'last'", "0 channels"]),
            (
                .conv(ConvPlan(channels: 3, kernel: [2, 2], isDepthwise: true)),
                ["'last'", "3 channels", "[2, 6, 6]"]
            ),
            (.maxPool(size: [2, 7], stride: [1, 1]), ["'last'", "[2, 7]", "[2, 6, 6]"]),
            (.averagePool(size: [2, 2], stride: [1]), ["'last'", "[1]"]),
            (.averagePool(size: [2], stride: [1, 1]), ["'last'", "[2]"]),
            (.add(from: "first", relu: true), ["'last'", "'first'", "[3, 6, 6]", "[2, 6, 6]"]),
            (.add(from: "later", relu: true), ["'last'", "'later'"]),
            (.dropout(rate: 1), ["'last'", "1.0"]),
            (.maxPool(size: [2, 2], stride: [1, 1]), ["'last'", "[2, 5, 5]"]),
        ] as [(LayerKind, [String])])
    func misfits(kind: LayerKind, words: [String]) throws {
        let fault = #expect(throws: Fault.self) {
            try StudentShape(
                input: TensorShape(2, 6, 6),
                layers: [
                    LayerPlan(
                        name: "first", kind: .conv(ConvPlan(channels: 3, kernel: [1, 1]))),
                    LayerPlan(
                        name: "second", kind: .conv(ConvPlan(channels: 2, kernel: [1, 1]))),
                    LayerPlan(name: "last", kind: kind),
                ])
        }
        #expect(fault?.code == .invalid)
        for word in words {
            #expect(fault?.description.contains(word) == true, "\(fault?.description ?? "")")
        }
    }

    @Test("sums that could leave int32, and sizes that could leave memory, are refused")
    func bounds() {
        let pool = LayerKind.averagePool(size: [200, 200], stride: [1, 1])
        let wide = LayerKind.conv(ConvPlan(channels: 30_000, kernel: [1, 1]))
        for (input, kind, words) in [
            (TensorShape(1, 200, 200), pool, "sums 40000"),
            (TensorShape(1, 100, 100), wide, "too large"),
            (TensorShape(.max, .max, .max), .flatten, "input"),
            (TensorShape(1 << 20, 1 << 20, 1 << 20), .flatten, "input"),
        ] {
            let fault = #expect(throws: Fault.self) {
                try StudentShape(input: input, layers: [LayerPlan(name: "a", kind: kind)])
            }
            #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "")")
        }
    }

    @Test("names must differ, and dropout may be neither last nor added")
    func names() {
        let dense = LayerKind.dense(units: 3, relu: false)
        for kinds: [(String, LayerKind)] in [
            [("a", dense), ("a", dense)], [("a", dense), ("b", .dropout(rate: 0.5))],
            [("a", .dropout(rate: 0.5)), ("b", dense), ("c", .add(from: "a", relu: false))], [],
        ] {
            #expect(throws: Fault.self) {
                try StudentShape(
                    input: TensorShape(3),
                    layers: kinds.map { LayerPlan(name: $0, kind: $1) })
            }
        }
    }
}
