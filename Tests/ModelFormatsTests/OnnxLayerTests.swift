import Federation
import Learning
import ModelFormats
import Testing

/// A student with every type of layer, on images of 6 x 8 in two channels.
private func everyLayer() throws -> StudentShape {
    try StudentShape(
        input: TensorShape(2, 6, 8),
        layers: [
            LayerPlan(
                name: "stem",
                kind: .conv(ConvPlan(channels: 4, kernel: [3, 5], padding: [1, 2])), isFrozen: true),
            LayerPlan(
                name: "wide",
                kind: .conv(
                    ConvPlan(
                        channels: 4, kernel: [3, 3], padding: [1, 1], isDepthwise: true,
                        relu: false))),
            LayerPlan(name: "drop", kind: .dropout(rate: 0.5)),
            LayerPlan(name: "narrow", kind: .conv(ConvPlan(channels: 4, kernel: [1, 1]))),
            LayerPlan(name: "residual", kind: .add(from: "stem", relu: true)),
            LayerPlan(name: "signed", kind: .add(from: "residual", relu: false)),
            LayerPlan(name: "largest", kind: .maxPool(size: [2, 3], stride: [2, 1])),
            LayerPlan(name: "mean", kind: .averagePool(size: [3, 2], stride: [1, 2])),
            LayerPlan(name: "flat", kind: .flatten),
            LayerPlan(name: "hidden", kind: .dense(units: 5, relu: true)),
            LayerPlan(name: "classes", kind: .dense(units: 3, relu: false)),
        ])
}

/// A convolution, its output added to itself, and the mean of each channel; parts written out.
private func tinyImageModel() throws -> QuantizedModel {
    try QuantizedModel(
        shape: StudentShape(
            input: TensorShape(1, 2, 2),
            layers: [
                LayerPlan(
                    name: "layer0",
                    kind: .conv(ConvPlan(channels: 2, kernel: [2, 1], padding: [1, 0]))),
                LayerPlan(name: "layer1", kind: .add(from: "layer0", relu: true)),
                LayerPlan(name: "layer2", kind: .maxPool(size: [2, 1], stride: [1, 1])),
                LayerPlan(name: "layer3", kind: .averagePool(size: [2, 2], stride: [1, 1])),
            ]),
        normalisation: Normalisation(offset: [1], scale: [2]),
        activationScales: [0.5, 0.25, 0.125, 0.0625],
        layers: [QuantizedLayer(weights: [1, -2, 3, 127], scales: [0.5, 1], bias: [7, -8])])
}

@Suite("Every type of layer in an ONNX file")
struct OnnxLayerTests {
    private let valid: [UInt8]

    init() throws {
        valid = try OnnxModel.encode(tinyImageModel(), identity: someIdentity())
    }

    @Test("is read back, part for part", arguments: 0..<4 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        let model = try randomModel(shape: everyLayer(), seed: seed, perFeature: seed > 1)
        let decoded = try OnnxModel.decode(OnnxModel.encode(model, identity: someIdentity()))
        #expect(decoded.model == model)
    }

    @Test("has only what a prediction needs")
    func deployed() throws {
        let shape = try everyLayer()
        let model = try randomModel(shape: shape, seed: 1)
        let decoded = try OnnxModel.decode(OnnxModel.encode(model, identity: someIdentity())).model
        #expect(decoded.shape == shape.deployed)
        #expect(decoded.shape != shape)
        #expect(decoded.shape.layerCount == shape.layerCount - 1)
    }

    @Test("is told from a layer that computes the same")
    func sameArithmetic() throws {
        // Over one channel a depthwise convolution is a convolution, and 1 x 1 on a flat value a
        // dense layer; a plan's student must still be the file's.
        let kinds: [LayerKind] = [
            .conv(ConvPlan(channels: 1, kernel: [1, 1], relu: false)),
            .conv(ConvPlan(channels: 1, kernel: [1, 1], isDepthwise: true, relu: false)),
            .averagePool(size: [1, 1], stride: [1, 1]), .maxPool(size: [1, 1], stride: [1, 1]),
            .dense(units: 1, relu: false), .flatten,
        ]
        for kind in kinds {
            let shape = try StudentShape(
                input: TensorShape(1),
                layers: [
                    LayerPlan(name: "layer0", kind: kind),
                    LayerPlan(name: "layer1", kind: .dense(units: 2, relu: false)),
                ])
            let bytes = try OnnxModel.encode(
                randomModel(shape: shape, seed: 1), identity: someIdentity())
            #expect(try OnnxModel.decode(bytes).model.shape == shape)
        }
    }

    @Test("needs no newer ONNX than it must")
    func versions() throws {
        let dense = try OnnxModel.encode(tinyModel(), identity: someIdentity())
        // ir_version, field 1; the operator set's version, field 2 of field 8.
        #expect(dense.starts(with: [8, 4]) && contains(dense, [0x42, 2, 0x10, 10]))
        #expect(valid.starts(with: [8, 7]) && contains(valid, [0x42, 2, 0x10, 12]))
    }

    @Test("has bytes that never change")
    func golden() {
        // If this changes, every published model's digest would: change it only with the format.
        #expect(valid.count == 2317)
        #expect(fnv1a(valid) == 4_693_789_704_554_736_271)
    }

    @Test("A file cut short at any length is refused")
    func truncated() {
        for length in 0..<valid.count {
            #expect(throws: Fault.self, "\(length) bytes") {
                try OnnxModel.decode(Array(valid[..<length]))
            }
        }
    }

    @Test("Whatever bytes are damaged, reading is refused or gives exactly the model written there")
    func damaged() throws {
        try expectEveryDamageFound(in: valid, seed: 23)
    }

    @Test(
        "A changed operator, attribute or input is named in the refusal",
        arguments: [
            ("MaxPool", "MinPool", "node 'layer2' is MinPool("),
            ("Concat", "ConcaT", "node 'layer1.values' is ConcaT("),
            ("kernel_shape", "kernel_shapE", "node 'layer0' is QLinearConv("),
            ("strides", "striding", "damaged"),
            ("group", "grouP", "node 'layer3' is QLinearConv("),
            ("axis", "axiS", "node 'layer1.values' is Concat("),
            ("layer3.weights", "layer3.WEIGHTS", "node 'layer3'"),
        ])
    func changedText(old: String, new: String, message: String) throws {
        let fault = try refusal(edited(valid, Array(old.utf8), by: Array(new.utf8)))
        #expect(fault.message.contains(message), "\(fault.message)")
    }

    @Test(
        "A changed number is refused with what it should be",
        arguments: [
            // Attribute values: field 3, an integer, or field 8, packed integers, with their type.
            ("pads", [0x42, 4, 1, 0, 1, 0], [0x42, 4, 1, 0, 0, 0], "expected 'layer0'"),
            ("pads", [0x42, 4, 1, 0, 1, 0], [0x42, 4, 2, 0, 2, 0], "layer 'layer0' has windows"),
            ("strides", [0x42, 2, 1, 1], [0x42, 2, 0, 1], "layer 'layer0' has windows"),
            ("kernel_shape", [0x42, 2, 2, 1], [0x42, 2, 1, 2], "layer 'layer0' has windows"),
            ("axis", [0x18, 1], [0x18, 2], "expected 'layer1.values'"),
            ("group", [0x18, 2], [0x18, 1], "expected 'layer3'"),
            ("group", [0x18, 2, 0xa0, 1, 2], [0x18, 2, 0xa0, 1, 3], "has type 3"),
        ] as [(String, [UInt8], [UInt8], String)])
    func changedNumber(name: String, old: [UInt8], new: [UInt8], message: String) throws {
        let fault = try refusal(
            edited(valid, Array(name.utf8) + old, by: Array(name.utf8) + new))
        #expect(fault.message.contains(message), "\(fault.message)")
    }

    @Test(
        "Constants that follow from the rest are what they must be",
        arguments: [
            ("layer1.weights", 8), ("layer1.weight_scales", 8), ("layer1.bias", 8),
            ("layer1.values.scale", 4), ("layer3.weights", 8), ("layer3.weight_scales", 8),
            ("activation4.zero_point", 1),
        ])
    func derived(name: String, bytes: UInt8) throws {
        // The name ends field 8, the data are field 9.
        let start = Array(name.utf8) + [0x4a, bytes]
        let data = try #require(valid.indices.first { valid[$0...].starts(with: start) })
        let place = data + start.count
        let fault = try refusal(
            edited(valid, start, by: start + [valid[place] ^ 1], removing: 1))
        #expect(fault.message.contains("not written as Tributary writes it"), "\(fault.message)")
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0...].starts(with: part) }
    }
}
