import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing

@Suite("A model card")
struct ModelCardTests {
    /// The lines of the section `title`, without empty ones.
    private func section(_ title: String, of card: String) throws -> [String] {
        let start = try #require(card.range(of: "## \(title)\n"))
        let rest = card[start.upperBound...]
        let end = rest.range(of: "\n## ")?.lowerBound ?? rest.endIndex
        return rest[..<end].split(separator: "\n").map(String.init)
    }

    @Test("says what the model is, layer by layer")
    func model() throws {
        let card = ModelCard.text(of: try SampleFacts.open())
        #expect(card.hasPrefix("# fashion, version 12\n\nClothing on twelve devices\n\n"))
        #expect(
            card.contains("| Plan | `fashion`, SHA-256 of its text `\(SampleFacts.digest("plan"))`")
        )
        #expect(
            card.contains(
                "| model.onnx | SHA-256 `\(SampleFacts.digest("model"))`, 1,234,567 bytes |"))
        #expect(
            card.contains(
                "| Made from | version 11, model.onnx `\(SampleFacts.digest("parent"))` |"))
        let lines = try section("Model", of: card)
        #expect(lines[0].contains("classification with 15,773 parameters"))
        #expect(lines.contains("- Input: float32 [N, 784], channels, height and width [1, 28, 28]"))
        #expect(lines.contains("- Normalisation: (raw - offset) / scale, offset 0.0, scale 255.0"))
        #expect(lines.contains("- Output: float32 [N, 10], a score for each of 10 classes"))
        #expect(
            lines.suffix(4) == [
                "| `input` | rounds the features to 8 bits | [1, 28, 28] | 1 |",
                "| `stem` | convolution 3 x 3, stride 2 x 2, padding 1 x 1, ReLU | [8, 14, 14] | 81 |",
                "| `flat` | flatten | [1568, 1, 1] |  |",
                "| `head` | dense | [10, 1, 1] | 15,691 |",
            ])
        let counts = lines.compactMap { line in
            line.split(separator: "|").last.flatMap {
                Int($0.replacing(",", with: "").trimmingCharacters(in: .whitespaces))
            }
        }
        #expect(counts.reduce(0, +) == 15_773)
    }

    @Test("buckets the agents and examples of a round that may tell them")
    func open() throws {
        let card = ModelCard.text(of: try SampleFacts.open())
        #expect(
            try section("Data", of: card) == [
                "- Population: `fashion-devices`", "- Agents in the round: 8-15",
                "- Examples they trained on: 1,000-9,999",
            ])
        #expect(!card.contains("4321") && !card.contains("4,321"))
        #expect(
            try section("Measurements", of: card).dropFirst(2) == [
                "| accuracy | 0.8765 | the coordinator's test data, 10,000 examples, with this file |",
                "| accuracy before distillation | 0.81 | public data held out of distillation |",
                "| accuracy after distillation | 0.83 | public data held out of distillation |",
            ])
        #expect(try section("Privacy", of: card)[0].hasPrefix("None: "))
        #expect(try section("Intended use", of: card) == ["The plan does not say."])
        let training = try section("Training", of: card)
        #expect(training[1].hasPrefix("- Each device: 2 epochs, batches of 64"))
        #expect(training[0].hasPrefix("Round 14, attempt 2, of federated learning (FedAvgM)."))
        #expect(training.last == "- Distillation after the round was tried and was kept")
    }

    @Test("of a private plan tells what the plan expects, never what happened")
    func secret() throws {
        let facts = try SampleFacts.secret()
        let card = ModelCard.text(of: facts)
        #expect(
            try section("Data", of: card) == [
                "- Population: `fashion-devices`", "- Agents the plan expects: 1,000",
                "- Cohort it expects in a round: 50. How many took part is not published.",
            ])
        // Rounded up, or the card would claim too little.
        #expect(
            try section("Privacy", of: card)[1]
                == "- Spent by the population so far: epsilon 3.1416 at delta 1e-05, over 12 rounds"
                + " of this plan and those of every other plan on the population")
        #expect(card.contains("The coordinator is trusted"))
        // A careless caller gives them away no more than the coordinator does.
        let plan = facts.plan
        let careless = SampleFacts.facts(
            plan,
            origin: .round(
                try SampleFacts.round(plan, participation: SampleFacts.participation)),
            spend: facts.spend)
        #expect(ModelCard.text(of: careless) == card)
    }

    @Test("of version 0, and of a republished one, says that no device took part")
    func withoutRound() throws {
        let first = try SampleFacts.first()
        let card = ModelCard.text(of: first)
        #expect(!card.contains("Made from"))
        #expect(try section("Training", of: card)[0].contains("No device took part."))
        #expect(card.contains("| accuracy of the teacher | 0.9 | the coordinator's test data |"))
        let again = ModelCard.text(
            of: SampleFacts.facts(first.plan, origin: .republication, version: 4))
        #expect(
            try section("Training", of: again)[0].hasPrefix(
                "The weights are those of version 3, signed anew."))
    }

    @Test("bounds the coordinator's own view where agents add noise")
    func local() throws {
        var privacy = SampleFacts.privacy
        (privacy.sampling, privacy.localNoiseMultiplier) = (.everyone, 2)
        let plan = try #require(SampleFacts.plan(privacy: privacy))
        let card = ModelCard.text(
            of: SampleFacts.facts(
                plan, origin: .round(try SampleFacts.round(plan)),
                spend: ModelFacts.Spend(epsilon: 1, rounds: 1, localEpsilon: 7.00001)))
        #expect(card.contains("over 1 round of this plan"))
        #expect(card.contains("(multiplier 2.0): epsilon 7.0001 at the same delta"))
        #expect(!card.contains("The coordinator is trusted"))
        // Its own noise would go with an agent that is removed.
        #expect(card.contains("- Unit: all data of one agent, there or not"))
    }

    @Test("holds the plan's own words, which cannot break out of it")
    func injection() throws {
        let plan = try #require(
            SampleFacts.plan(
                card: ModelCardPlan(
                    intendedUse: "Counts <b>clothes</b>.\n\n# Accuracy: 100 %\n1. [x](http://evil)",
                    limitations: "---\n| a | b |\n  \n\n\n```\nshell"),
                title: "A `title`\n# with\u{202e} tricks"))
        let card = ModelCard.text(
            of: SampleFacts.facts(plan, origin: .republication))
        #expect(card.contains("\nA \\`title\\` \\# with tricks\n"))
        #expect(
            try section("Intended use", of: card) == [
                "Counts \\<b\\>clothes\\</b\\>.", "\\# Accuracy: 100 %",
                "1\\. \\[x\\](http://evil)",
            ])
        #expect(
            try section("Limitations", of: card) == [
                "\\---", "\\| a \\| b \\|", "\\`\\`\\`", "shell",
            ])
        #expect(card.components(separatedBy: "\n## ").count == 9)
    }

    @Test("is the same for the same facts")
    func deterministic() throws {
        let card = ModelCard.text(of: try SampleFacts.open())
        #expect(card == ModelCard.text(of: try SampleFacts.open()))
        #expect(card.hasSuffix("\n") && !card.contains("\n\n\n"))
    }
}
