import Federation
import Learning
import ModelFormats
import Testing

@Suite("ONNX files that are not a student's")
struct OnnxRefusalTests {
    private let valid: [UInt8]

    init() throws {
        valid = try OnnxModel.encode(tinyModel(), identity: someIdentity())
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
        try expectEveryDamageFound(in: valid, seed: 99)
    }

    @Test("Random bytes and the empty file are refused")
    func noise() {
        var random = SeededRandom(seed: 5)
        #expect(throws: Fault.self) { try OnnxModel.decode([]) }
        for length in 1...500 {
            let bytes = random.bytes(length)
            #expect(throws: Fault.self) { try OnnxModel.decode(bytes) }
        }
    }

    @Test("A megabyte of empty nodes is refused before it takes fifty")
    func manyEmptyNodes() throws {
        let nodes = [UInt8](repeating: 0, count: 1 << 20).indices.map { index -> UInt8 in
            index.isMultiple(of: 2) ? 0x0a : 0
        }
        // Field 7, the graph, of 2^20 bytes.
        let fault = try refusal([0x3a, 0x80, 0x80, 0x40] + nodes)
        #expect(fault.message.contains("damaged"))
    }

    @Test(
        "A changed name, operator, version or shape is named in the refusal",
        arguments: [
            ("QLinearConv", "FusedMatMul", "node 'layer0' is FusedMatMul("),
            ("Flatten", "Softmax", "node 'flatten' is Softmax("),
            ("centred", "Centred", "node 'centre' is Sub(input, offset) -> Centred"),
            ("student", "Student", "not written as Tributary"),
            ("layer0.bias", "layer0.BIAS", "node 'layer0'"),
            ("tributary.plan", "tributary.Plan", "metadata"),
            ("fashion", "fAshion", "tributary.plan is 'fAshion'"),
            ("000102", "00010x", "tributary.parent"),
        ])
    func changedText(old: String, new: String, message: String) throws {
        let fault = try refusal(replacing(Array(old.utf8), by: Array(new.utf8)))
        #expect(fault.message.contains(message), "\(fault.message)")
        #expect(!fault.remedy.isEmpty)
    }

    @Test("A tensor under another name is missing")
    func missingTensor() throws {
        // The node names the tensor first; the tensor itself comes last.
        let renamed = try refusal(
            replacing(Array("layer1.bias".utf8), by: Array("layer1.bizs".utf8), last: true))
        #expect(renamed.message == "tensor 'layer1.bias' is missing")
    }

    @Test(
        "What is added to the graph is named in the refusal",
        arguments: [
            // Field 5, a tensor, with its name.
            ([0x2a, 3, 0x42, 1, 120], "tensor 'x' is not used"),
            ([0x2a, 7, 0x42, 5] + Array("scale".utf8), "there are two tensors 'scale'"),
            // Field 1, a node: with attributes, of a domain of its own, or empty.
            ([0x0a, 5, 0x1a, 1, 120, 0x2a, 0], "attribute '' of node 'x' has type 0"),
            ([0x0a, 6, 0x22, 1, 113, 0x3a, 1, 100], "operator d.q is not supported"),
            ([0x0a, 0], "the graph has 9 nodes, its layers need 8"),
            // Fields 11 and 12, inputs and outputs; 15, a sparse tensor.
            ([0x5a, 0], "'' is not a tensor"),
            ([0x7a, 0], "the graph has field 15"),
        ] as [([UInt8], String)])
    func additions(part: [UInt8], message: String) throws {
        // protobuf merges a second graph into the first.
        let fault = try refusal(valid + [0x3a, UInt8(part.count)] + part)
        #expect(fault.message.contains(message), "\(fault.message)")
    }

    @Test("Impossible values in tensors are refused")
    func values() throws {
        let zeroPoint = Array("activation0.zero_point".utf8) + [0x4a, 1]
        #expect(
            try refusal(replacing(zeroPoint + [0], by: zeroPoint + [1])).message
                == "tensor 'activation0.zero_point' is not zero")
        let last = Array("activation2.zero_point".utf8) + [0x4a, 1]
        #expect(
            try refusal(replacing(last + [0], by: last + [5])).message
                == "tensor 'activation2.zero_point' is 5, not 0 or, after a ReLU, -128")
        let scale = Array("activation1.scale".utf8) + [0x4a, 4]
        for bad: Float in [0, -1, .infinity, .nan] {
            let bits = (0..<4).map { UInt8(truncatingIfNeeded: bad.bitPattern >> (8 * $0)) }
            #expect(try refusal(replacing(scale, by: scale + bits, removing: 4)).code == .invalid)
        }
        let weights = Array("layer0.weights".utf8) + [0x4a, 6]
        #expect(
            try refusal(replacing(weights + [1], by: weights + [0x80])).code == .invalid,
            "a weight of -128")
    }

    @Test("Shapes that disagree with each other are refused with both")
    func shapes() throws {
        // dims (packed, field 1), data_type (field 2), name (field 8): layer 1's weights [2, 2, 1,
        // 1].
        let end: [UInt8] = [0x10, 3, 0x42, 14] + Array("layer1.weights".utf8)
        let fault = try refusal(
            replacing([10, 4, 2, 2, 1, 1] + end, by: [10, 4, 2, 3, 1, 1] + end))
        #expect(fault.message.contains("'layer1.weights' has shape [2, 3, 1, 1]"))
        #expect(fault.message.contains("[2, 2, 1, 1]"))
        let kernel = try refusal(
            replacing([10, 4, 2, 2, 1, 1] + end, by: [10, 4, 1, 2, 2, 1] + end))
        #expect(kernel.message.contains("[units, inputs, 1, 1]"))
        let type = try refusal(replacing(end, by: [0x10, 2] + end[2...]))
        #expect(type.message.contains("'layer1.weights' holds type 2, not int8"))
    }

    @Test("Fields outside the subset, twice given or in another order are refused")
    func otherSpellings() throws {
        // model_version (field 5) is ONNX's, but no part of a student.
        #expect(try refusal(valid + [0x28, 1]).message.contains("field 5"))
        // ir_version again, with the value it has.
        #expect(try refusal(valid + [8, 4]).message.contains("not written as Tributary"))
        #expect(
            try refusal(Array(valid[2...]) + valid[..<2]).message
                .contains("not written as Tributary"))
        #expect(try refusal([8, 3] + valid[2...]).message.contains("IR version 3"))
    }

    /// The valid file with the first (or last) `old`, and `removing` bytes after it, replaced.
    private func replacing(
        _ old: [UInt8], by new: [UInt8], removing: Int = 0, last: Bool = false
    ) throws -> [UInt8] {
        try edited(valid, old, by: new, removing: removing, last: last)
    }
}

/// The fault that `bytes` are refused with.
func refusal(_ bytes: [UInt8]) throws -> Fault {
    try #require(throws: Fault.self) { try OnnxModel.decode(bytes) }
}

/// `file` with the first (or last) `old`, and `removing` bytes after it, replaced.
func edited(
    _ file: [UInt8], _ old: [UInt8], by new: [UInt8], removing: Int = 0, last: Bool = false
) throws -> [UInt8] {
    let places = file.indices.filter { file[$0...].starts(with: old) }
    let start = try #require(last ? places.last : places.first)
    var bytes = file
    bytes.replaceSubrange(start..<start + old.count + removing, with: new)
    return bytes
}

/// Damages `valid` in thousands of ways: each is refused, or is exactly what the model read from it
/// is written as.
func expectEveryDamageFound(in valid: [UInt8], seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var refused = 0
    for _ in 0..<4000 {
        var bytes = valid
        for _ in 0...Int.random(in: 0...2, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
                in: 0...255, using: &random)
        }
        guard bytes != valid else { continue }
        do throws(Fault) {
            let (model, identity) = try OnnxModel.decode(bytes)
            #expect(try OnnxModel.encode(model, identity: identity) == bytes)
        } catch {
            #expect(error.code == .invalid)
            refused += 1
        }
    }
    #expect(refused > 3000)
}
