import Federation
import Learning

/// The constants of a file, from which each is taken once by name.
struct TensorSet {
    private var tensors: [String: OnnxFile.Tensor] = [:]

    /// - Throws: `Fault.invalid` when two of `tensors` have one name.
    init(_ tensors: [OnnxFile.Tensor]) throws(Fault) {
        for tensor in tensors where self.tensors.updateValue(tensor, forKey: tensor.name) != nil {
            throw Fault(
                .invalid, "there are two tensors '\(tensor.name)'", remedy: Remedy.otherModel)
        }
    }

    /// The dimensions that tensor `name` states.
    func dimensions(_ name: String) throws(Fault) -> [Int64] {
        guard let tensor = tensors[name] else { throw TensorSet.invalid(name, "is missing") }
        return tensor.dimensions
    }

    /// Takes tensor `name`, which must have the type and `dimensions` given, out of the set.
    mutating func take<Value: TensorElement>(
        _ name: String, _ dimensions: [Int]
    ) throws(Fault) -> [Value] {
        guard let tensor = tensors.removeValue(forKey: name) else {
            throw TensorSet.invalid(name, "is missing")
        }
        guard tensor.type == Value.elementType else {
            throw TensorSet.invalid(name, "holds \(tensor.type), not \(Value.elementType)")
        }
        guard tensor.dimensions == dimensions.map(Int64.init) else {
            throw TensorSet.invalid(name, "has shape \(tensor.dimensions), expected \(dimensions)")
        }
        // At most 2^31: channels and the products of one sum are bounded.
        let size = dimensions.reduce(1, *) * MemoryLayout<Value>.size
        guard tensor.data.count == size else {
            throw TensorSet.invalid(
                name,
                "of shape \(dimensions) has \(tensor.data.count) bytes of data, expected \(size)")
        }
        return rawValues(tensor.data)
    }

    mutating func scalar<Value: TensorElement>(
        _ name: String, _ type: Value.Type
    ) throws(Fault) -> Value {
        try take(name, [])[0]
    }

    /// Takes a tensor of zero points, which must be zero.
    mutating func takeZeros(_ name: String, _ dimensions: [Int]) throws(Fault) {
        let zeroPoints: [Int8] = try take(name, dimensions)
        guard zeroPoints.allSatisfy({ $0 == 0 }) else {
            throw TensorSet.invalid(name, "is not zero")
        }
    }

    /// - Throws: `Fault.invalid` when tensors are left.
    func requireEmpty() throws(Fault) {
        if let name = tensors.keys.min() { throw TensorSet.invalid(name, "is not used") }
    }

    static func invalid(_ name: String, _ problem: String) -> Fault {
        Fault(.invalid, "tensor '\(name)' \(problem)", remedy: Remedy.otherModel)
    }
}
