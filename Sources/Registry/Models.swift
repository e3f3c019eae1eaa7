package import Federation
import GRDB

/// One published version of a plan's model.
package struct StoredModel: Sendable, Equatable {
    package var plan: PlanID
    /// 0 for the first, distilled version, then 1, 2 ...
    package var version: UInt64
    /// The round that made it; 0 for the first version.
    package var round: RoundID
    /// SHA-256 of model.onnx, a blob, and its bytes.
    package var modelDigest: Digest
    package var modelSize: UInt64
    /// SHA-256 of the signature bundle, a blob, and its bytes.
    package var signatureDigest: Digest
    package var signatureSize: UInt64
    /// The fp32 master weights, a blob: those the round released, unless distillation bettered them.
    package var masterDigest: Digest
    /// The server optimiser's state, a blob; nil when it has none.
    package var velocityDigest: Digest?
    /// Where an adaptive clipping norm had come to with this version; nil for the plan's own.
    package var clippingNorm: Float?
    /// On the coordinator's test data, in [0, 1]; nil when not measured.
    package var accuracy: Double?
    package var createdUnix: UInt64
    /// The version it was trained from; nil for version 0.
    package var parentVersion: UInt64?
    /// Every file of the model directory, each a blob, ordered by name.
    package var files: [StoredModelFile]
    /// Of distillation after the round; nil when it was not tried.
    package var distillation: DistillationTrial?
    /// When its weights were collected; nil while they are there.
    package internal(set) var collectedUnix: UInt64?

    package init(
        plan: PlanID, version: UInt64, round: RoundID, modelDigest: Digest, modelSize: UInt64,
        signatureDigest: Digest, signatureSize: UInt64, masterDigest: Digest,
        velocityDigest: Digest?, clippingNorm: Float? = nil, accuracy: Double?,
        createdUnix: UInt64, parentVersion: UInt64?, files: [StoredModelFile],
        distillation: DistillationTrial? = nil
    ) {
        self.plan = plan
        self.version = version
        self.round = round
        self.modelDigest = modelDigest
        self.modelSize = modelSize
        self.signatureDigest = signatureDigest
        self.signatureSize = signatureSize
        self.masterDigest = masterDigest
        self.velocityDigest = velocityDigest
        self.clippingNorm = clippingNorm
        self.accuracy = accuracy
        self.createdUnix = createdUnix
        self.parentVersion = parentVersion
        self.files = files
        self.distillation = distillation
    }
}

/// One file of a model directory.
package struct StoredModelFile: Sendable, Equatable {
    package var name: String
    /// A blob.
    package var digest: Digest
    package var size: UInt64

    package init(name: String, digest: Digest, size: UInt64) {
        self.name = name
        self.digest = digest
        self.size = size
    }
}

extension Registry {
    /// Publishes version 0, the distilled student.
    ///
    /// - Throws: `notFound` for an unknown plan; `conflict` when the plan has a model already;
    ///   `invalid` when `model` is not a version 0 of round 0.
    package func publishFirstModel(
        _ model: StoredModel, event: FleetEvent, nowUnix: UInt64
    ) async throws(Fault) {
        guard model.version == 0, model.round == RoundID(0), model.parentVersion == nil else {
            throw Fault(.invalid, "a plan's first model has version 0, round 0 and no parent")
        }
        try await write("publish the first model of \(model.plan)") { db in
            try requirePlan(model.plan, in: db)
            try insertNext(model, in: db)
            try appendSigned(model, by: event, to: db, nowUnix: nowUnix)
        }
        pins.settle(model.blobs)
    }

    /// Publishes a version that no round made, after an earlier one of the plan.
    ///
    /// - Throws: `notFound` for an unknown plan or parent; `conflict` when the version is not the
    ///   plan's next; `invalid` when `model` names a round or no parent.
    package func republish(
        _ model: StoredModel, event: FleetEvent, nowUnix: UInt64
    ) async throws(Fault) {
        guard model.version > 0, model.round == RoundID(0), model.parentVersion != nil else {
            throw Fault(.invalid, "a version that no round made has round 0 and a parent")
        }
        try await write("publish \(model.plan) \(model.version)") { db in
            try requirePlan(model.plan, in: db)
            try insertNext(model, in: db)
            try appendSigned(model, by: event, to: db, nowUnix: nowUnix)
        }
        pins.settle(model.blobs)
    }

    /// Every version of the plan's model, oldest first; empty before version 0.
    package func models(_ plan: PlanID) async throws(Fault) -> [StoredModel] {
        try await read("list the models of \(plan)") { db in
            try requireAsSealed(Facet.model[plan], in: db)
            try requireAsSealed(Facet.modelFile[plan], in: db)
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM model_files WHERE plan = ? ORDER BY name", arguments: [plan]
            )
            let files = Dictionary(grouping: rows) { $0["version"] as Int64 }
            return try StoredModel.fetchAll(
                db, sql: "SELECT * FROM models WHERE plan = ? ORDER BY version", arguments: [plan]
            ).map {
                var model = $0
                model.files = try files[Int64(model.version), default: []]
                    .map(StoredModelFile.init(row:))
                return model
            }
        }
    }

    /// One version of the plan's model.
    ///
    /// - Throws: `notFound`.
    package func model(_ plan: PlanID, version: UInt64) async throws(Fault) -> StoredModel {
        try await read("read the model \(plan) \(version)") { db in
            let model = try StoredModel.fetchOne(
                db, sql: "SELECT * FROM models WHERE plan = ? AND version = ?",
                arguments: [plan, version.storable])
            guard let model else { throw unknownModel(plan, version: version) }
            try requireAsSealed(model, in: db)
            return try model.withFiles(in: db)
        }
    }

    /// The newest version of the plan's model, nil before version 0.
    package func latestModel(_ plan: PlanID) async throws(Fault) -> StoredModel? {
        try await read("read the newest model of \(plan)") { db in
            let model = try StoredModel.fetchOne(
                db, sql: "SELECT * FROM models WHERE plan = ? ORDER BY version DESC LIMIT 1",
                arguments: [plan])
            guard let model else { return nil }
            try requireAsSealed(model, in: db)
            return try model.withFiles(in: db)
        }
    }
}

/// Refuses a version of which somebody changed the row or the files' rows from outside.
func requireAsSealed(_ model: StoredModel, in db: Database) throws {
    try requireAsSealed(Facet.model[model.plan, model.version], in: db)
    try requireAsSealed(Facet.modelFile[model.plan, model.version], in: db)
}

/// Adds `model` with its files; throws `conflict` unless its version is the next one of its plan.
func insertNext(_ model: StoredModel, in db: Database) throws {
    let next = try UInt64.fetchOne(
        db, sql: "SELECT COALESCE(MAX(version) + 1, 0) FROM models WHERE plan = ?",
        arguments: [model.plan])
    guard model.version == next else {
        throw Fault(
            .conflict,
            "the next version of \(model.plan) is \(next ?? 0), not \(model.version)")
    }
    try model.insert(db)
    for file in model.files {
        try db.execute(
            sql: "INSERT INTO model_files VALUES (?, ?, ?, ?, ?)",
            arguments: [model.plan, model.version, file.name, file.digest, file.size])
    }
}

/// Appends the event that says who signed `model`, and notes where: the model's proof is of that
/// leaf.
///
/// - Throws: `invalid` when `event` is none or another kind.
func appendSigned(
    _ model: StoredModel, by event: FleetEvent?, to db: Database, nowUnix: UInt64,
    sealing rows: [FacetRows] = []
) throws {
    guard let event, event.kind == .modelSigned else {
        throw Fault(.invalid, "no event signs the model \(model.plan) \(model.version)")
    }
    let position = try append(
        event, to: db, nowUnix: nowUnix,
        adding: [
            Facet.model[model.plan, model.version], Facet.modelFile[model.plan, model.version],
        ], sealing: rows)
    try db.execute(
        sql: "UPDATE models SET position = ? WHERE plan = ? AND version = ?",
        arguments: [position, model.plan, model.version])
}

/// What a caller is told about a version that was never published.
func unknownModel(_ plan: PlanID, version: UInt64) -> Fault {
    Fault(
        .notFound, "the plan \(plan) has no model version \(version)",
        remedy: "`tributary-coordinator model list \(plan)` shows its versions")
}

extension StoredModel: FetchableRecord, PersistableRecord {
    static var databaseTableName: String { "models" }

    init(row: Row) throws {
        plan = try row.value("plan")
        version = try row.value("version")
        round = try row.value("round")
        modelDigest = try row.value("modelDigest")
        modelSize = try row.value("modelSize")
        signatureDigest = try row.value("signatureDigest")
        signatureSize = try row.value("signatureSize")
        masterDigest = try row.value("masterDigest")
        velocityDigest = try row.optional("velocityDigest")
        clippingNorm = try row.optional("clippingNorm")
        accuracy = try row.optional("accuracy")
        createdUnix = try row.value("createdUnix")
        parentVersion = try row.optional("parentVersion")
        files = []
        distillation = try DistillationTrial(row: row)
        collectedUnix = try row.optional("collectedUnix")
    }

    func encode(to container: inout PersistenceContainer) {
        container["plan"] = plan
        container["version"] = version
        container["round"] = round
        container["modelDigest"] = modelDigest
        container["modelSize"] = modelSize
        container["signatureDigest"] = signatureDigest
        container["signatureSize"] = signatureSize
        container["masterDigest"] = masterDigest
        container["velocityDigest"] = velocityDigest
        container["clippingNorm"] = clippingNorm
        container["accuracy"] = accuracy
        container["createdUnix"] = createdUnix
        container["parentVersion"] = parentVersion
        container["heldOutBefore"] = distillation?.accuracyBefore
        container["heldOutAfter"] = distillation?.accuracyAfter
    }

    func withFiles(in db: Database) throws -> StoredModel {
        var model = self
        model.files = try StoredModelFile.fetchAll(
            db, sql: "SELECT * FROM model_files WHERE plan = ? AND version = ? ORDER BY name",
            arguments: [plan, version])
        return model
    }
}

extension DistillationTrial {
    /// Nil when `row`, one of `models` or none, has no such trial.
    init?(row: Row) throws(Fault) {
        guard let before: Double = try row.optional("heldOutBefore"),
            let after: Double = try row.optional("heldOutAfter")
        else { return nil }
        self.init(accuracyBefore: before, accuracyAfter: after)
    }
}

extension StoredModelFile: FetchableRecord {
    init(row: Row) throws {
        name = try row.value("name")
        digest = try row.value("digest")
        size = try row.value("size")
    }
}
