import AgentService
import AgentSession
import Configuration
import Cryptography
import Federation
import Foundation
import Learning
import ModelFormats
import Provenance

/// A plan over three features and two classes, with signed models to match.
struct ExampleFleet {
    let authority: CertificateAuthority
    let modelKey: PrivateKey
    let log: LogSigner
    let trust: TrustSet
    let plan: Plan
    let planText: [UInt8]

    init() throws {
        authority = try CertificateAuthority.create(fleet: "plant", nowUnix: unixNow())
        modelKey = try PrivateKey.generate(.p256)
        log = try LogSigner(name: "tributary/plant", key: PrivateKey.generate(.ed25519))
        trust = try TrustSet.initial(
            fleet: "plant", authorities: [authority.certificate],
            modelKeys: [TrustSet.ModelKey(key: modelKey.publicKey, from: 1)], log: log.verifier,
            signedBy: modelKey)
        planText = Array(
            """
            [plan]
            name = "pumps"
            [data]
            format = "csv"
            file = "rows.csv"
            label_column = "state"
            features = 3
            classes = 2
            [[model.layers]]
            units = 4
            [[model.layers]]
            units = 2
            [training]
            learning_rate = 0.1
            [teacher]
            hidden = [4]
            epochs = 1
            learning_rate = 0.1
            [distillation]
            epochs = 1
            learning_rate = 0.1
            [round]
            agents = 2
            [clipping]
            norm = 1.0
            [server]
            """.utf8)
        plan = try PlanFile.parse(planText, file: "plan")
    }

    /// A model file of the plan's shape; `plan` and `version` are what it says of itself.
    func model(
        version: UInt64, plan name: String = "pumps", widths: [Int] = [3, 4, 2], scale: Float = 1,
        objective: TrainingPlan.Objective? = nil
    ) throws -> [UInt8] {
        let shape = try StudentShape(
            widths: widths, relu: Array(repeating: true, count: widths.count - 2) + [false])
        var random = SeededRandom(seed: version)
        var parameters = (0..<shape.parameterCount).map { _ in
            Float(random.next() >> 40) * 0x1p-24 - 0.5
        }
        for index in shape.logScaleOffset..<shape.parameterCount { parameters[index] = -3 }
        let model = try QuantizedModel(
            parameters: parameters, shape: shape,
            normalisation: Normalisation(offset: [0], scale: [scale]))
        let identity = ModelIdentity(
            plan: try planID(name), version: version, round: version, parent: nil,
            objective: objective)
        return try OnnxModel.encode(model, identity: identity)
    }

    /// A signature over a directory that holds `model` under the name `file`.
    func signature(
        of model: [UInt8], file: String = "model.onnx", key: PrivateKey? = nil
    ) throws -> [UInt8] {
        try ModelSignature.sign(
            name: "pumps",
            files: [
                ModelFile(name: "MODEL_CARD.md", digest: SHA256.digest(of: [])),
                ModelFile(name: file, digest: SHA256.digest(of: model)),
            ],
            key: key ?? modelKey)
    }

    /// A log of this fleet: so many leaves, beginning with those that `init` writes.
    func exampleLog(leaves: Int = 5) throws -> ExampleLog {
        var log = ExampleLog(signer: log)
        for index in 0..<leaves {
            log.append(FleetEvent(.planApplied, [("n", .number(UInt64(index)))]))
        }
        return log
    }

    /// The leaf of a signed model.
    func leaf(
        version: UInt64, plan name: String = "pumps", model: [UInt8], signature: [UInt8]
    ) throws -> FleetEvent {
        let signed = try ModelSignature.verify(bundle: signature, trusted: trust.publicModelKeys)
        var fields: [(name: String, value: FleetEvent.Value)] = [
            ("plan", .text(name)), ("version", .number(version)), ("round", .number(version)),
            ("model", .text(SHA256.digest(of: model).hex)),
            ("statement", .text(signed.statementDigest.hex)),
            ("bundle", .text(SHA256.digest(of: signature).hex)),
            ("key", .text(signed.signer.spkiDigest.hex)),
        ]
        if version > 0 {
            fields += [
                ("parent", .text(SHA256.digest(of: [1]).hex)),
                ("parentVersion", .number(version - 1)),
            ]
        }
        return FleetEvent(.modelSigned, fields)
    }

    /// What a coordinator shows for a model: its signature, and a proof from a log that has it.
    func evidence(version: UInt64, model: [UInt8], signature: [UInt8]? = nil) throws
        -> ModelEvidence
    {
        let signature = try signature ?? self.signature(of: model)
        var log = try exampleLog()
        let index = log.append(try leaf(version: version, model: model, signature: signature))
        return ModelEvidence(signature: signature, proof: try log.proof(of: index), consistency: [])
    }

    /// An agent's certificate and key, and the state directory of one that enrolled with them.
    func enrol(
        in directory: StateDirectory, issued: Int64 = unixNow(), seconds: Int64 = 90 * 86_400
    ) throws -> (certificate: Certificate, key: PrivateKey) {
        let (certificate, key) = try identity(issued: issued, seconds: seconds)
        try directory.prepare()
        try certificate.write(pemFile: directory.certificateFile)
        try Data(key.pem().utf8).write(to: URL(fileURLWithPath: directory.keyFile))
        try Data(trust.document).write(to: URL(fileURLWithPath: directory.trustSetFile))
        try Data("127.0.0.1:1\n".utf8).write(to: URL(fileURLWithPath: directory.coordinatorFile))
        return (certificate, key)
    }

    /// A new key of an agent and its certificate.
    func identity(
        issued: Int64 = unixNow(), seconds: Int64 = 90 * 86_400, id: String = "agent-7",
        authority: CertificateAuthority? = nil
    ) throws -> (certificate: Certificate, key: PrivateKey) {
        let key = try PrivateKey.generate(.p256)
        let certificate = try (authority ?? self.authority).issue(
            identity: Identity(fleet: "plant", role: .agent, id: id), publicKey: key.publicKey,
            seconds: seconds, nowUnix: issued)
        return (certificate, key)
    }

    func reference(
        version: UInt64, plan name: String = "pumps", model: [UInt8], signature: [UInt8]
    ) throws -> ModelReference {
        ModelReference(
            plan: try planID(name), version: version,
            model: BlobReference(
                digest: SHA256.digest(of: model), size: UInt64(model.count)),
            signature: BlobReference(
                digest: SHA256.digest(of: signature), size: UInt64(signature.count)))
    }
}

/// A log in memory.
struct ExampleLog {
    let signer: LogSigner
    private var leaves: [[UInt8]] = []
    private var nodes: [LogNode: Digest] = [:]

    init(signer: LogSigner) { self.signer = signer }

    var size: UInt64 { UInt64(leaves.count) }

    /// - Returns: the position of the new leaf.
    @discardableResult
    mutating func append(_ event: FleetEvent) -> UInt64 {
        let leaf = event.leafBytes(unix: 1_700_000_000, rows: nil)
        let made = LogTree.nodes(appending: Merkle.leafHash(leaf), at: size) { stored($0) }
        for (node, hash) in made { nodes[node] = hash }
        leaves.append(leaf)
        return size - 1
    }

    private func stored(_ node: LogNode) -> Digest { nodes[node] ?? Merkle.emptyRoot }

    func checkpoint() throws -> SignedCheckpoint {
        try signer.sign(
            Checkpoint(
                origin: signer.verifier.name, size: size,
                root: LogTree.root(size: size) { stored($0) }))
    }

    /// A tlog-proof under the newest checkpoint.
    func proof(of index: UInt64) throws -> [UInt8] {
        try proof(of: index, path: LogTree.inclusionPath(index: index, size: size) { stored($0) })
    }

    func proof(of index: UInt64, path: [Digest]) throws -> [UInt8] {
        LogProof(
            leaf: leaves[Int(index)], index: index, path: path, checkpoint: try checkpoint().note
        ).encoded()
    }

    func consistency(from: UInt64) -> [Digest] {
        LogTree.consistencyPath(from: from, to: size) { stored($0) }
    }
}

/// Now, in Unix seconds.
func unixNow() -> Int64 { Int64(Date().timeIntervalSince1970) }
