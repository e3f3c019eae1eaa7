import CMessages
import Federation

extension AuditLog: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AuditLog>) {
        tributary__v1__audit_log__init(raw)
    }

    init(raw: Tributary__V1__AuditLog) {
        self.init(
            first: raw.first,
            limit: raw.limit)
    }

    func fill(_ raw: inout Tributary__V1__AuditLog, in arena: Arena) {
        raw.first = first
        raw.limit = limit
    }
}

extension AuditProve: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AuditProve>) {
        tributary__v1__audit_prove__init(raw)
    }

    init(raw: Tributary__V1__AuditProve) throws(Fault) {
        self.init(
            byModel: raw.by_model != 0,
            plan: try Read.text(raw.plan, "AuditProve.plan"),
            version: raw.version,
            index: raw.index)
    }

    func fill(_ raw: inout Tributary__V1__AuditProve, in arena: Arena) throws(Fault) {
        raw.by_model = byModel ? 1 : 0
        raw.plan = try arena.text(plan, "AuditProve.plan")
        raw.version = version
        raw.index = index
    }
}

extension AuditCheckpoint: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__AuditCheckpoint>) {
        tributary__v1__audit_checkpoint__init(raw)
    }

    init(raw: Tributary__V1__AuditCheckpoint) {
        self.init(
            fromSize: raw.from_size)
    }

    func fill(_ raw: inout Tributary__V1__AuditCheckpoint, in arena: Arena) {
        raw.from_size = fromSize
    }
}

extension TrustShow: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__TrustShow>) {
        tributary__v1__trust_show__init(raw)
    }

    init(raw: Tributary__V1__TrustShow) { self.init() }

    func fill(_ raw: inout Tributary__V1__TrustShow, in arena: Arena) {}
}

extension ModelRepublish: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ModelRepublish>) {
        tributary__v1__model_republish__init(raw)
    }

    init(raw: Tributary__V1__ModelRepublish) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "ModelRepublish.plan"),
            version: raw.version)
    }

    func fill(_ raw: inout Tributary__V1__ModelRepublish, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "ModelRepublish.plan")
        raw.version = version
    }
}

extension LogEntry: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__LogEntry>) {
        tributary__v1__log_entry__init(raw)
    }

    init(raw: Tributary__V1__LogEntry) throws(Fault) {
        self.init(
            index: raw.index,
            loggedUnix: raw.logged_unix,
            leaf: try Read.bytes(raw.leaf, "LogEntry.leaf", limit: WireLimits.leafBytes))
    }

    func fill(_ raw: inout Tributary__V1__LogEntry, in arena: Arena) throws(Fault) {
        raw.index = index
        raw.logged_unix = loggedUnix
        raw.leaf = try arena.bytes(leaf, "LogEntry.leaf", limit: WireLimits.leafBytes)
    }
}

extension LogEntries: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__LogEntries>) {
        tributary__v1__log_entries__init(raw)
    }

    init(raw: Tributary__V1__LogEntries) throws(Fault) {
        self.init(
            size: raw.size,
            items: try Read.messages(
                raw.items, raw.n_items, "LogEntries.items", limit: WireLimits.items))
    }

    func fill(_ raw: inout Tributary__V1__LogEntries, in arena: Arena) throws(Fault) {
        raw.size = size
        (raw.items, raw.n_items) = try arena.messages(
            items, "LogEntries.items", limit: WireLimits.items)
    }
}

extension LogProofRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__LogProofRecord>) {
        tributary__v1__log_proof_record__init(raw)
    }

    init(raw: Tributary__V1__LogProofRecord) throws(Fault) {
        self.init(
            proof: try Read.bytes(
                raw.proof, "LogProofRecord.proof", limit: WireLimits.logProofBytes))
    }

    func fill(_ raw: inout Tributary__V1__LogProofRecord, in arena: Arena) throws(Fault) {
        raw.proof = try arena.bytes(proof, "LogProofRecord.proof", limit: WireLimits.logProofBytes)
    }
}

extension CheckpointRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__CheckpointRecord>) {
        tributary__v1__checkpoint_record__init(raw)
    }

    init(raw: Tributary__V1__CheckpointRecord) throws(Fault) {
        self.init(
            note: try Read.bytes(
                raw.note, "CheckpointRecord.note", limit: WireLimits.checkpointBytes),
            consistency: try Read.hashes(
                raw.consistency, raw.n_consistency, "CheckpointRecord.consistency"))
    }

    func fill(_ raw: inout Tributary__V1__CheckpointRecord, in arena: Arena) throws(Fault) {
        raw.note = try arena.bytes(note, "CheckpointRecord.note", limit: WireLimits.checkpointBytes)
        (raw.consistency, raw.n_consistency) = try arena.hashes(
            consistency, "CheckpointRecord.consistency")
    }
}

extension TrustRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__TrustRecord>) {
        tributary__v1__trust_record__init(raw)
    }

    init(raw: Tributary__V1__TrustRecord) throws(Fault) {
        self.init(
            document: try Read.bytes(
                raw.document, "TrustRecord.document", limit: WireLimits.trustSetBytes))
    }

    func fill(_ raw: inout Tributary__V1__TrustRecord, in arena: Arena) throws(Fault) {
        raw.document = try arena.bytes(
            document, "TrustRecord.document", limit: WireLimits.trustSetBytes)
    }
}
