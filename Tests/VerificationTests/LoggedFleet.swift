import Cryptography
import Federation
import Foundation
import Privacy
import Provenance
import ProvenanceSamples
import Verification

/// A fleet of a test's own: its log, its keys, and models exported as a coordinator exports them.
final class LoggedFleet {
    let root: String
    /// Another fleet's directory is that one's to remove.
    private var isOwner = true
    let plan: Plan
    private let authority: Certificate
    let signer: LogSigner
    private(set) var modelKey: PrivateKey
    private(set) var trust: TrustSet
    private(set) var log = LogUnderTest(leaves: 0)
    private(set) var models: [Version] = []
    private var charged = 0
    private var time: UInt64 = 1_800_000_000
    /// Changes a leaf before it is logged: its name and value.
    var forgery: [String: FleetEvent.Value] = [:]

    struct Version {
        let version: UInt64
        let model: Digest
        let position: UInt64
        let bundle: [UInt8]
        let files: [(name: String, bytes: [UInt8])]
    }

    var export: String { root + "/export" }
    var logDirectory: String { export + "/log" }
    var trustFile: String { root + "/trust-set.json" }
    var state: String { trustFile + ".checkpoint" }

    /// - Parameter privacy: nil for a plan without.
    init(
        name: String = "lab", privacy: PrivacyPlan? = SampleFacts.privacy,
        forgery: [String: FleetEvent.Value] = [:]
    ) throws {
        root = NSTemporaryDirectory() + "/tributary-fleet-" + UUID().uuidString
        guard let plan = SampleFacts.plan(privacy: privacy) else {
            throw Fault(.internal, "no plan")
        }
        self.plan = plan
        authority = try CertificateAuthority.create(fleet: name, nowUnix: 1_800_000_000).certificate
        signer = try LogSigner(name: "tributary/\(name)", key: PrivateKey.generate(.ed25519))
        modelKey = try PrivateKey.generate(.p256)
        trust = try TrustSet.initial(
            fleet: name, authorities: [authority],
            modelKeys: [TrustSet.ModelKey(key: modelKey.publicKey, from: 1)],
            log: signer.verifier, signedBy: modelKey)
        self.forgery = forgery
        add(
            .fleetCreated,
            [
                ("fleet", .text(name)), ("authority", .text(authority.publicKey.spkiDigest.hex)),
                ("log", .text(signer.verifier.vkey)),
            ])
        self.forgery = [:]
        addKey(modelKey)
        addTrustSet()
        add(
            .planApplied,
            [
                ("plan", .text(plan.id.name)), ("digest", .text(SampleFacts.digest("plan").hex)),
            ])
        try FileManager.default.createDirectory(
            atPath: export, withIntermediateDirectories: true)
    }

    /// The same fleet with the log that it had at an earlier size, to go on from there.
    convenience init(extending other: LoggedFleet, to size: Int) throws {
        self.init(of: other, leaves: Array(other.log.leaves.prefix(size)))
    }

    private init(of other: LoggedFleet, leaves: [[UInt8]]) {
        root = other.root
        isOwner = false
        plan = other.plan
        authority = other.authority
        signer = other.signer
        modelKey = other.modelKey
        trust = other.trust
        log = LogUnderTest(leaves)
        models = other.models.filter { $0.position < log.size }
        charged = max(0, models.count - 1)
        time = other.time
    }

    deinit {
        if isOwner { try? FileManager.default.removeItem(atPath: root) }
    }

    // MARK: Events

    func add(_ kind: FleetEvent.Kind, _ fields: [(name: String, value: FleetEvent.Value)]) {
        time += 10
        let forged = fields.map { (name: $0.name, value: forgery[$0.name] ?? $0.value) }
        log.append(FleetEvent(kind, forged).leafBytes(unix: time, rows: nil))
    }

    func addRaw(_ leaf: String) { log.append(Array(leaf.utf8)) }

    /// Sets the coordinator's clock.
    func setClock(back seconds: UInt64) { time -= seconds }

    private func addKey(_ key: PrivateKey) {
        add(
            .keyAdded,
            [
                ("use", .text("model-signing")), ("key", .text(key.publicKey.spkiDigest.hex)),
                ("curve", .text("p256")),
            ])
    }

    private func addTrustSet() {
        add(
            .trustSetSigned,
            [
                ("version", .number(trust.version)),
                ("digest", .text(SHA256.digest(of: trust.document).hex)),
            ])
    }

    /// Takes another key for models; the old one ends, as retired or revoked from a position on.
    func rotate(revokedFrom: UInt64? = nil) throws {
        let old = modelKey
        modelKey = try PrivateKey.generate(.p256)
        let from = log.size
        addKey(modelKey)
        let digest = FleetEvent.Value.text(old.publicKey.spkiDigest.hex)
        let retired = log.size
        add(.keyRetired, [("use", .text("model-signing")), ("key", digest)])
        let since = time
        if let revokedFrom {
            add(
                .keyRevoked,
                [
                    ("use", .text("model-signing")), ("key", digest), ("since", .number(since)),
                    ("from", .number(revokedFrom)), ("reason", .text("a test")),
                ])
        }
        let until = revokedFrom ?? retired
        let revoked = revokedFrom == nil ? nil : since
        let keys = trust.modelKeys.map { key in
            key.key != old.publicKey
                ? key
                : TrustSet.ModelKey(
                    key: key.key, from: key.from, until: until, revokedUnix: revoked)
        }
        trust = try trust.successor(
            authorities: [authority],
            modelKeys: keys + [TrustSet.ModelKey(key: modelKey.publicKey, from: from)],
            log: signer.verifier, signedBy: [old, modelKey])
        addTrustSet()
    }

    /// Charges and seals a round of the plan.
    func addRound(_ round: UInt64, attempt: UInt64 = 1, isCharged: Bool = true) {
        if let privacy = plan.privacy, isCharged {
            charged += 1
            add(
                .budgetCharged,
                [
                    ("plan", .text(plan.id.name)), ("population", .text(plan.population)),
                    ("round", .number(round)), ("attempt", .number(attempt)),
                    ("noiseMultiplier", .decimal(privacy.noiseMultiplier)),
                    ("samplingRate", .decimal(privacy.sampling.rate)),
                    ("delta", .decimal(privacy.delta)), ("epsilon", .decimal(epsilon(charged))),
                ])
        }
        add(
            .roundSealed,
            [
                ("plan", .text(plan.id.name)), ("round", .number(round)),
                ("attempt", .number(attempt)), ("aggregate", .text(SampleFacts.digest("sum").hex)),
                ("updates", .text(SampleFacts.digest("updates").hex)), ("capacity", .number(256)),
            ])
    }

    func epsilon(_ rounds: Int) -> Double {
        plan.privacy.map { PrivacyBudget(plan: $0, roundsCharged: rounds).epsilon } ?? 0
    }

    // MARK: Models

    /// Makes, signs and logs the next version; all but version 0 by a round of that number.
    func addVersion(
        key: PrivateKey? = nil, parent: UInt64? = nil, contents: String? = nil,
        edit: ((ModelFacts) -> ModelFacts)? = nil
    ) throws {
        let version = UInt64(models.count)
        if version > 0 { addRound(version) }
        let model = Array((contents ?? "model \(version)").utf8)
        let base = version == 0 ? nil : models[Int(parent ?? version - 1)]
        var facts = try facts(version, SHA256.digest(of: model), model.count, base)
        if let edit { facts = edit(facts) }
        let files: [(name: String, bytes: [UInt8])] = [
            ("model.onnx", model), (ModelCard.fileName, Array(ModelCard.text(of: facts).utf8)),
            (ProvenanceStatement.fileName, try ProvenanceStatement.encoded(facts)),
            (BillOfMaterials.fileName, try BillOfMaterials.encoded(facts)),
        ]
        let key = key ?? modelKey
        let bundle = try ModelSignature.sign(
            name: "fashion-\(version)",
            files: files.map { ModelFile(name: $0.name, digest: SHA256.digest(of: $0.bytes)) },
            key: key)
        let signed = try ModelSignature.verify(bundle: bundle, trusted: [key.publicKey])
        let position = log.size
        var fields: [(name: String, value: FleetEvent.Value)] = [
            ("plan", .text(plan.id.name)), ("version", .number(version)),
            ("round", .number(version)), ("model", .text(SHA256.digest(of: model).hex)),
            ("statement", .text(signed.statementDigest.hex)),
            ("bundle", .text(SHA256.digest(of: bundle).hex)),
            ("key", .text(key.publicKey.spkiDigest.hex)),
        ]
        if let base {
            fields += [
                ("parent", .text(base.model.hex)), ("parentVersion", .number(base.version)),
            ]
        }
        add(.modelSigned, fields)
        models.append(
            Version(
                version: version, model: SHA256.digest(of: model), position: position,
                bundle: bundle, files: files))
    }

    private func facts(
        _ version: UInt64, _ model: Digest, _ size: Int, _ base: Version?
    ) throws -> ModelFacts {
        let lattice = try SampleFacts.round(plan).lattice
        let at = RoundAttempt(round: RoundID(version), attempt: 1)
        let round = ModelFacts.RoundFacts(
            at: at, lattice: lattice, updates: SampleFacts.digest("updates"), capacity: 256,
            participation: nil, distillation: nil)
        return ModelFacts(
            fleet: trust.fleet, plan: plan, planDigest: SampleFacts.digest("plan"),
            version: version, model: model, modelSize: UInt64(size),
            parent: base.map { ModelFacts.Parent(version: $0.version, model: $0.model) },
            origin: base == nil ? .distillation(teacherAccuracy: 0.9) : .round(round),
            accuracy: 0.8, testExamples: 100,
            spend: plan.privacy == nil
                ? nil
                : ModelFacts.Spend(epsilon: epsilon(charged), rounds: charged, localEpsilon: nil))
    }

    func proof(of version: Int, size: UInt64? = nil) throws -> [UInt8] {
        let size = size ?? log.size
        let position = models[version].position
        return LogProof(
            leaf: log.leaves[Int(position)], index: position, path: log.inclusion(position, size),
            checkpoint: try checkpoint(size).note
        ).encoded()
    }

    func checkpoint(_ size: UInt64? = nil) throws -> SignedCheckpoint {
        try signer.sign(log.checkpoint(size ?? log.size, origin: signer.verifier.name))
    }

    // MARK: Files

    func directory(_ version: Int) -> String { "\(export)/fashion-\(version)" }

    func write(_ bytes: [UInt8], to path: String) throws {
        let file = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    /// Writes a version, its signature and its proof.
    func exportModel(_ version: Int, size: UInt64? = nil) throws {
        let model = models[version]
        for file in model.files { try write(file.bytes, to: "\(directory(version))/\(file.name)") }
        try write(model.bundle, to: directory(version) + ".sig")
        try write(proof(of: version, size: size), to: directory(version) + ".tlog-proof")
    }

    /// Writes the log, in place of what is there.
    func exportLog() throws {
        try? FileManager.default.removeItem(atPath: logDirectory)
        for (path, bytes) in try log.files() { try write(bytes, to: "\(logDirectory)/\(path)") }
        try write(checkpoint().note, to: logDirectory + "/checkpoint")
    }

    func verification(
        of version: Int, trust other: TrustSet? = nil, withLog: Bool = true,
        log: String? = nil, witness: WitnessKey? = nil
    ) throws -> VerificationReport {
        let directory = directory(version)
        return ModelVerification(
            directory: directory, signature: directory + ".sig", proof: directory + ".tlog-proof",
            trust: .set(other ?? trust), log: withLog ? try LogLocation(log ?? logDirectory) : nil,
            remembered: RememberedCheckpoint(file: state), witness: witness
        ).run()
    }

    func logVerification(
        at location: String? = nil, since: [UInt8]? = nil, witness: WitnessKey? = nil,
        byKeyAlone: Bool = false
    ) throws -> VerificationReport {
        LogVerification(
            log: try LogLocation(location ?? logDirectory),
            trust: byKeyAlone ? .log(signer.verifier) : .set(trust), since: since,
            remembered: RememberedCheckpoint(file: state), witness: witness
        ).run()
    }
}

extension VerificationReport {
    /// What failed: `name: detail`.
    var failures: [String] {
        checks.filter { $0.result == .failed }.map { "\($0.name): \($0.detail)" }
    }

    /// The names of what failed.
    var failed: [String] { checks.filter { $0.result == .failed }.map(\.name) }
}

extension ModelFacts {
    /// These facts with some of them replaced.
    func changing(
        version: UInt64? = nil, model: Digest? = nil, planDigest: Digest? = nil,
        epsilon: Double? = nil, updates: Digest? = nil, plan other: Plan? = nil,
        parent: ModelFacts.Parent? = nil, fleet name: String? = nil
    ) -> ModelFacts {
        var origin = origin
        if case .round(let round) = origin, let updates {
            origin = .round(
                RoundFacts(
                    at: round.at, lattice: round.lattice, updates: updates,
                    capacity: round.capacity, participation: nil, distillation: nil))
        }
        return ModelFacts(
            fleet: name ?? fleet, plan: other ?? plan, planDigest: planDigest ?? self.planDigest,
            version: version ?? self.version, model: model ?? self.model, modelSize: modelSize,
            parent: parent ?? self.parent, origin: origin, accuracy: accuracy,
            testExamples: testExamples,
            spend: epsilon.map {
                Spend(epsilon: $0, rounds: spend?.rounds ?? 0, localEpsilon: nil)
            } ?? spend)
    }
}
