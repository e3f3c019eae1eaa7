/// What an ONNX file of the subset in proto/onnx says, as plain values.
struct OnnxFile: Sendable, Equatable {
    /// A set of operators the nodes may use; the empty domain is ONNX's own.
    struct OperatorSet: Sendable, Equatable {
        var domain: String
        var version: Int64
    }

    /// An entry of the file's free-form metadata.
    struct Property: Sendable, Equatable {
        var key: String
        var value: String
    }

    /// An option of an operation.
    struct Attribute: Sendable, Equatable, CustomStringConvertible {
        enum Value: Sendable, Equatable {
            case integer(Int64)
            case integers([Int64])
        }

        /// ONNX's numbers for the two kinds of value.
        static let integerType: Int32 = 2
        static let integersType: Int32 = 7

        var name: String
        var value: Value

        var description: String {
            switch value {
            case .integer(let integer): "\(name) \(integer)"
            case .integers(let integers): "\(name) \(integers)"
            }
        }
    }

    /// One operation from ONNX's own set.
    struct Node: Sendable, Equatable, CustomStringConvertible {
        var name: String
        var operation: String
        var inputs: [String]
        var outputs: [String]
        var attributes: [Attribute] = []

        var description: String {
            let options = attributes.isEmpty ? "" : " with \(attributes)"
            let (inputs, outputs) = (
                inputs.joined(separator: ", "), outputs.joined(separator: ", ")
            )
            return "\(operation)(\(inputs)) -> \(outputs)\(options)"
        }
    }

    /// ONNX's numbers for element types; others are kept as they are, to be refused by name.
    struct ElementType: Sendable, Equatable, CustomStringConvertible {
        static let float32 = ElementType(code: 1)
        static let int8 = ElementType(code: 3)
        static let int32 = ElementType(code: 6)
        static let int64 = ElementType(code: 7)

        var code: Int32

        var description: String {
            switch self {
            case .float32: "float32"
            case .int8: "int8"
            case .int32: "int32"
            case .int64: "int64"
            default: "type \(code)"
            }
        }
    }

    /// A constant: `data` is row-major and little-endian; no dimensions make a scalar.
    struct Tensor: Sendable, Equatable {
        var name: String
        var type: ElementType
        var dimensions: [Int64]
        var data: [UInt8]
    }

    /// An input or output of the graph.
    struct Port: Sendable, Equatable, CustomStringConvertible {
        enum Dimension: Sendable, Equatable, CustomStringConvertible {
            case fixed(Int64)
            case named(String)

            var description: String {
                switch self {
                case .fixed(let count): String(count)
                case .named(let name): name
                }
            }
        }

        var name: String
        var type: ElementType
        var dimensions: [Dimension]

        var description: String { "\(name): \(type) \(dimensions)" }
    }

    var irVersion: Int64
    var producer: String
    var operatorSets: [OperatorSet]
    var graphName: String
    /// In the order of execution.
    var nodes: [Node]
    var tensors: [Tensor]
    var inputs: [Port]
    var outputs: [Port]
    var properties: [Property]
}
