package import Federation
package import Learning

/// A teacher as a safetensors file: `NAME.weight` [outputs, inputs / groups, kernel height, kernel
/// width], of a dense layer also [outputs, inputs], and `NAME.bias` [outputs] for each layer with
/// weights, batch normalisation folded into them.
///
/// A teacher that the plan gives by its hidden units alone has the layers layer0, layer1 and so on,
/// as many and as wide as the file has them.
package enum TeacherFile {
    /// - Throws: `Fault.invalid` when it cannot be written, which a teacher that was checked never
    ///   is.
    package static func encode(_ teacher: Teacher) throws(Fault) -> [UInt8] {
        let (shape, parameters) = (teacher.shape, teacher.parameters)
        var tensors: [String: Safetensors.Tensor] = [:]
        for layer in shape.weightedLayers {
            let name = shape.layers[layer].name
            let ranges = shape.parameterRanges(layer: layer)
            tensors["\(name).weight"] = Safetensors.Tensor(
                shape: shape.weightDimensions(layer: layer) ?? [],
                values: Array(parameters[ranges.weights]))
            tensors["\(name).bias"] = Safetensors.Tensor(
                shape: [ranges.bias.count], values: Array(parameters[ranges.bias]))
        }
        return try Safetensors(tensors: tensors).encoded()
    }

    /// - Throws: `Fault.invalid` naming what does not parse, or the tensor that is missing, unknown,
    ///   not finite or of another shape than the plan's teacher needs.
    package static func decode(_ bytes: [UInt8], plan: Plan) throws(Fault) -> Teacher {
        let tensors = try Safetensors(decoding: bytes).tensors
        let shape = try StudentShape(teacher: layers(of: plan, tensors), data: plan.data)
        return try Teacher(
            shape: shape, parameters: try parameters(of: shape, from: tensors), data: plan.data)
    }
}

/// The layers of the plan's teacher; of one that is dense throughout, as many and as wide as the
/// file has them.
private func layers(
    of plan: Plan, _ tensors: [String: Safetensors.Tensor]
) -> [LayerPlan] {
    let units = plan.teacher.layers.compactMap { layer in
        if case .dense(let units, _) = layer.kind { units } else { nil }
    }
    guard plan.teacher.layers == TeacherPlan.dense(units) else { return plan.teacher.layers }
    var found: [Int] = []
    while let outputs = tensors["layer\(found.count).weight"]?.shape.first {
        found.append(outputs)
    }
    return TeacherPlan.dense(found.isEmpty ? units : found)
}

/// The parameter vector that `tensors` hold for a teacher of this shape.
///
/// - Throws: as `TeacherFile.decode`.
private func parameters(
    of shape: StudentShape, from tensors: [String: Safetensors.Tensor]
) throws(Fault) -> [Float] {
    var parameters = [Float](repeating: 0, count: shape.parameterCount)
    var known: Set<String> = []
    for layer in shape.weightedLayers {
        let name = shape.layers[layer].name
        let dimensions = shape.weightDimensions(layer: layer) ?? []
        var weightShapes = [dimensions]
        if case .dense = shape.layers[layer].kind {
            weightShapes.insert(Array(dimensions.prefix(2)), at: 0)
        }
        let ranges = shape.parameterRanges(layer: layer)
        parameters.replaceSubrange(
            ranges.weights, with: try values(of: "\(name).weight", in: tensors, weightShapes))
        parameters.replaceSubrange(
            ranges.bias, with: try values(of: "\(name).bias", in: tensors, [[dimensions[0]]]))
        known.formUnion(["\(name).weight", "\(name).bias"])
    }
    if let stranger = tensors.keys.filter({ !known.contains($0) }).min() {
        throw Fault(
            .invalid, "it holds \(stranger), which is no tensor of the teacher",
            remedy: "keep \(known.sorted().joined(separator: ", "))")
    }
    return parameters
}

/// - Parameter shapes: those that the tensor may have.
private func values(
    of name: String, in tensors: [String: Safetensors.Tensor], _ shapes: [[Int]]
) throws(Fault) -> [Float] {
    guard let tensor = tensors[name] else {
        throw Fault(
            .invalid, "\(name) is missing, where the teacher needs \(shapes[0])",
            remedy: "name the tensors after the teacher's layers: NAME.weight and NAME.bias")
    }
    guard shapes.contains(tensor.shape) else {
        throw Fault(
            .invalid, "\(name) has the shape \(tensor.shape), and the teacher needs \(shapes[0])",
            remedy: "use a teacher that was made for this plan")
    }
    guard tensor.values.allSatisfy(\.isFinite) else {
        throw Fault(.invalid, "\(name) holds a value that is not finite")
    }
    return tensor.values
}
