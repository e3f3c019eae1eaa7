import Federation
import ModelFormats
import Testing

@Suite("Files that are not safetensors of floats")
struct SafetensorsRefusalTests {
    /// A tensor of one or more bytes, as a member of the header.
    private static func int8(_ name: String, _ start: Int, _ end: Int) -> String {
        #""\#(name)":{"dtype":"I8","shape":[\#(end - start)],"data_offsets":[\#(start),\#(end)]}"#
    }

    @Test(
        "What is wrong with a tensor is said with its name",
        arguments: [
            ("{\(int8("a", 0, 5))}", "tensor 'a' has the bytes 0 to 5 of 4 bytes of data"),
            ("{\(int8("a", 0, 3)),\(int8("b", 2, 4))}", "tensor 'b' overlaps another"),
            ("{\(int8("a", 0, 4)),\(int8("b", 0, 4))}", "overlaps another"),
            ("{\(int8("a", 0, 1)),\(int8("b", 2, 4))}", "tensor 'b' leaves the bytes 1 to 2"),
            ("{\(int8("a", 0, 3))}", "1 bytes after the last tensor"),
            ("{}", "4 bytes after the last tensor"),
            ("{\(int8("a", 0, 2)),\(int8("a", 2, 4))}", "tensor 'a' is there twice"),
            (#"{"a":{"dtype":"I64","shape":[],"data_offsets":[0,4]}}"#, "'a' has the type 'I64'"),
            (
                #"{"a":{"dtype":"I8","shape":[3],"data_offsets":[0,4]}}"#,
                "'a' of shape [3] and type I8 has 4 bytes"
            ),
            (
                #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#,
                "'a' of shape [4294967296, 4294967296]"
            ),
            (
                #"{"a":{"dtype":"I8","shape":[4],"data_offsets":[4,0]}}"#,
                "'a' has the bytes 4 to 0"
            ),
            (#"{"a":{"dtype":"I8","shape":[4]}}"#, "'a' lacks"),
            (#"{"a":{"dtype":"I8","shape":[4],"data_offsets":[0]}}"#, "'a' lacks"),
            (#"{"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4],"x":1}}"#, "'a' has 'x'"),
            (#"{"a":{"dtype":"I8","dtype":"I8"}}"#, "'a' has 'dtype' twice"),
        ])
    func tensors(header: String, message: String) throws {
        let fault = try refusal(file(header, [1, 2, 3, 4]))
        #expect(fault.message.contains(message), "\(fault.message)")
        #expect(!fault.remedy.isEmpty)
    }

    @Test(
        "A header that is not the JSON of the format is refused with the byte",
        arguments: [
            ("", "expected '{' at byte 8"), ("[]", "expected '{' at byte 8"),
            ("{", "expected '\"' at byte 9"), ("{}x", "expected the end of the header at byte 10"),
            (#"{"a"}"#, "expected ':' at byte 12"), (#"{"a":1}"#, "expected '{'"),
            (#"{"a":{},}"#, "lacks"), (#"{"__metadata__":{"a":1}}"#, "expected '\"'"),
            ("{\"a\n\":{}}", "a control character"), (#"{"\x":{}}"#, "an escape"),
            (#"{"\u12g4":{}}"#, "four hexadecimal digits"), (#"{"\ud800":{}}"#, "Unicode"),
            (#"{"\ud800\u0041":{}}"#, "a low surrogate"), (#"{"a"#, "the end of a string"),
            (#"{"a":{"shape":[-1]}}"#, "a whole number"),
            (#"{"a":{"shape":[1.5]}}"#, "expected ']'"),
            (#"{"a":{"shape":[01]}}"#, "a whole number"),
            (#"{"a":{"shape":[99999999999999999999]}}"#, "a number below 2^63"),
            (#"{"a":{"shape":[1,1,1,1,1,1,1,1,1]}}"#, "at most 8 numbers"),
            (#"{"a":{"data_offsets":[0,1,2]}}"#, "at most 2 numbers"),
        ])
    func headers(header: String, message: String) throws {
        let fault = try refusal(file(header, []))
        #expect(fault.message.contains(message), "\(fault.message)")
    }

    @Test("A length beyond the file or the bound is refused before anything is read")
    func lengths() throws {
        #expect(try refusal([]).message.contains("0 bytes"))
        #expect(
            try refusal([UInt8](repeating: 255, count: 8)).message.contains("18446744073709551615"))
        #expect(try refusal([3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]).message.contains("3 bytes"))
        let long = file("{}" + String(repeating: " ", count: 16 << 20), [])
        #expect(try refusal(long).message.contains("longer than 16777216"))
    }

    @Test("A file cut short at any length is refused")
    func truncated() throws {
        let valid = try someFile()
        for length in 0..<valid.count {
            #expect(throws: Fault.self, "\(length) bytes") {
                try Safetensors(decoding: Array(valid[..<length]))
            }
        }
    }

    @Test("Whatever is damaged, reading is refused or gives tensors of their shapes")
    func damaged() throws {
        let valid = try someFile()
        let headerEnd = 8 + Int(valid[0]) + Int(valid[1]) << 8
        var random = SeededRandom(seed: 17)
        var refused = 0
        for _ in 0..<4000 {
            var bytes = valid
            for _ in 0...Int.random(in: 0...2, using: &random) {
                let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &random)
                bytes[Int.random(in: 0..<headerEnd, using: &random)] ^= bit
            }
            do throws(Fault) {
                for tensor in try Safetensors(decoding: bytes).tensors.values {
                    #expect(tensor.shape.reduce(1, *) == tensor.values.count)
                }
            } catch {
                #expect(error.code == .invalid)
                refused += 1
            }
        }
        #expect((1000..<4000).contains(refused), "\(refused) refused")
    }

    private func someFile() throws -> [UInt8] {
        try Safetensors(tensors: [
            "layer0.weight": .init(shape: [2, 3], values: [1, 2, 3, 4, 5, 6]),
            "layer0.bias": .init(shape: [2], values: [7, 8]),
            "scale": .init(shape: [], values: [9]),
        ]).encoded()
    }

    private func refusal(_ bytes: [UInt8]) throws -> Fault {
        try #require(throws: Fault.self) { try Safetensors(decoding: bytes) }
    }
}
