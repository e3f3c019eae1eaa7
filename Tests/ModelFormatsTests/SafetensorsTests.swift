import Federation
import ModelFormats
import Testing

@Suite("safetensors files")
struct SafetensorsTests {
    @Test("What is written is read back, bit for bit")
    func roundTrip() throws {
        var random = SeededRandom(seed: 3)
        let special: [Float] = [
            .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
        ]
        let file = Safetensors(tensors: [
            "layers.0.weight": .init(
                shape: [3, 2, 5, 5],
                values: (0..<150).map { _ in Float.random(in: -9...9, using: &random) }),
            "layers.0.bias": .init(shape: [5], values: special),
            "a scalar": .init(shape: [], values: [0.1]),
            "none": .init(shape: [4, 0], values: []),
            "\"quoted\" \\ \n\u{1} Müller 🌊": .init(shape: [1, 1], values: [7]),
        ])
        let bytes = try file.encoded()
        #expect(try Safetensors(decoding: bytes) == file)
        #expect(try Safetensors(decoding: bytes).encoded() == bytes)
        // The data begin where floats may be mapped.
        #expect(bytes[0].isMultiple(of: 8))
    }

    @Test("A file without tensors is one")
    func empty() throws {
        #expect(try Safetensors(tensors: [:]).encoded() == file("{}      ", []))
        #expect(try Safetensors(decoding: file("{}", [])).tensors.isEmpty)
    }

    @Test("The bytes are those of the format")
    func spelling() throws {
        let header = #"{"b":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}"#
        let tensors = ["b": Safetensors.Tensor(shape: [1, 1], values: [-2])]
        #expect(try Safetensors(tensors: tensors).encoded() == file(header, [0, 0, 0, 0xc0]))
    }

    @Test(
        "Every type is read exactly",
        arguments: [
            ("F32", [0, 0, 0xc0, 0x3f, 1, 0, 0, 0], [1.5, 0x1p-149]),
            // 1, -2, 65504, the smallest normal and subnormal, minus zero, infinities.
            ("F16", [0, 0x3c, 0, 0xc0, 0xff, 0x7b], [1, -2, 65504]),
            ("F16", [0, 4, 1, 0, 1, 0x80], [0x1p-14, 0x1p-24, -0x1p-24]),
            ("F16", [0xff, 3, 0, 0x7c, 0, 0xfc], [0x3ffp-24, .infinity, -.infinity]),
            ("BF16", [0x80, 0x3f, 0xc0, 0xc0], [1, -6]),
            ("I8", [0, 127, 128, 255], [0, 127, -128, -1]),
        ] as [(String, [UInt8], [Float])])
    func types(type: String, data: [UInt8], values: [Float]) throws {
        let header =
            #"{"x":{"dtype":"\#(type)","shape":[\#(values.count)],"#
            + #""data_offsets":[0,\#(data.count)]}}"#
        let tensor = try Safetensors(decoding: file(header, data)).tensors["x"]
        #expect(tensor == .init(shape: [values.count], values: values))
    }

    @Test("Half-precision NaN and minus zero keep their meaning")
    func halfSpecials() throws {
        let header = #"{"x":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#
        let values = try Safetensors(decoding: file(header, [0, 0x7e, 0, 0x80])).tensors["x"]?
            .values
        #expect(values?.first?.isNaN == true)
        #expect(values?.last?.bitPattern == 0x8000_0000)
    }

    @Test("Space, metadata, escapes and any order of members are read")
    func otherSpellings() throws {
        let header = """
             { "__metadata__" : {"format":"pt", "\\u00e9" : ""},
             "\\u0061\\ud83c\\udf0a\\/" : { "data_offsets" : [ 1 , 2 ], "shape":[ ],
             "dtype":"I8"}, "b":{"dtype":"I8","shape":[1],"data_offsets":[0,1]} }\t
            """
        let tensors = try Safetensors(decoding: file(header, [3, 4])).tensors
        #expect(
            tensors == ["a🌊/": .init(shape: [], values: [4]), "b": .init(shape: [1], values: [3])])
    }

    @Test("A tensor that cannot be written is named")
    func unfit() throws {
        func message(_ name: String, _ tensor: Safetensors.Tensor) throws -> String {
            try #require(throws: Fault.self) {
                try Safetensors(tensors: [name: tensor]).encoded()
            }.message
        }
        #expect(
            try message("w", .init(shape: [2, 2], values: [1, 2, 3]))
                == "tensor 'w' of shape [2, 2] and type F32 has 12 bytes of data")
        #expect(try message("w", .init(shape: [-1, -1], values: [1])).contains("[-1, -1]"))
        #expect(
            try message("__metadata__", .init(shape: [], values: [1])).contains(
                "the file's metadata"))
        let deep = [Int](repeating: 1, count: 9)
        #expect(try message("w", .init(shape: deep, values: [1])).contains("9 dimensions"))
    }
}

/// A safetensors file of this header and data.
func file(_ header: String, _ data: [UInt8]) -> [UInt8] {
    let length = header.utf8.count
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header.utf8 + data
}
