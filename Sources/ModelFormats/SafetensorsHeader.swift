import Federation

/// The header of a safetensors file: which tensor has which bytes.
enum SafetensorsHeader {
    /// Bounds what is parsed: room for a hundred thousand tensors.
    static let mostBytes = 16 << 20
    /// Dimensions of one tensor.
    static let highestRank = 8
    static let remedy = "use a safetensors file of F32, F16, BF16 or I8 tensors"

    private static let lengthBytes = 8
    private static let metadataName = "__metadata__"

    /// Types of elements that are read, as the header names them.
    enum ElementType: String, CaseIterable {
        case float32 = "F32"
        case float16 = "F16"
        case brainFloat16 = "BF16"
        case int8 = "I8"

        var size: Int {
            switch self {
            case .float32: 4
            case .float16, .brainFloat16: 2
            case .int8: 1
            }
        }
    }

    /// What the header says of one tensor; nothing of it is checked against the rest.
    struct Entry {
        var name: String
        var type: ElementType
        var shape: [Int]
        /// Its bytes, counted from the end of the header.
        var start: Int
        var end: Int

        /// Bytes that its shape and type need; nil when there are more than can be counted.
        var byteCount: Int? {
            var count = type.size
            for dimension in shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
                guard !overflow, dimension >= 0 else { return nil }
                count = product
            }
            return count
        }
    }

    static func fault(_ tensor: String, _ problem: String) -> Fault {
        Fault(.invalid, "tensor '\(tensor.prefix(80))' \(problem)", remedy: remedy)
    }

    /// The entries of a file and the byte at which its data begin.
    static func entries(of bytes: [UInt8]) throws(Fault) -> (entries: [Entry], dataStart: Int) {
        guard bytes.count >= lengthBytes else {
            throw Fault(
                .invalid, "a file of \(bytes.count) bytes is no safetensors file", remedy: remedy)
        }
        let length = bytes[..<lengthBytes].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(min(mostBytes, bytes.count - lengthBytes)) else {
            throw Fault(
                .invalid,
                "a header of \(length) bytes does not fit a file of \(bytes.count) bytes"
                    + " or is longer than \(mostBytes)",
                remedy: remedy)
        }
        let dataStart = lengthBytes + Int(length)
        var text = HeaderText(bytes[lengthBytes..<dataStart])
        return (try entries(&text), dataStart)
    }

    private static func entries(_ text: inout HeaderText) throws(Fault) -> [Entry] {
        var entries: [Entry] = []
        var names: Set<String> = []
        try text.object { (name, text) throws(Fault) in
            guard names.insert(name).inserted else { throw fault(name, "is there twice") }
            if name == metadataName {
                try text.object { (_, text) throws(Fault) in _ = try text.string() }
            } else {
                entries.append(try entry(name, &text))
            }
        }
        try text.end()
        return entries
    }

    private static func entry(_ name: String, _ text: inout HeaderText) throws(Fault) -> Entry {
        var typeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        try text.object { (key, text) throws(Fault) in
            switch key {
            case "dtype" where typeName == nil: typeName = try text.string()
            case "shape" where shape == nil: shape = try text.integers(atMost: highestRank)
            case "data_offsets" where offsets == nil: offsets = try text.integers(atMost: 2)
            default: throw fault(name, "has '\(key.prefix(80))' twice or outside the format")
            }
        }
        guard let typeName, let shape, let offsets, offsets.count == 2 else {
            throw fault(name, "lacks its dtype, its shape or its two data_offsets")
        }
        guard let type = ElementType(rawValue: typeName) else {
            throw fault(name, "has the type '\(typeName.prefix(80))'")
        }
        return Entry(name: name, type: type, shape: shape, start: offsets[0], end: offsets[1])
    }

    /// The length and the header of a file with `entries`, padded so that the data are aligned.
    static func bytes(_ entries: [Entry]) throws(Fault) -> [UInt8] {
        var members: [String] = []
        for entry in entries {
            guard entry.name != metadataName else {
                throw fault(entry.name, "has the name of the file's metadata")
            }
            guard entry.shape.count <= highestRank else {
                throw fault(entry.name, "has \(entry.shape.count) dimensions")
            }
            let shape = entry.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(entry.name)):{\"dtype\":\"\(entry.type.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(entry.start),\(entry.end)]}")
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        while !header.count.isMultiple(of: lengthBytes) { header.append(UInt8(ascii: " ")) }
        guard header.count <= mostBytes else {
            throw Fault(.invalid, "the header would have \(header.count) bytes, above \(mostBytes)")
        }
        return rawBytes([Int64(header.count)]) + header
    }

    /// `text` as a JSON string.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
