import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing

@Suite("A provenance statement")
struct ProvenanceStatementTests {
    private typealias Object = [String: Any]

    private func statement(_ facts: ModelFacts) throws -> Object {
        try members(ProvenanceStatement.encoded(facts))
    }

    private func definition(_ facts: ModelFacts) throws -> Object {
        let predicate = try #require(try statement(facts)["predicate"] as? Object)
        return try #require(predicate["buildDefinition"] as? Object)
    }

    private func metrics(_ facts: ModelFacts) throws -> [String: String] {
        let predicate = try #require(try statement(facts)["predicate"] as? Object)
        let details = try #require(predicate["runDetails"] as? Object)
        let byproducts = try #require(details["byproducts"] as? [Object])
        let content = try #require(byproducts.first?["content"] as? String)
        let json = try JSONSerialization.jsonObject(with: #require(Data(base64Encoded: content)))
        return try #require(json as? [String: String])
    }

    @Test("is about model.onnx, of this software, in the words of in-toto and SLSA")
    func frame() throws {
        let facts = try SampleFacts.open()
        let json = try statement(facts)
        #expect(json["_type"] as? String == "https://in-toto.io/Statement/v1")
        #expect(json["predicateType"] as? String == "https://slsa.dev/provenance/v1")
        let subject = try #require(json["subject"] as? [Object])
        #expect(subject.count == 1)
        #expect(subject[0]["name"] as? String == "model.onnx")
        #expect(subject[0]["digest"] as? [String: String] == ["sha256": facts.model.hex])
        let details = try #require((json["predicate"] as? Object)?["runDetails"] as? Object)
        let builder = try #require(details["builder"] as? Object)
        #expect(builder["id"] as? String == "tributary://lab/coordinator")
        #expect(builder["version"] as? [String: String] == ["tributary": softwareVersion])
        #expect(
            details["metadata"] as? [String: String]
                == ["invocationId": "tributary://lab/rounds/14.2"])
        #expect(try ProvenanceStatement.encoded(facts) == ProvenanceStatement.encoded(facts))
    }

    @Test("of a round names its parameters, its parent, its plan and the updates' root")
    func round() throws {
        let facts = try SampleFacts.secret()
        let definition = try definition(facts)
        #expect(
            definition["buildType"] as? String == "urn:tributary:build-type:federated-round:v1")
        let external = try #require(definition["externalParameters"] as? Object)
        #expect(external["round"] as? String == "14" && external["attempt"] as? String == "2")
        let privacy = try #require(external["privacy"] as? [String: String])
        #expect(privacy["epsilon"] == "3.14159265" && privacy["samplingRate"] == "0.05")
        #expect(privacy["maxEpsilon"] == "8.0" && privacy["localEpsilon"] == nil)
        let algorithm = try #require(external["algorithm"] as? [String: String])
        #expect(algorithm["name"] == "FedAvgM" && algorithm["denominator"] == "50.0")
        let inner = try #require(definition["internalParameters"] as? Object)
        #expect(inner["rotationSeed"] as? String == "18446744073709551609")
        let lattice = try #require(inner["lattice"] as? [String: String])
        #expect(lattice["parameters"] == "15773" && lattice["clippingNorm"] == "1.5")
        let dependencies = try #require(definition["resolvedDependencies"] as? [Object])
        #expect(dependencies.map { $0["name"] as? String } == ["parent", "plan", "updates"])
        #expect(
            dependencies.map { ($0["digest"] as? [String: String])?["sha256"] }
                == ["parent", "plan", "updates"].map { SampleFacts.digest($0).hex })
        #expect(dependencies[2]["annotations"] as? [String: String] == ["capacity": "256"])
        #expect(dependencies[0]["uri"] as? String == "tributary://lab/models/fashion/11")
    }

    @Test("says whose noise would go with an agent: then its data is the unit, and not itself")
    func unit() throws {
        func unit(_ privacy: PrivacyPlan, localEpsilon: Double?) throws -> String? {
            let plan = try #require(SampleFacts.plan(privacy: privacy))
            let facts = SampleFacts.facts(
                plan, origin: .round(try SampleFacts.round(plan)),
                spend: ModelFacts.Spend(epsilon: 1, rounds: 1, localEpsilon: localEpsilon))
            let external = try definition(facts)["externalParameters"] as? Object
            return (external?["privacy"] as? [String: String])?["unit"]
        }
        var privacy = SampleFacts.privacy
        #expect(try unit(privacy, localEpsilon: nil) == "agent, added or removed")
        (privacy.sampling, privacy.localNoiseMultiplier) = (.everyone, 2)
        #expect(try unit(privacy, localEpsilon: 7) == "an agent's data, there or not")
    }

    @Test("of a private round tells neither who came nor what was refused")
    func secret() throws {
        let told = try metrics(try SampleFacts.secret())
        #expect(
            told == [
                "measure": "accuracy", "accuracy": "0.87654321", "testExamples": "10000",
            ])
        let plan = try SampleFacts.secret().plan
        let careless = SampleFacts.facts(
            plan,
            origin: .round(
                try SampleFacts.round(plan, participation: SampleFacts.participation)))
        #expect(try metrics(careless) == told)
    }

    @Test("of an open round has its metrics, sizes in buckets")
    func open() throws {
        let facts = try SampleFacts.open()
        let told = try metrics(facts)
        #expect(told["agents"] == "8-15" && told["examples"] == "1,000-9,999")
        #expect(told["rejectedUpdates"] == "2" && told["heldOutAfter"] == "0.83")
        let external = try #require(try definition(facts)["externalParameters"] as? Object)
        #expect(external["privacy"] is NSNull)
    }

    @Test("of version 0 has no parent and no round, of a republished one no round")
    func withoutRound() throws {
        let first = try SampleFacts.first()
        let distilled = try definition(first)
        #expect(distilled["buildType"] as? String == "urn:tributary:build-type:distillation:v1")
        let dependencies = try #require(distilled["resolvedDependencies"] as? [Object])
        #expect(dependencies.map { $0["name"] as? String } == ["plan"])
        #expect(try metrics(first)["teacherAccuracy"] == "0.9")
        let again = try definition(SampleFacts.facts(first.plan, origin: .republication))
        #expect(again["buildType"] as? String == "urn:tributary:build-type:republication:v1")
        let parents = try #require(again["resolvedDependencies"] as? [Object])
        #expect(parents.map { $0["name"] as? String } == ["parent", "plan"])
        let external = try #require(again["externalParameters"] as? Object)
        #expect(external["round"] == nil && external["algorithm"] == nil)
    }

    /// Members of JSON objects and arrays that are fractions, by path.
    private func numbers(_ value: Any, _ path: String = "") -> [String] {
        switch value {
        case let object as Object: object.flatMap { numbers($1, "\(path)/\($0)") }
        case let array as [Any]: array.flatMap { numbers($0, path) }
        case is NSNumber: [path]
        default: []
        }
    }

    @Test("has no number that a reader could round")
    func noNumbers() throws {
        for facts in [try SampleFacts.open(), try SampleFacts.secret(), try SampleFacts.first()] {
            #expect(numbers(try statement(facts)).isEmpty)
        }
    }
}
