import Federation

/// MODEL_CARD.md: what a model version is, how it came to be, how well it does and what is known of
/// its use, for people.
package enum ModelCard {
    package static let fileName = "MODEL_CARD.md"

    /// The card's Markdown, UTF-8; equal facts give equal bytes.
    package static func text(of facts: ModelFacts) -> String {
        let sections: [(title: String?, lines: [String])] = [
            (nil, heading(facts)), ("Model", model(facts)), ("Training", training(facts)),
            ("Data", data(facts)), ("Measurements", measurements(facts)),
            ("Privacy", privacy(facts)), ("Intended use", [words(facts.plan.card.intendedUse)]),
            ("Limitations", [words(facts.plan.card.limitations)]),
            ("How to verify this model", verification(facts)),
        ]
        return sections.map { section in
            ((section.title.map { ["## \($0)", ""] } ?? []) + section.lines)
                .joined(separator: "\n")
        }.joined(separator: "\n\n") + "\n"
    }

    private static func heading(_ facts: ModelFacts) -> [String] {
        var rows = [
            ("Plan", "`\(facts.plan.id)`, SHA-256 of its text `\(facts.planDigest)`"),
            ("Version", "\(facts.version)"),
        ]
        if let parent = facts.parent {
            rows.append(("Made from", "version \(parent.version), model.onnx `\(parent.model)`"))
        }
        rows += [
            (
                "model.onnx",
                "SHA-256 `\(facts.model)`, \(grouped(facts.modelSize)) bytes"
            ), ("Fleet", "`\(facts.fleet)`"), ("Software", "Tributary \(softwareVersion)"),
        ]
        return ["# \(facts.plan.id), version \(facts.version)", ""]
            + [MarkdownText.line(facts.plan.title), ""]
            + table(["", ""], rows.map { [$0.0, $0.1] })
    }

    // MARK: What it is

    private static func model(_ facts: ModelFacts) -> [String] {
        let plan = facts.plan
        return [
            "A neural network for \(facts.task) with \(grouped(UInt64(plan.parameterCount)))"
                + " parameters, as one ONNX file whose weights and activations are 8-bit integers:"
                + " weights in -127 to 127 with a scale for each output, sums in 32-bit integers."
                + " It takes raw features and normalises them itself.",
            "", "- Input: float32 [N, \(plan.data.features)], \(input(plan.data))",
            "- Normalisation: \(normalisation(plan.data))", "- Output: \(output(plan))", "",
        ] + table(["Layer", "What it does", "Output", "Parameters"], layers(plan))
    }

    private static func input(_ data: DataPlan) -> String {
        data.shape == [data.features, 1, 1]
            ? "features in a row"
            : "channels, height and width \(data.shape)"
    }

    private static func normalisation(_ data: DataPlan) -> String {
        "(raw - offset) / scale, offset \(numbers(data.offset)), scale \(numbers(data.scale))"
    }

    private static func numbers(_ values: [Float]) -> String {
        guard let least = values.min(), let most = values.max() else { return "none" }
        return least == most ? "\(least)" : "\(least) to \(most), one a feature"
    }

    private static func output(_ plan: Plan) -> String {
        let shape = "float32 [N, \(plan.outputs)], "
        switch plan.training.objective {
        case .classification:
            var names = ""
            if case .table(let table) = plan.data.format, let classes = table.classNames {
                names = ": " + list(classes)
            }
            return shape + "a score for each of \(plan.data.classes) classes\(names)"
        case .reconstruction:
            return shape + "the features as the network reconstructs them; how far it is off says"
                + " how unusual an example is"
        case .regression:
            let names = list(plan.data.targets?.columns ?? [])
            return shape + "in the targets' own units: \(names)"
        }
    }

    private static func list(_ names: [String]) -> String {
        let most = 50
        let rest = names.count > most ? " and \(grouped(UInt64(names.count - most))) more" : ""
        return names.prefix(most).map(MarkdownText.line).joined(separator: ", ") + rest
    }

    private static func layers(_ plan: Plan) -> [[String]] {
        guard let shapes = try? plan.shapes() else { return [] }
        // Its one parameter is the scale on which the features become 8-bit integers.
        let input = ["`input`", "rounds the features to 8 bits", "\(plan.data.shape)", "1"]
        return [input]
            + plan.layers.indices.map { index in
                let layer = plan.layers[index]
                let output = shapes.outputs[index]
                let weights =
                    layer.kind.hasWeights
                    ? (layer.fanIn(shapes.input(of: index)) + 1) * output.channels : 0
                let count = weights + (layer.kind.hasEncoding ? 1 : 0)
                return [
                    "`\(layer.name)`", layer.words, "\(output)",
                    count == 0 ? "" : grouped(UInt64(count)),
                ]
            }
    }

    // MARK: How it came to be

    private static func training(_ facts: ModelFacts) -> [String] {
        switch facts.origin {
        case .distillation:
            let source =
                facts.plan.training.objective == .classification
                ? "It was distilled from a larger 32-bit network, the teacher, that the coordinator"
                    + " trained or was given"
                : "The coordinator trained it"
            return ["\(source), on the coordinator's own public data. No device took part."]
        case .republication:
            return [
                "The weights are those of version \(facts.parent?.version ?? 0), signed anew."
                    + " No device took part, and nothing was spent."
            ]
        case .round(let round):
            var lines = [
                "Round \(round.at.round), attempt \(round.at.attempt), of federated learning"
                    + " (\(facts.algorithm)). Devices trained version"
                    + " \(facts.parent?.version ?? 0) on their own data, which stayed there: each"
                    + " sent the change of its weights, clipped to an L2 norm of"
                    + " \(round.lattice.clippingNorm) and rounded to \(round.lattice.elementBits)-bit"
                    + " integers; the coordinator added these exactly.",
                "",
                "- Each device: \(counted(facts.plan.training.epochs, "epoch")), batches of"
                    + " \(facts.plan.training.batchSize)",
            ]
            if let trial = round.distillation {
                let outcome = trial.isAccepted ? "and was kept" : "and was left out"
                lines.append("- Distillation after the round was tried \(outcome)")
            }
            return lines
        }
    }

    private static func data(_ facts: ModelFacts) -> [String] {
        var lines = ["- Population: `\(facts.plan.population)`"]
        if let privacy = facts.plan.privacy {
            lines += [
                "- Agents the plan expects: \(grouped(UInt64(privacy.agents)))",
                "- Cohort it expects in a round: \(decimal(privacy.denominator)). How many took part"
                    + " is not published.",
            ]
        } else if let part = facts.participation {
            lines += [
                "- Agents in the round: \(Bucket.doubling(part.agents))",
                "- Examples they trained on: \(Bucket.decade(part.examples))",
            ]
        } else {
            lines.append("- Agents in the round: none")
        }
        return lines
    }

    // MARK: How well it does, and at what price

    private static func measurements(_ facts: ModelFacts) -> [String] {
        var rows = [
            [
                facts.measure, decimal(facts.accuracy),
                "the coordinator's test data, \(grouped(UInt64(facts.testExamples))) examples,"
                    + " with this file",
            ]
        ]
        if case .distillation(let teacher?) = facts.origin {
            rows.append([
                "\(facts.measure) of the teacher", decimal(teacher),
                "the coordinator's test data",
            ])
        }
        if let trial = facts.round?.distillation {
            let place = "public data held out of distillation"
            rows += [
                ["accuracy before distillation", decimal(trial.accuracyBefore), place],
                ["accuracy after distillation", decimal(trial.accuracyAfter), place],
            ]
        }
        return table(["Measure", "Value", "Measured on"], rows)
    }

    private static func privacy(_ facts: ModelFacts) -> [String] {
        guard let privacy = facts.plan.privacy, let spend = facts.spend else {
            return [
                "None: updates were added without noise, and nothing bounds what this model tells of"
                    + " the data of one device."
            ]
        }
        let sampling =
            switch privacy.sampling {
            case .everyone: "every agent, with no gain from sampling"
            case .poisson(let rate): "an independent coin an agent and round, probability \(rate)"
            }
        var lines = [
            "Differential privacy, by discrete Gaussian noise on the exact integer sum of a round.",
            "",
            "- Spent by the population so far: epsilon \(decimal(spend.epsilon, .up)) at delta"
                + " \(privacy.delta), over \(counted(spend.rounds, "round")) of this plan and those of every"
                + " other plan on the population",
            privacy.localNoiseMultiplier > 0
                ? "- Unit: all data of one agent, there or not; the noise that agents add themselves"
                    + " tells how many took part"
                : "- Unit: one agent with all its data, added or removed",
            "- Noise multiplier: \(privacy.noiseMultiplier)", "- Sampling: \(sampling)",
            "- Against: whoever sees every published version and the log. The coordinator is"
                + (spend.localEpsilon == nil
                    ? " trusted: it sees single updates without noise."
                    : " bounded by the next line."),
        ]
        if let local = spend.localEpsilon {
            lines.append(
                "- Against the coordinator itself, by the noise that agents add to their own"
                    + " updates (multiplier \(privacy.localNoiseMultiplier)): epsilon"
                    + " \(decimal(local, .up)) at the same delta, for an agent that was in every round,"
                    + " those without a version included, one agent's data replaced by any other's")
        }
        return lines
    }

    private static func verification(_ facts: ModelFacts) -> [String] {
        [
            "The directory `\(facts.name)`, beside it `\(facts.name).sig` (OpenSSF Model Signing)"
                + " and `\(facts.name).tlog-proof` (C2SP transparency log), and the fleet's"
                + " `trust-set.json`, got from somebody you trust, are enough, offline:",
            "", "```",
            "tributary-verify model \(facts.name) --signature \(facts.name).sig"
                + " --proof \(facts.name).tlog-proof --trust trust-set.json",
            "model_signing verify key --no-ignore-git-paths --signature \(facts.name).sig"
                + " --public_key model-signing.pub \(facts.name)",
            "```",
            "",
            "`provenance.json` says what the version was made of (in-toto, SLSA provenance v1),"
                + " `bom.cdx.json` is its bill of materials (CycloneDX 1.6).",
        ]
    }

    private static func words(_ text: String) -> String {
        text.isEmpty ? "The plan does not say." : MarkdownText.paragraphs(text)
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> [String] {
        let rule = head.map { _ in "---" }
        return ([head, rule] + rows).map { "| \($0.joined(separator: " | ")) |" }
    }
}

extension LayerPlan {
    /// What the layer does, in words.
    var words: String {
        let ending = (kind.hasReLU ? ", ReLU" : "") + (isFrozen ? ", frozen" : "")
        switch kind {
        case .dense: return "dense" + ending
        case .conv(let plan):
            let name = plan.isDepthwise ? "depthwise convolution" : "convolution"
            return "\(name) \(sides(plan.kernel)), stride \(sides(plan.stride)), padding"
                + " \(sides(plan.padding))\(ending)"
        case .maxPool(let size, let stride):
            return "maximum of \(sides(size)), stride \(sides(stride))"
        case .averagePool(let size, let stride):
            return "mean of \(sides(size)), stride \(sides(stride))"
        case .flatten: return "flatten"
        case .add(let from, _): return "plus `\(from)`" + ending
        case .dropout(let rate): return "dropout \(rate), in training only"
        }
    }

    private func sides(_ values: [Int]) -> String {
        values.map(String.init).joined(separator: " x ")
    }
}

/// `number` with four decimals at most; what must not be understated is rounded up.
func decimal(
    _ number: Double, _ rule: FloatingPointRoundingRule = .toNearestOrAwayFromZero
) -> String {
    guard number.isFinite, abs(number) < 1e12 else { return "\(number)" }
    let text = "\((number * 10_000).rounded(rule) / 10_000)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
