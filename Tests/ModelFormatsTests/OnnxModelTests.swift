import Federation
import Learning
import ModelFormats
import Testing

@Suite("A student as an ONNX file")
struct OnnxModelTests {
    @Test(
        "What is written is read back, part for part",
        arguments: [
            [1, 1], [3, 2], [7, 5, 4], [54, 96, 7], [784, 128, 10], [16, 8, 8, 8, 2],
        ], [false, true])
    func roundTrip(widths: [Int], perFeature: Bool) throws {
        // Alternating, so that hidden layers without a ReLU are covered too.
        let relu = (1..<widths.count).map { $0 < widths.count - 1 && !$0.isMultiple(of: 2) }
        let model = try randomModel(widths: widths, relu: relu, seed: 7, perFeature: perFeature)
        let identity = try someIdentity()
        let decoded = try OnnxModel.decode(OnnxModel.encode(model, identity: identity))
        #expect(decoded.model == model)
        #expect(decoded.identity == identity)
    }

    @Test("A first version has no parent")
    func firstVersion() throws {
        var identity = try someIdentity()
        identity.parent = nil
        identity.version = 0
        identity.round = .max
        let bytes = try OnnxModel.encode(tinyModel(), identity: identity)
        #expect(try OnnxModel.decode(bytes).identity == identity)
    }

    @Test("A file says what its outputs are where its identity does, and no more otherwise")
    func objective() throws {
        var identity = try someIdentity()
        let model = try randomModel(widths: [3, 2, 3], relu: [true, false], seed: 3)
        let silent = try OnnxModel.encode(model, identity: identity)
        #expect(try OnnxModel.decode(silent).identity.objective == nil)
        for objective in [TrainingPlan.Objective.classification, .reconstruction] {
            identity.objective = objective
            let bytes = try OnnxModel.encode(model, identity: identity)
            let decoded = try OnnxModel.decode(bytes)
            #expect(decoded.identity == identity)
            #expect(decoded.model == model)
            #expect(bytes.count > silent.count)
        }
    }

    @Test("An objective that no plan has is refused, and named")
    func unknownObjective() throws {
        var identity = try someIdentity()
        identity.objective = .reconstruction
        let model = try randomModel(widths: [3, 2, 3], relu: [true, false], seed: 3)
        var bytes = try OnnxModel.encode(model, identity: identity)
        let start = try #require(bytes.lastRange(of: "reconstruction")).lowerBound
        bytes[start] = UInt8(ascii: "R")
        let fault = #expect(throws: Fault.self) { try OnnxModel.decode(bytes) }
        #expect(fault?.message.contains("tributary.objective is 'Reconstruction'") == true)
    }

    @Test("The bytes of a fixed model never change")
    func golden() throws {
        let bytes = try OnnxModel.encode(tinyModel(), identity: someIdentity())
        #expect(bytes == (try OnnxModel.encode(tinyModel(), identity: someIdentity())))
        // If this changes, every published model's digest would: change it only with the format.
        #expect(bytes.count == 1609)
        #expect(fnv1a(bytes) == 9_662_721_233_856_138_004)
    }

    @Test("A file costs little beyond its weights")
    func size() throws {
        let model = try randomModel(widths: [784, 128, 10], relu: [true, false], seed: 1)
        let payload = 784 * 128 + 128 * 10 + (128 + 10) * 9
        #expect(try OnnxModel.encode(model, identity: someIdentity()).count < payload + 2048)
    }

    @Test("A model whose parts do not fit is not written")
    func unfitParts() throws {
        var model = try tinyModel()
        model.layers[1].weights.removeLast()
        #expect(throws: Fault.self) { try OnnxModel.encode(model, identity: someIdentity()) }
    }
}

extension [UInt8] {
    /// Where this text stands last.
    fileprivate func lastRange(of text: String) -> Range<Int>? {
        let text = Array(text.utf8)
        return indices.reversed().lazy.map { $0..<$0 + text.count }
            .first { $0.upperBound <= count && self[$0].elementsEqual(text) }
    }
}

/// FNV-1a, 64 bits.
func fnv1a(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}
