import Cryptography
package import Federation

/// bom.cdx.json: a model version's bill of materials, CycloneDX 1.6, whose one component is the
/// model.
package enum BillOfMaterials {
    package static let fileName = "bom.cdx.json"

    /// The file's bytes: compact JSON, members sorted; equal facts give equal bytes.
    ///
    /// - Throws: `Fault.internal` when a text cannot stand in JSON.
    package static func encoded(_ facts: ModelFacts) throws(Fault) -> [UInt8] {
        try CanonicalJSON.object([
            "$schema": .text("http://cyclonedx.org/schema/bom-1.6.schema.json"),
            "bomFormat": .text("CycloneDX"), "specVersion": .text("1.6"), "version": .integer(1),
            "serialNumber": .text("urn:uuid:\(identifier(of: facts.model))"),
            "metadata": .object([
                "tools": .object([
                    "components": .array([
                        .object([
                            "type": .text("application"), "name": .text("tributary"),
                            "version": .text(softwareVersion),
                        ])
                    ])
                ])
            ]),
            "components": .array([component(facts)]),
        ]).encoded()
    }

    /// A UUID of the kind that whoever makes it decides on (version 8, RFC 9562): the same for the
    /// same model file.
    private static func identifier(of model: Digest) -> String {
        var bytes = Array(
            SHA256.digest(of: Array("tributary bill of materials\n".utf8) + model.bytes)
                .bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x80
        bytes[8] = bytes[8] & 0x3f | 0x80
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { hexadecimal(bytes[$0]) }
            .joined(separator: "-")
    }

    private static func component(_ facts: ModelFacts) -> CanonicalJSON {
        var members = identity(facts, version: facts.version, model: facts.model)
        members["bom-ref"] = .text(facts.uri(version: facts.version))
        members["description"] = .text(facts.plan.title)
        members["modelCard"] = modelCard(facts)
        if let parent = facts.parent {
            members["pedigree"] = .object([
                "ancestors": .array([
                    .object(identity(facts, version: parent.version, model: parent.model))
                ])
            ])
        }
        return .object(members)
    }

    private static func identity(
        _ facts: ModelFacts, version: UInt64, model: Digest
    ) -> [String: CanonicalJSON] {
        [
            "type": .text("machine-learning-model"), "name": .text(facts.plan.id.name),
            "version": .text("\(version)"),
            "hashes": .array([
                .object(["alg": .text("SHA-256"), "content": .text(model.hex)])
            ]),
        ]
    }

    private static func modelCard(_ facts: ModelFacts) -> CanonicalJSON {
        let plan = facts.plan
        let supervised = plan.training.objective != .reconstruction
        return .object([
            "modelParameters": .object([
                "approach": .object(["type": .text(supervised ? "supervised" : "unsupervised")]),
                "task": .text(facts.task), "architectureFamily": .text("neural network, int8"),
                "modelArchitecture": .text(
                    plan.layers.map { "\($0.name): \($0.words)" }.joined(separator: "; ")),
                "datasets": .array([dataset(facts)]),
                "inputs": .array([
                    .object(["format": .text("float32 [N, \(plan.data.features)]")])
                ]),
                "outputs": .array([
                    .object(["format": .text("float32 [N, \(plan.outputs)]")])
                ]),
            ]),
            "quantitativeAnalysis": .object(["performanceMetrics": .array(metrics(facts))]),
            "considerations": .object(considerations(plan.card)),
            "properties": .array([
                property("parameters", "\(plan.parameterCount)"),
                property("plan", facts.planDigest.hex),
            ]),
        ])
    }

    private static func dataset(_ facts: ModelFacts) -> CanonicalJSON {
        .object([
            "type": .text("dataset"), "name": .text(facts.plan.population),
            "description": .text(
                facts.round == nil
                    ? "the coordinator's public data"
                    : "data on devices of this population, which stayed there"),
        ])
    }

    private static func metrics(_ facts: ModelFacts) -> [CanonicalJSON] {
        func metric(_ type: String, _ value: Double, _ slice: String) -> CanonicalJSON {
            .object([
                "type": .text(type), "value": .text("\(value)"), "slice": .text(slice),
            ])
        }
        var metrics = [
            metric(
                facts.measure, facts.accuracy,
                "the coordinator's test data, \(facts.testExamples) examples")
        ]
        if let trial = facts.round?.distillation {
            let slice = "public data held out of distillation"
            metrics += [
                metric("accuracy before distillation", trial.accuracyBefore, slice),
                metric("accuracy after distillation", trial.accuracyAfter, slice),
            ]
        }
        return metrics
    }

    private static func considerations(_ card: ModelCardPlan) -> [String: CanonicalJSON] {
        var considerations: [String: CanonicalJSON] = [:]
        if !card.intendedUse.isEmpty {
            considerations["useCases"] = .array([.text(card.intendedUse)])
        }
        if !card.limitations.isEmpty {
            considerations["technicalLimitations"] = .array([.text(card.limitations)])
        }
        return considerations
    }

    private static func property(_ name: String, _ value: String) -> CanonicalJSON {
        .object(["name": .text("tributary:\(name)"), "value": .text(value)])
    }
}
