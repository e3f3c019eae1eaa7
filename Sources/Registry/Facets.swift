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
    let blobs: [String]
    /// Which rows must be sealed, as SQL; the others are not history yet.
    let condition: String

    private init(
        _ name: String, of table: String, key: [String], fixing columns: [String],
        blobs: [String] = [], when condition: String = "TRUE"
    ) {
        self.name = name
        self.table = table
        self.key = key
        self.columns = columns
        self.blobs = blobs
        self.condition = condition
    }

    /// Every facet. In no facet: `agent_plans`, which devices report; the log's own tables, which
    /// are checked against its checkpoint; `models.position`, which is checked against its leaf.
    static let all = [
        event, token, agent, person, plan, planVersion, model, modelFile, charge, roundStart,
        roundRelease, round, roundStep, coin, contribution, job, refusal,
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
        "plan", of: "plans", key: ["id"], fixing: ["currentVersion", "teacherDigest"],
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
        ], blobs: ["modelDigest", "signatureDigest", "masterDigest", "velocityDigest"])

    static let modelFile = Facet(
        "model_file", of: "model_files", key: ["plan", "version", "name"],
        fixing: ["digest", "size"], blobs: ["digest"])

    static let charge = Facet(
        "charge", of: "ledger", key: ["plan", "round", "attempt"],
        fixing: [
            "population", "noiseMultiplier", "samplingRate", "delta", "epsilonAfter",
            "chargedUnix",
        ])

    static let roundStart = Facet(
        "round_start", of: "rounds", key: ["id"],
        fixing: [
            "attempt", "plan", "job", "baseVersion", "rotationSeed", "latticeID", "clippingNorm",
            "startedUnixMilliseconds", "owner", "term",
        ])

    static let roundRelease = Facet(
        "round_release", of: "rounds", key: ["id"], fixing: released,
        blobs: ["aggregateDigest", "masterDigest", "velocityDigest"],
        when: "aggregateDigest IS NOT NULL")

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
        fixing: ["updateDigest", "bytes"], when: roundHasEnded)

    // roundsDone, state, detail: how far the daemon is with the job's rounds, which are history.
    static let job = Facet(
        "job", of: "jobs", key: ["id"],
        fixing: ["plan", "rounds", "idempotencyKey", "createdUnix"])

    static let refusal = Facet(
        "refusal", of: "refusals", key: ["agent", "plan", "version", "model"],
        fixing: ["reason", "refusedUnix"])

    private static let released = [
        "aggregateDigest", "masterDigest", "velocityDigest", "nextClippingNorm",
        "commitmentSecret",
    ]
    private static let finalPhases = "('published', 'abandoned')"
    private static let roundHasEnded =
        "round IN (SELECT id FROM rounds WHERE phase IN \(finalPhases))"
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
