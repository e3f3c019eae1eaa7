import Federation
import Learning

/// The constants of a student's graph: written from a model, and taken back by name.
struct StudentTensors {
    private typealias Name = StudentGraph.Name

    private var tensors: [String: OnnxFile.Tensor] = [:]

    /// - Throws: `Fault.invalid` when two of `tensors` have one name.
    init(_ tensors: [OnnxFile.Tensor]) throws(Fault) {
        for tensor in tensors where self.tensors.updateValue(tensor, forKey: tensor.name) != nil {
            throw Fault(
                .invalid, "there are two tensors '\(tensor.name)'", remedy: Remedy.otherModel)
        }
    }

    /// The constants of `model`, in the order they are written.
    static func write(_ model: QuantizedModel) -> [OnnxFile.Tensor] {
        let widths = model.shape.widths
        let normalisation = model.normalisation
        var tensors = [
            tensor(Name.offset, [normalisation.offset.count], normalisation.offset),
            tensor(Name.scale, [normalisation.scale.count], normalisation.scale),
            tensor(Name.shape, [4], columnsShape(features: widths[0])),
        ]
        for (index, scale) in model.activationScales.enumerated() {
            let zeroPoint = Int8(model.shape.zeroPoint(activation: index))
            tensors.append(tensor(Name.activationScale(index), [], [scale]))
            tensors.append(tensor(Name.activationZeroPoint(index), [], [zeroPoint]))
        }
        for (index, layer) in model.layers.enumerated() {
            let (inputs, units) = (widths[index], widths[index + 1])
            tensors += [
                tensor(Name.weights(index), [units, inputs, 1, 1], layer.weights),
                tensor(Name.weightScales(index), [units], layer.scales),
                tensor(
                    Name.weightZeroPoints(index), [units],
                    [Int8](repeating: 0, count: units)),
                tensor(Name.bias(index), [units], layer.bias),
            ]
        }
        return tensors
    }

    /// The model of `layers` layers that these tensors make; every one of them is used.
    ///
    /// - Throws: `Fault.invalid` naming the tensor that is missing, superfluous or of another form.
    mutating func read(layers count: Int) throws(Fault) -> QuantizedModel {
        var widths = [try weightShape(0).inputs]
        var relu: [Bool] = []
        var layers: [QuantizedLayer] = []
        var scales = [try scalar(Name.activationScale(0), Float.self)]
        try requireZeros(Name.activationZeroPoint(0), [])
        for index in 0..<count {
            let (layer, units) = try readLayer(index, inputs: widths[index])
            layers.append(layer)
            widths.append(units)
            scales.append(try scalar(Name.activationScale(index + 1), Float.self))
            relu.append(try readZeroPoint(index))
        }
        let normalisation = Normalisation(
            offset: try readNormalisation(Name.offset, features: widths[0]),
            scale: try readNormalisation(Name.scale, features: widths[0]))
        let shape: [Int64] = try values(Name.shape, [4])
        guard shape == StudentTensors.columnsShape(features: widths[0]) else {
            throw invalid(Name.shape, "is \(shape) for \(widths[0]) features")
        }
        if let name = tensors.keys.min() { throw invalid(name, "is not used") }
        return try QuantizedModel(
            shape: StudentShape(widths: widths, relu: relu), normalisation: normalisation,
            activationScales: scales, layers: layers)
    }

    private static func columnsShape(features: Int) -> [Int64] { [-1, Int64(features), 1, 1] }

    private static func tensor<Value: RawElement>(
        _ name: String, _ dimensions: [Int], _ values: [Value]
    ) -> OnnxFile.Tensor {
        OnnxFile.Tensor(
            name: name, type: Value.elementType, dimensions: dimensions.map(Int64.init),
            data: rawBytes(values))
    }

    /// The widths that layer `index`'s weights [units, inputs, 1, 1] state.
    private func weightShape(_ index: Int) throws(Fault) -> (units: Int, inputs: Int) {
        let name = Name.weights(index)
        guard let tensor = tensors[name] else { throw invalid(name, "is missing") }
        let shape = tensor.dimensions
        let bounds = 1...Int64(StudentShape.largestWidth)
        guard shape.count == 4, bounds.contains(shape[0]), bounds.contains(shape[1]),
            shape[2] == 1, shape[3] == 1
        else {
            throw invalid(
                name,
                "has shape \(shape), not [units, inputs, 1, 1] of at most"
                    + " \(StudentShape.largestWidth)")
        }
        return (Int(shape[0]), Int(shape[1]))
    }

    private mutating func readLayer(
        _ index: Int, inputs: Int
    ) throws(Fault) -> (layer: QuantizedLayer, units: Int) {
        let units = try weightShape(index).units
        let layer = QuantizedLayer(
            weights: try values(Name.weights(index), [units, inputs, 1, 1]),
            scales: try values(Name.weightScales(index), [units]),
            bias: try values(Name.bias(index), [units]))
        try requireZeros(Name.weightZeroPoints(index), [units])
        return (layer, units)
    }

    /// Whether layer `index` has a ReLU, as the zero point of its output says.
    private mutating func readZeroPoint(_ index: Int) throws(Fault) -> Bool {
        let name = Name.activationZeroPoint(index + 1)
        let zeroPoint = try scalar(name, Int8.self)
        switch zeroPoint {
        case 0: return false
        case -128: return true
        default: throw invalid(name, "is \(zeroPoint), not 0 or, after a ReLU, -128")
        }
    }

    private mutating func readNormalisation(
        _ name: String, features: Int
    ) throws(Fault) -> [Float] {
        let isShared = tensors[name]?.dimensions == [1]
        return try values(name, [isShared ? 1 : features])
    }

    private mutating func requireZeros(_ name: String, _ dimensions: [Int]) throws(Fault) {
        let zeroPoints: [Int8] = try values(name, dimensions)
        guard zeroPoints.allSatisfy({ $0 == 0 }) else { throw invalid(name, "is not zero") }
    }

    private mutating func scalar<Value: RawElement>(
        _ name: String, _ type: Value.Type
    ) throws(Fault) -> Value {
        try values(name, [])[0]
    }

    /// Takes tensor `name`, which must have the type and `dimensions` given, out of the set.
    private mutating func values<Value: RawElement>(
        _ name: String, _ dimensions: [Int]
    ) throws(Fault) -> [Value] {
        guard let tensor = tensors.removeValue(forKey: name) else {
            throw invalid(name, "is missing")
        }
        guard tensor.type == Value.elementType else {
            throw invalid(name, "holds \(tensor.type), not \(Value.elementType)")
        }
        guard tensor.dimensions == dimensions.map(Int64.init) else {
            throw invalid(name, "has shape \(tensor.dimensions), expected \(dimensions)")
        }
        // At most 2^30: the widths are bounded.
        let count = dimensions.reduce(1, *)
        guard tensor.data.count == count * MemoryLayout<Value>.size else {
            throw invalid(
                name,
                "of shape \(dimensions) has \(tensor.data.count) bytes of data, expected"
                    + " \(count * MemoryLayout<Value>.size)")
        }
        return rawValues(tensor.data)
    }

    private func invalid(_ name: String, _ problem: String) -> Fault {
        Fault(.invalid, "tensor '\(name)' \(problem)", remedy: Remedy.otherModel)
    }
}
