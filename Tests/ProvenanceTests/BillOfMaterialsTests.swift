import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing

/// Whether CycloneDX agrees is for an interop test, with its own validator.
@Suite("A bill of materials")
struct BillOfMaterialsTests {
    private typealias Object = [String: Any]

    private func component(_ facts: ModelFacts) throws -> Object {
        let json = try members(BillOfMaterials.encoded(facts))
        #expect(json["bomFormat"] as? String == "CycloneDX")
        #expect(json["specVersion"] as? String == "1.6")
        let components = try #require(json["components"] as? [Object])
        return try #require(components.first)
    }

    @Test("has one component: the model, with its digest and its parent")
    func component() throws {
        let facts = try SampleFacts.open()
        let model = try component(facts)
        #expect(model["type"] as? String == "machine-learning-model")
        #expect(model["name"] as? String == "fashion" && model["version"] as? String == "12")
        #expect(
            model["hashes"] as? [[String: String]]
                == [["alg": "SHA-256", "content": facts.model.hex]])
        let pedigree = try #require(model["pedigree"] as? Object)
        let ancestors = try #require(pedigree["ancestors"] as? [Object])
        #expect(ancestors.count == 1)
        #expect(ancestors[0]["version"] as? String == "11")
        #expect(
            ancestors[0]["hashes"] as? [[String: String]]
                == [["alg": "SHA-256", "content": SampleFacts.digest("parent").hex]])
        #expect(try component(SampleFacts.first())["pedigree"] == nil)
    }

    @Test("has a model card with metrics and what the plan says of the model's use")
    func card() throws {
        let plan = try #require(
            SampleFacts.plan(card: ModelCardPlan(intendedUse: "Counts.", limitations: "Few.")))
        let model = try component(SampleFacts.facts(plan, origin: .republication))
        let card = try #require(model["modelCard"] as? Object)
        let analysis = try #require(card["quantitativeAnalysis"] as? Object)
        #expect(
            analysis["performanceMetrics"] as? [[String: String]] == [
                [
                    "type": "accuracy", "value": "0.87654321",
                    "slice": "the coordinator's test data, 10000 examples",
                ]
            ])
        let considerations = try #require(card["considerations"] as? Object)
        #expect(considerations["useCases"] as? [String] == ["Counts."])
        #expect(considerations["technicalLimitations"] as? [String] == ["Few."])
    }

    @Test("has a serial number that follows from the model, a UUID of version 8")
    func serialNumber() throws {
        let one = try members(BillOfMaterials.encoded(SampleFacts.open()))
        let again = try members(BillOfMaterials.encoded(SampleFacts.secret()))
        let serial = try #require(one["serialNumber"] as? String)
        #expect(again["serialNumber"] as? String == serial)
        let form = /urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        #expect(serial.wholeMatch(of: form) != nil, "\(serial)")
    }
}
