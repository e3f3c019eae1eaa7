package import Federation
package import Learning

/// A student and its identity as one int8 ONNX file.
package enum OnnxModel {
    /// The bytes of model.onnx; equal models have equal bytes.
    ///
    /// - Throws: `Fault.invalid` when the model's parts do not fit each other.
    package static func encode(
        _ model: QuantizedModel, identity: ModelIdentity
    ) throws(Fault) -> [UInt8] {
        // The model's parts are variables; its initialiser checks them.
        let model = try QuantizedModel(
            shape: model.shape, normalisation: model.normalisation,
            activationScales: model.activationScales, layers: model.layers)
        return OnnxFile(model, identity: identity).packed()
    }

    /// The model that `bytes` hold, exactly as `encode` writes it.
    ///
    /// - Throws: `Fault.invalid` naming the node, tensor or shape that is not of a student's graph.
    package static func decode(
        _ bytes: [UInt8]
    ) throws(Fault) -> (model: QuantizedModel, identity: ModelIdentity) {
        let file = try OnnxFile(unpacking: bytes)
        let model = try file.student()
        let identity = try file.identity()
        // A field given twice or in another order could mean something else to another reader, so a
        // model has one spelling only.
        guard OnnxFile(model, identity: identity).packed() == bytes else {
            throw Fault(
                .invalid, "the model file is not written as Tributary writes it",
                remedy: Remedy.otherModel)
        }
        return (model, identity)
    }
}

extension OnnxFile {
    /// The file of a checked model.
    init(_ model: QuantizedModel, identity: ModelIdentity) {
        let versions = StudentGraph.versions(model.shape)
        irVersion = versions.ir
        producer = StudentGraph.producer
        operatorSets = [OperatorSet(domain: "", version: versions.operators)]
        graphName = StudentGraph.name
        nodes = StudentGraph.nodes(
            model.shape, hasTargets: model.normalisation.targets != nil)
        tensors = StudentTensors.write(model)
        inputs = OnnxFile.inputs(model.shape)
        outputs = OnnxFile.outputs(model.shape)
        properties = [
            Property(key: StudentGraph.Key.plan, value: identity.plan.name),
            Property(key: StudentGraph.Key.version, value: String(identity.version)),
            Property(key: StudentGraph.Key.round, value: String(identity.round)),
            Property(key: StudentGraph.Key.parent, value: identity.parent?.hex ?? ""),
        ]
        if let objective = identity.objective {
            properties.append(
                Property(key: StudentGraph.Key.objective, value: objective.rawValue))
        }
    }

    private static func inputs(_ shape: StudentShape) -> [Port] {
        [StudentGraph.port(StudentGraph.Name.input, width: shape.inputs)]
    }

    private static func outputs(_ shape: StudentShape) -> [Port] {
        [StudentGraph.port(StudentGraph.Name.output, width: shape.classes)]
    }

    /// The model in this file.
    fileprivate func student() throws(Fault) -> QuantizedModel {
        let model = try StudentReading.student(in: self)
        let versions = StudentGraph.versions(model.shape)
        let expected = [OperatorSet(domain: "", version: versions.operators)]
        guard irVersion == versions.ir, operatorSets == expected else {
            let sets = operatorSets.map { "\($0.domain) \($0.version)" }
            throw Fault(
                .invalid,
                "the model file has IR version \(irVersion) and operator sets \(sets),"
                    + " not \(versions.ir) and ONNX's \(versions.operators)",
                remedy: Remedy.otherModel)
        }
        try check(inputs, OnnxFile.inputs(model.shape))
        try check(outputs, OnnxFile.outputs(model.shape))
        return model
    }

    private func check(_ ports: [Port], _ expected: [Port]) throws(Fault) {
        guard ports == expected else {
            throw Fault(
                .invalid, "the graph has \(ports) where its layers need \(expected)",
                remedy: Remedy.otherModel)
        }
    }

    /// The identity in this file's metadata.
    fileprivate func identity() throws(Fault) -> ModelIdentity {
        let required = [
            StudentGraph.Key.plan, StudentGraph.Key.version, StudentGraph.Key.round,
            StudentGraph.Key.parent,
        ]
        let keys = properties.map(\.key)
        guard keys == required || keys == required + [StudentGraph.Key.objective] else {
            throw Fault(
                .invalid, "the model file's metadata is \(keys), not \(required)",
                remedy: Remedy.otherModel)
        }
        func invalid(_ index: Int) -> Fault {
            Fault(
                .invalid,
                "the model file's \(keys[index]) is '\(properties[index].value)'",
                remedy: Remedy.otherModel)
        }
        guard let plan = PlanID(properties[0].value) else { throw invalid(0) }
        guard let version = UInt64(properties[1].value) else { throw invalid(1) }
        guard let round = UInt64(properties[2].value) else { throw invalid(2) }
        let parent = Digest(hex: properties[3].value)
        guard parent != nil || properties[3].value.isEmpty else { throw invalid(3) }
        var objective: TrainingPlan.Objective?
        if properties.count > required.count {
            objective = TrainingPlan.Objective(rawValue: properties[4].value)
            guard objective != nil else { throw invalid(4) }
        }
        return ModelIdentity(
            plan: plan, version: version, round: round, parent: parent, objective: objective)
    }
}
