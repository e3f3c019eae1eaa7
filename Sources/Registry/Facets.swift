import GRDB

/// Columns of a table that the log fixes: an event seals them, row by row, as it leaves them, and
/// an audit finds every later change that no event sealed.
///
/// A column in no facet changes without an event; the comment above its facet says why.
struct Facet: Sendable {
    /// How a seal names it.
    let name: String
    let table: String
    /// The columns that name a row. They are fixed as well.
    let key: [String]
    /// The other columns that are fixed.
    let columns: [String]
    /// Those that hold the digest of a blob.
    let blobs: [BlobColumn]
    /// Which rows must be sealed, as SQL; the others are not history yet.
    let condition: String

    private init(
        _ name: String, of table: String, key: [String], fixing columns: [String],
        blobs: [String] = [], weights: [String] = [], keptWhile isKept: String = "TRUE",
        when condition: String = "TRUE"
    ) {
        self.name = name
        self.table = table
        self.key = key
        self.columns = columns
        self.blobs =
            blobs.map { BlobColumn(name: $0, isKept: "TRUE") }
            + weights.map { BlobColumn(name: $0, isKept: isKept) }
        self.condition = condition
    }

    /// Every facet. In no facet: `agent_plans`, which devices report; the log's own tables, which
    /// are checked against its checkpoint; `models.position`, which is checked against its leaf.
    static let all = [
        event, token, agent, person, plan, planVersion, model, modelFile, collection, charge,
        roundStart, roundRelease, round, roundStep, coin, contribution, job, refusal,
    ]

    // Leaves say their time themselves, except those that were written before they were sealed.
    static let event = Facet(
        "event", of: "events", key: ["number"], fixing: ["unix"],
        when: "number < (SELECT MAX(event) FROM sealed_rows WHERE facet = 'event')")

    static let token = Facet(
        "token", of: "tokens", key: ["secretDigest"],
        fixing: ["uses", "used", "expiresUnix", "createdUnix"])

    // lastSeenUnix, version, cpuFeatures, memoryKiB, trustSetVersion: what the device last said.
    // certificateUsedUnix: that it has shown its newest certificate.
    static let agent = Facet(
        "agent", of: "agents", key: ["id"],
        fixing: [
            "token", "certificateSerial", "certificateDigest", "certificateExpiresUnix",
            "previousCertificateDigest", "enrolledUnix", "revokedUnix", "revokedReason",
        ])

    static let person = Facet(
        "person", of: "people", key: ["name"],
        fixing: [
            "role", "certificateSerial", "certificateDigest", "certificateExpiresUnix",
            "issuedUnix", "revokedUnix", "revokedReason",
        ])

    // state, detail, accuracyTeacher: how far the daemon is with preparing the plan.
    static let plan = Facet(
        "plan", of: "plans", key: ["id"],
        fixing: ["currentVersion", "teacherDigest", "pausedUnix", "pausedReason"],
        blobs: ["teacherDigest"])

    static let planVersion = Facet(
        "plan_version", of: "plan_versions", key: ["plan", "version"],
        fixing: ["digest", "population", "title", "appliedUnix"], blobs: ["digest"])

    static let model = Facet(
        "model", of: "models", key: ["plan", "version"],
        fixing: [
            "round", "modelDigest", "modelSize", "signatureDigest", "signatureSize",
            "masterDigest", "velocityDigest", "clippingNorm", "accuracy", "heldOutBefore",
            "heldOutAfter", "createdUnix", "parentVersion",
        ], blobs: ["signatureDigest"], weights: ["modelDigest", "masterDigest", "velocityDigest"],
        keptWhile: "collectedUnix IS NULL")

    // Of a collected version everything stays but the weights: what says where they came from.
    static let modelFile = Facet(
        "model_file", of: "model_files", key: ["plan", "version", "name"],
        fixing: ["digest", "size"], weights: ["digest"],
        keptWhile: """
            (name <> 'model.onnx' OR NOT EXISTS (SELECT * FROM models AS owner
                WHERE owner.plan = model_files.plan AND owner.version = model_files.version
                    AND owner.collectedUnix IS NOT NULL))
            """)

    static let collection = Facet(
        "collection", of: "models", key: ["plan", "version"], fixing: ["collectedUnix"],
        when: "collectedUnix IS NOT NULL")

    static let charge = Facet(
        "charge", of: "ledger", key: ["plan", "round", "attempt"],
        fixing: [
            "population", "noiseMultiplier", "samplingRate", "delta", "epsilonAfter",
            "chargedUnix",
        ])

    // Sealed again when another attempt begins.
    // bootID, deadlineNanoseconds: when the present phase ends.
    static let roundStart = Facet(
        "round_start", of: "rounds", key: ["id"],
        fixing: [
            "attempt", "plan", "job", "baseVersion", "rotationSeed", "latticeID", "clippingNorm",
            "startedUnixMilliseconds", "owner", "term",
        ])

    static let roundRelease = Facet(
        "round_release", of: "rounds", key: ["id"], fixing: released,
        weights: ["aggregateDigest", "masterDigest", "velocityDigest"],
        // They go with the version that the round made, or, if it made none, started from.
        keptWhile: """
            (phase NOT IN \(finalPhases) OR NOT EXISTS (SELECT * FROM models AS made
                WHERE made.plan = rounds.plan
                    AND made.version = ifnull(rounds.publishedVersion, rounds.baseVersion)
                    AND made.collectedUnix IS NOT NULL))
            """, when: "aggregateDigest IS NOT NULL")

    // The rest of a round is fixed when it ends, with that it released nothing if it did not, and
    // so is what was counted for it.
    static let round = Facet(
        "round", of: "rounds", key: ["id"],
        fixing: [
            "phase", "reason", "endedUnixMilliseconds", "publishedVersion", "bytesIn", "bytesOut",
        ] + released, when: "phase IN \(finalPhases)")

    static let roundStep = Facet(
        "round_step", of: "round_history", key: ["round", "step"],
        fixing: ["attempt", "phase", "unixMilliseconds"], when: roundHasEnded)

    static let coin = Facet(
        "coin", of: "round_coins", key: ["round", "agent"], fixing: ["selected"],
        when: roundHasEnded)

    static let contribution = Facet(
        "contribution", of: "contributions", key: ["round", "attempt", "agent"],
        fixing: ["updateDigest", "bytes", "lost"], when: roundHasEnded)

    // roundsDone, state, detail: how far the daemon is with the job's rounds, which are history.
    static let job = Facet(
        "job", of: "jobs", key: ["id"],
        fixing: ["plan", "rounds", "idempotencyKey", "createdUnix"])

    static let refusal = Facet(
        "refusal", of: "refusals", key: ["agent", "plan", "version", "model"],
        fixing: ["reason", "refusedUnix"])

    private static let released = [
        "aggregateDigest", "masterDigest", "velocityDigest", "nextClippingNorm",
        "commitmentSecret", "releasedExamples", "releasedRejected",
    ]
    private static let finalPhases = "('published', 'abandoned')"
    private static let roundHasEnded =
        "round IN (SELECT id FROM rounds WHERE phase IN \(finalPhases))"
}

/// A column with the digest of a blob.
struct BlobColumn: Sendable {
    let name: String
    /// As long as this SQL holds for a row, the blob is kept.
    let isKept: String
}

/// Rows of one facet.
struct FacetRows: Sendable {
    let facet: Facet
    let condition: String
    let arguments: StatementArguments
}

extension Facet {
    /// The rows whose key begins with `values`.
    subscript(values: any DatabaseValueConvertible...) -> FacetRows {
        FacetRows(
            facet: self,
            condition: (["TRUE"] + key.prefix(values.count).map { "\($0) = ?" })
                .joined(separator: " AND "),
            arguments: StatementArguments(values))
    }

    /// This facet as far as an older schema has it: a seal leaves out what is NULL. Nil when it has nothing of it.
    func existing(in db: Database) throws -> Facet? {
        let present = Set(try db.columns(in: table).map(\.name))
        let kept = columns.filter(present.contains)
        guard !kept.isEmpty || columns.isEmpty else { return nil }
        return Facet(name, of: table, key: key, fixing: kept, when: condition)
    }

    /// Every row that is history.
    var history: FacetRows { FacetRows(facet: self, condition: condition, arguments: []) }

    /// SQL for a row's key as text: its columns with a blank between them, digests as hexadecimal.
    var keyText: String {
        let parts = key.map {
            "CASE typeof(\($0)) WHEN 'blob' THEN lower(hex(\($0))) ELSE ifnull(\($0), '') END"
        }
        return "CAST(\(parts.joined(separator: " || ' ' || ")) AS TEXT)"
    }
}
