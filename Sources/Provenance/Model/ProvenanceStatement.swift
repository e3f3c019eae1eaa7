package import Federation

/// provenance.json: of what, how and by whom a model version was made, as an in-toto statement v1
/// with the predicate of SLSA provenance v1.
///
/// Its subject is model.onnx alone: the signature's subject is the whole directory, of which this
/// file is a part. All decimals, and integers that may need more than 53 bits, are texts. There are
/// no times: the log's leaves say when things happened.
///
/// The build types, which are stable, and their parameters:
/// - `urn:tributary:build-type:federated-round:v1`: `externalParameters` has `plan`, `population`,
///   `version`, `round`, `attempt`, `algorithm` (name, server learning rate and momentum, how updates
///   are weighed) and `privacy` (null without); `internalParameters` has `rotationSeed` and
///   `lattice`, from which every agent's rounding follows but for its coins. Noise and coins have no
///   seed that anybody knows. The dependencies are `parent`, `plan` and `updates`, the Merkle root
///   over `capacity` salted commitments.
/// - `urn:tributary:build-type:distillation:v1`: version 0, from the coordinator's public data.
/// - `urn:tributary:build-type:republication:v1`: the parent's weights under a new signature.
package enum ProvenanceStatement {
    package static let fileName = "provenance.json"

    /// The file's bytes: compact JSON, members sorted; equal facts give equal bytes.
    ///
    /// - Throws: `Fault.internal` when a text cannot stand in JSON.
    package static func encoded(_ facts: ModelFacts) throws(Fault) -> [UInt8] {
        let metrics = try metrics(facts).encoded()
        return try CanonicalJSON.object([
            "_type": .text("https://in-toto.io/Statement/v1"),
            "predicateType": .text("https://slsa.dev/provenance/v1"),
            "subject": .array([
                .object(["name": .text("model.onnx"), "digest": sha256(facts.model)])
            ]),
            "predicate": .object([
                "buildDefinition": .object([
                    "buildType": .text("urn:tributary:build-type:\(buildType(facts)):v1"),
                    "externalParameters": externalParameters(facts),
                    "internalParameters": internalParameters(facts),
                    "resolvedDependencies": .array(dependencies(facts)),
                ]),
                "runDetails": .object([
                    "builder": .object([
                        "id": .text("tributary://\(facts.fleet)/coordinator"),
                        "version": .object(["tributary": .text(softwareVersion)]),
                    ]),
                    "metadata": .object(["invocationId": .text(invocation(facts))]),
                    "byproducts": .array([
                        .object([
                            "name": .text("metrics"), "mediaType": .text("application/json"),
                            "content": .text(Base64.encode(metrics)),
                        ])
                    ]),
                ]),
            ]),
        ]).encoded()
    }

    private static func buildType(_ facts: ModelFacts) -> String {
        switch facts.origin {
        case .distillation: "distillation"
        case .round: "federated-round"
        case .republication: "republication"
        }
    }

    private static func invocation(_ facts: ModelFacts) -> String {
        guard let round = facts.round else { return facts.uri(version: facts.version) }
        return "tributary://\(facts.fleet)/rounds/\(round.at)"
    }

    private static func externalParameters(_ facts: ModelFacts) -> CanonicalJSON {
        let plan = facts.plan
        var members: [String: CanonicalJSON] = [
            "plan": .text(plan.id.name), "population": .text(plan.population),
            "version": .text("\(facts.version)"), "privacy": privacy(facts),
        ]
        if let round = facts.round {
            members["round"] = .text("\(round.at.round)")
            members["attempt"] = .text("\(round.at.attempt)")
            members["algorithm"] = .object([
                "name": .text(facts.algorithm),
                "serverLearningRate": .text("\(plan.server.learningRate)"),
                "serverMomentum": .text("\(plan.server.momentum)"),
                "weights": .text(plan.privacy == nil ? "examples" : "one an agent"),
                "denominator": .text(
                    plan.privacy.map { "\($0.denominator)" } ?? "the sum of the weights"),
            ])
        }
        return .object(members)
    }

    private static func privacy(_ facts: ModelFacts) -> CanonicalJSON {
        guard let plan = facts.plan.privacy, let spend = facts.spend else { return .null }
        var members: [String: CanonicalJSON] = [
            "mechanism": .text("discrete Gaussian on an integer sum"),
            "unit": .text(
                plan.localNoiseMultiplier > 0
                    ? "an agent's data, there or not" : "agent, added or removed"),
            "noiseMultiplier": .text("\(plan.noiseMultiplier)"), "delta": .text("\(plan.delta)"),
            "samplingRate": .text("\(plan.sampling.rate)"),
            "sampling": .text(plan.sampling == .everyone ? "everyone" : "poisson"),
            "agents": .text("\(plan.agents)"), "epsilon": .text("\(spend.epsilon)"),
            "rounds": .text("\(spend.rounds)"),
        ]
        if let limit = plan.maxEpsilon { members["maxEpsilon"] = .text("\(limit)") }
        if let local = spend.localEpsilon {
            members["localNoiseMultiplier"] = .text("\(plan.localNoiseMultiplier)")
            members["localEpsilon"] = .text("\(local)")
        }
        return .object(members)
    }

    private static func internalParameters(_ facts: ModelFacts) -> CanonicalJSON {
        guard let lattice = facts.round?.lattice else { return .object([:]) }
        return .object([
            "rotationSeed": .text("\(lattice.rotationSeed)"),
            "lattice": .object([
                "parameters": .text("\(lattice.parameters)"),
                "dimension": .text("\(lattice.dimension)"),
                "blockSize": .text("\(lattice.blockSize)"),
                "clippingNorm": .text("\(lattice.clippingNorm)"),
                "step": .text("\(lattice.step)"), "kappa": .text("\(lattice.kappa)"),
                "elementBits": .text("\(lattice.elementBits)"),
                "modulus": .text("\(lattice.modulus)"),
            ]),
        ])
    }

    private static func dependencies(_ facts: ModelFacts) -> [CanonicalJSON] {
        var dependencies: [CanonicalJSON] = []
        if let parent = facts.parent {
            dependencies.append(
                .object([
                    "name": .text("parent"), "uri": .text(facts.uri(version: parent.version)),
                    "digest": sha256(parent.model),
                ]))
        }
        dependencies.append(
            .object([
                "name": .text("plan"),
                "uri": .text("tributary://\(facts.fleet)/plans/\(facts.plan.id)"),
                "digest": sha256(facts.planDigest),
            ]))
        if let round = facts.round {
            dependencies.append(
                .object([
                    "name": .text("updates"), "digest": sha256(round.updates),
                    "annotations": .object(["capacity": .text("\(round.capacity)")]),
                ]))
        }
        return dependencies
    }

    private static func metrics(_ facts: ModelFacts) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "measure": .text(facts.measure), "accuracy": .text("\(facts.accuracy)"),
            "testExamples": .text("\(facts.testExamples)"),
        ]
        if case .distillation(let teacher?) = facts.origin {
            members["teacherAccuracy"] = .text("\(teacher)")
        }
        if let part = facts.participation {
            members["agents"] = .text(Bucket.doubling(part.agents))
            members["examples"] = .text(Bucket.decade(part.examples))
            members["rejectedUpdates"] = .text("\(part.rejected)")
        }
        if let trial = facts.round?.distillation {
            members["heldOutBefore"] = .text("\(trial.accuracyBefore)")
            members["heldOutAfter"] = .text("\(trial.accuracyAfter)")
        }
        return .object(members)
    }

    private static func sha256(_ digest: Digest) -> CanonicalJSON {
        .object(["sha256": .text(digest.hex)])
    }
}
