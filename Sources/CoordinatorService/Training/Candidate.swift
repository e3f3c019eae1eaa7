import Cryptography
import Federation
import Learning
import ModelFormats
import Provenance

/// fp32 master weights on their way to a published version.
struct Candidate: Sendable {
    /// The version it came from, with its accuracy.
    struct Parent: Sendable {
        let model: Digest
        let version: UInt64
        /// What a new version is compared with; nil when it may do as badly as it does.
        let accuracy: Double?
    }

    /// fp32 master weights.
    enum Master: Sendable {
        case values([Float])
        /// In a blob.
        case stored(Digest)
    }

    let fleet: String
    let plan: Plan
    /// SHA-256 of the plan's text.
    let planDigest: Digest
    let version: UInt64
    /// Nil for the first version.
    let parent: Parent?
    let origin: ModelFacts.Origin
    let master: Master
    /// The optimiser's state, a blob; nil when there is none.
    let velocityDigest: Digest?
    /// C of the next round, where clipping is adaptive.
    let clippingNorm: Float?
    /// What the population has spent, this version included; nil without privacy.
    let spend: ModelFacts.Spend?
    let testDirectory: String
    let key: PrivateKey
    /// The key's certificate and its authority's; empty when signatures name the bare key.
    let certificates: [Certificate]

    /// 0 for a version that no round made.
    var round: UInt64 {
        if case .round(let round) = origin { round.at.round.number } else { 0 }
    }

    /// Of distillation after the round; nil when it was not tried.
    var distillation: DistillationTrial? {
        if case .round(let round) = origin { round.distillation } else { nil }
    }

    /// The int8 rounding.
    ///
    /// - Parameter master: gives a run of the master weights.
    /// - Throws: `Fault.invalid` when a weight is not finite or a scale is not positive.
    func rounded(
        _ master: (Range<Int>) throws(Fault) -> ArraySlice<Float>
    ) throws(Fault) -> QuantizedModel {
        try QuantizedModel(
            shape: try StudentShape(plan: plan), normalisation: Normalisation(plan: plan.data),
            parameters: master)
    }

    /// Measures `model`, the int8 rounding, refuses what must not be published, writes the files of the model directory and
    /// signs them. The same candidate gives the same files.
    ///
    /// - Throws: `Fault.invalid` when accuracy dropped too far.
    func sealed(_ model: QuantizedModel) throws(Fault) -> SealedModel {
        let test = try testMeasure(of: model, plan: plan, testDirectory: testDirectory)
        if let before = parent?.accuracy, test.accuracy < before - plan.sealing.maxAccuracyDrop {
            throw Fault(
                .invalid,
                "accuracy on the test data would fall from \(before) to \(test.accuracy), more than the plan's limit of \(plan.sealing.maxAccuracyDrop)",
                remedy: "look at the round's noise and learning rate, or raise max_accuracy_drop")
        }
        let identity = ModelIdentity(
            of: plan, version: version, round: round, parent: parent?.model)
        let onnx = try OnnxModel.encode(model, identity: identity)
        let facts = ModelFacts(
            fleet: fleet, plan: plan, planDigest: planDigest, version: version,
            model: SHA256.digest(of: onnx), modelSize: UInt64(onnx.count),
            parent: parent.map { ModelFacts.Parent(version: $0.version, model: $0.model) },
            origin: origin, accuracy: test.accuracy, testExamples: test.examples, spend: spend)
        return try SealedModel(onnx: onnx, facts: facts, key: key, certificates: certificates)
    }
}

/// What a candidate becomes: the model directory, its signature, and how well it does on the test data.
struct SealedModel: Sendable {
    struct File: Sendable {
        let name: String
        let digest: Digest
        let bytes: [UInt8]

        init(_ name: String, _ bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
            digest = SHA256.digest(of: bytes)
        }
    }

    /// The file devices run, which is among `files` too.
    let onnx: File
    /// Every file, ordered by name.
    let files: [File]
    /// The signature bundle, and what it signs: SHA-256 of its statement.
    let signature: [UInt8]
    let statement: Digest
    let signer: PublicKey
    let accuracy: Double

    /// Writes what is said of the model from `facts`, and signs all of it.
    ///
    /// - Throws: `Fault` when the key cannot sign.
    init(
        onnx: [UInt8], facts: ModelFacts, key: PrivateKey, certificates: [Certificate]
    ) throws(Fault) {
        self.onnx = File("model.onnx", onnx)
        files = [
            File(ModelCard.fileName, Array(ModelCard.text(of: facts).utf8)),
            File(BillOfMaterials.fileName, try BillOfMaterials.encoded(facts)),
            self.onnx, File(ProvenanceStatement.fileName, try ProvenanceStatement.encoded(facts)),
        ]
        signature = try ModelSignature.sign(
            name: facts.name, files: files.map { ModelFile(name: $0.name, digest: $0.digest) },
            key: key, certificates: certificates)
        // Read back as others will: a token that signs nonsense, or a certificate that leads nowhere, is found out here.
        let authorities = certificates.isEmpty ? nil : Array(certificates.dropFirst())
        statement = try ModelSignature.verify(
            bundle: signature, trusted: [key.publicKey], authorities: authorities
        ).statementDigest
        signer = key.publicKey
        accuracy = facts.accuracy
    }
}
