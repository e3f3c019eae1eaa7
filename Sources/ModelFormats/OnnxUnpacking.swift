import CMessages
import CProtobufC
import Federation
import Glibc

extension OnnxFile {
    /// Reads a file of the subset.
    ///
    /// - Throws: `Fault.invalid` when `bytes` do not parse or hold a field outside the subset.
    init(unpacking bytes: [UInt8]) throws(Fault) {
        // Most of a model is raw data that is copied once. A file of empty nodes would take 50
        // times its size, so protobuf-c is given an allocator that stops.
        var budget = 4 * bytes.count + (64 << 10)
        self = try withUnsafeMutablePointer(to: &budget) { (budget) throws(Fault) in
            var allocator = boundedAllocator(budget)
            let unpacked = bytes.withUnsafeBufferPointer { buffer in
                tributary__onnx__model__unpack(&allocator, buffer.count, buffer.baseAddress)
            }
            guard let unpacked else {
                throw Fault(
                    .invalid, "the model file is damaged or not an ONNX file",
                    remedy: Remedy.otherModel)
            }
            defer { tributary__onnx__model__free_unpacked(unpacked, &allocator) }
            return try OnnxFile(unpacked.pointee)
        }
    }

    private init(_ model: Tributary__Onnx__Model) throws(Fault) {
        try refuseUnknown(model.base, in: "the file")
        guard let graph = model.graph?.pointee else {
            throw Fault(.invalid, "the model file has no graph", remedy: Remedy.otherModel)
        }
        try refuseUnknown(graph.base, in: "the graph")
        irVersion = model.ir_version
        producer = text(model.producer_name)
        operatorSets = try list(model.opset_import, model.n_opset_import) { (set) throws(Fault) in
            try refuseUnknown(set.base, in: "an operator set")
            return OperatorSet(domain: text(set.domain), version: set.version)
        }
        graphName = text(graph.name)
        nodes = try list(graph.node, graph.n_node, Node.init(message:))
        tensors = try list(graph.initializer, graph.n_initializer, Tensor.init(message:))
        inputs = try list(graph.input, graph.n_input, Port.init(message:))
        outputs = try list(graph.output, graph.n_output, Port.init(message:))
        properties = try list(model.metadata_props, model.n_metadata_props) {
            (property) throws(Fault) in
            try refuseUnknown(property.base, in: "a metadata entry")
            return Property(key: text(property.key), value: text(property.value))
        }
    }
}

extension OnnxFile.Node {
    fileprivate init(message: Tributary__Onnx__Node) throws(Fault) {
        name = text(message.name)
        operation = text(message.op_type)
        inputs = UnsafeBufferPointer(start: message.input, count: message.n_input).map { text($0) }
        outputs = UnsafeBufferPointer(start: message.output, count: message.n_output).map {
            text($0)
        }
        try refuseUnknown(message.base, in: "node '\(name)'")
        let domain = text(message.domain)
        guard domain.isEmpty else {
            throw Fault(
                .invalid, "node '\(name)': operator \(domain).\(operation) is not supported",
                remedy: Remedy.otherModel)
        }
        let owner = "node '\(name)'"
        attributes = try list(message.attribute, message.n_attribute) {
            (attribute) throws(Fault) in
            try OnnxFile.Attribute(message: attribute, of: owner)
        }
    }
}

extension OnnxFile.Attribute {
    fileprivate init(message: Tributary__Onnx__Attribute, of owner: String) throws(Fault) {
        name = text(message.name)
        try refuseUnknown(message.base, in: "attribute '\(name)' of \(owner)")
        switch message.type {
        case Self.integerType: value = .integer(message.i)
        case Self.integersType:
            value = .integers(
                Array(UnsafeBufferPointer(start: message.ints, count: message.n_ints)))
        default:
            throw Fault(
                .invalid,
                "attribute '\(name)' of \(owner) has type \(message.type), which is not supported",
                remedy: Remedy.otherModel)
        }
    }
}

extension OnnxFile.Tensor {
    fileprivate init(message: Tributary__Onnx__Tensor) throws(Fault) {
        name = text(message.name)
        type = OnnxFile.ElementType(code: message.data_type)
        dimensions = Array(UnsafeBufferPointer(start: message.dims, count: message.n_dims))
        data = Array(
            UnsafeBufferPointer(start: message.raw_data.data, count: message.raw_data.len))
        try refuseUnknown(message.base, in: "tensor '\(name)'")
    }
}

extension OnnxFile.Port {
    fileprivate init(message: Tributary__Onnx__ValueInfo) throws(Fault) {
        name = text(message.name)
        let place = "the type of '\(name)'"
        try refuseUnknown(message.base, in: place)
        guard let type = message.type?.pointee, let tensorType = type.tensor_type?.pointee,
            let shape = tensorType.shape?.pointee
        else {
            throw Fault(.invalid, "'\(name)' is not a tensor", remedy: Remedy.otherModel)
        }
        for base in [type.base, tensorType.base, shape.base] {
            try refuseUnknown(base, in: place)
        }
        self.type = OnnxFile.ElementType(code: tensorType.elem_type)
        dimensions = try list(shape.dim, shape.n_dim) { (dimension) throws(Fault) in
            try refuseUnknown(dimension.base, in: place)
            let name = text(dimension.dim_param)
            return name.isEmpty ? .fixed(dimension.dim_value) : .named(name)
        }
    }
}

/// What `convert` makes of each of `count` messages from `start` on.
private func list<Message, Value>(
    _ start: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, _ count: Int,
    _ convert: (Message) throws(Fault) -> Value
) throws(Fault) -> [Value] {
    var values: [Value] = []
    for case let message? in UnsafeBufferPointer(start: start, count: count) {
        values.append(try convert(message.pointee))
    }
    return values
}

/// A C string's text; bytes that are not UTF-8 are replaced and so match no expected name.
private func text(_ start: UnsafePointer<CChar>?) -> String {
    start.map { String(cString: $0) } ?? ""
}

/// Refuses a message with fields that the subset does not have: another reader might act on them.
private func refuseUnknown(_ message: ProtobufCMessage, in place: String) throws(Fault) {
    guard message.n_unknown_fields > 0, let fields = message.unknown_fields else { return }
    throw Fault(
        .invalid, "\(place) has field \(fields[0].tag), which is not supported",
        remedy: Remedy.otherModel)
}

/// An allocator for protobuf-c that hands out at most `budget` bytes in all; `budget` outlives it.
private func boundedAllocator(_ budget: UnsafeMutablePointer<Int>) -> ProtobufCAllocator {
    ProtobufCAllocator(
        alloc: { budget, size in
            guard let left = budget?.assumingMemoryBound(to: Int.self), size <= left.pointee else {
                return nil
            }
            left.pointee -= size
            return malloc(size)
        },
        free: { _, pointer in free(pointer) },
        allocator_data: UnsafeMutableRawPointer(budget))
}
