import Configuration
import Cryptography
import Federation
import Foundation
import Provenance
import Testing

extension InteropTests {
    @Suite("A bill of materials")
    struct BillOfMaterialsTests {
        @Test("of every shipped plan, however a version came to be, is valid CycloneDX 1.6")
        func valid() async throws {
            try await withTemporaryDirectory { directory in
                var files: [String] = []
                for plan in try shippedPlans() {
                    for (name, origin) in try origins(of: plan) {
                        let file = directory.appending(path: "\(plan.id)-\(name).json")
                        let facts = facts(plan, origin)
                        try Data(BillOfMaterials.encoded(facts)).write(to: file)
                        files.append(file.path)
                    }
                }
                #expect(files.count >= 21)
                let result = try await validate(files)
                #expect(result.status == 0, "\(result)")
            }
        }

        @Test("that is not quite one is told from a valid one")
        func invalid() async throws {
            try await withTemporaryDirectory { directory in
                let plan = try #require(try shippedPlans().first)
                let text = String(
                    decoding: try BillOfMaterials.encoded(facts(plan, .republication)),
                    as: UTF8.self)
                let file = directory.appending(path: "bom.json")
                for (right, wrong) in [
                    ("urn:uuid:", "urn:uid:"), ("\"SHA-256\"", "\"SHA-2\""),
                    ("\"modelCard\"", "\"modelCart\""), ("\"supervised\"", "\"suspicious\""),
                ] where text.contains(right) {
                    try Data(text.replacing(right, with: wrong).utf8).write(to: file)
                    #expect(try await validate([file.path]).status == 1, "\(wrong)")
                }
            }
        }

        private func validate(_ files: [String]) async throws -> Finished {
            try await run(
                Checkout.venv("python"), [Checkout.script("validate_bom.py")] + files)
        }

        private func shippedPlans() throws -> [Plan] {
            let directory = Checkout.root.appending(path: "coordinator-config/plans")
            return try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted().map
            {
                let text = try Data(contentsOf: directory.appending(path: $0))
                // As a device reads it: no noise is calibrated.
                return try PlanFile.parse(Array(text), file: $0, for: .device)
            }
        }

        private func facts(_ plan: Plan, _ origin: ModelFacts.Origin) -> ModelFacts {
            let digest = SHA256.digest(of: "x".utf8)
            var parent: ModelFacts.Parent? = ModelFacts.Parent(version: 3, model: digest)
            if case .distillation = origin { parent = nil }
            return ModelFacts(
                fleet: "example", plan: plan, planDigest: digest,
                version: parent == nil ? 0 : 4, model: digest, modelSize: 1000, parent: parent,
                origin: origin, accuracy: 0.5, testExamples: 100,
                spend: plan.privacy.map { _ in
                    ModelFacts.Spend(epsilon: 3, rounds: 2, localEpsilon: nil)
                })
        }

        private func origins(of plan: Plan) throws -> [(name: String, origin: ModelFacts.Origin)] {
            let lattice = Lattice(
                parameters: plan.parameterCount, clippingNorm: 1, step: 0.01, kappa: 6,
                rotationSeed: 7)
            let round = ModelFacts.RoundFacts(
                at: RoundAttempt(round: RoundID(9), attempt: 1), lattice: lattice,
                updates: SHA256.digest(of: "updates".utf8),
                capacity: UpdateCommitments.capacity(for: plan),
                participation: ModelFacts.RoundFacts.Participation(
                    agents: 5, examples: 500, rejected: 1),
                distillation: DistillationTrial(accuracyBefore: 0.4, accuracyAfter: 0.5))
            return [
                ("first", .distillation(teacherAccuracy: 0.75)), ("round", .round(round)),
                ("again", .republication),
            ]
        }
    }
}

extension InteropTests.WithFleet {
    @Suite("The documents of an exported version")
    struct DocumentTests {
        @Test("are the card, the provenance and a valid bill of materials")
        func exported() async throws {
            let fleet = try ExampleFleet.current
            for plan in [ExamplePlan.beads, .stripes] {
                let export = try await fleet.export(plan)
                let names = try FileManager.default.contentsOfDirectory(atPath: export.modelDir)
                #expect(
                    names.sorted()
                        == ["MODEL_CARD.md", "bom.cdx.json", "model.onnx", "provenance.json"])
                let valid = try await run(
                    script: "validate_bom.py", export.modelDir + "/bom.cdx.json")
                #expect(valid.status == 0, "\(valid)")
            }
        }
    }
}
