import CMessages
import Federation

extension RoundRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__RoundRecord>) {
        tributary__v1__round_record__init(raw)
    }

    init(raw: Tributary__V1__RoundRecord) throws(Fault) {
        self.init(
            round: raw.round,
            attempt: raw.attempt,
            plan: try Read.text(raw.plan, "RoundRecord.plan"),
            phase: try Read.text(raw.phase, "RoundRecord.phase"),
            reason: try Read.text(raw.reason, "RoundRecord.reason"),
            startedUnix: raw.started_unix,
            seconds: raw.seconds,
            selected: raw.selected,
            reported: raw.reported,
            modelVersion: raw.model_version,
            published: raw.published != 0,
            accuracy: raw.accuracy,
            epsilon: raw.epsilon,
            bytesIn: raw.bytes_in,
            bytesOut: raw.bytes_out,
            clippingNorm: raw.clipping_norm,
            withheld: raw.withheld != 0,
            history: try Read.messages(
                raw.history, raw.n_history, "RoundRecord.history", limit: WireLimits.phases),
            distillation: try Read.optionalPart(raw.distillation))
    }

    func fill(_ raw: inout Tributary__V1__RoundRecord, in arena: Arena) throws(Fault) {
        raw.round = round
        raw.attempt = attempt
        raw.plan = try arena.text(plan, "RoundRecord.plan")
        raw.phase = try arena.text(phase, "RoundRecord.phase")
        raw.reason = try arena.text(reason, "RoundRecord.reason")
        raw.started_unix = startedUnix
        raw.seconds = seconds
        raw.selected = selected
        raw.reported = reported
        raw.model_version = modelVersion
        raw.published = published ? 1 : 0
        raw.accuracy = accuracy
        raw.epsilon = epsilon
        raw.bytes_in = bytesIn
        raw.bytes_out = bytesOut
        raw.clipping_norm = clippingNorm
        raw.withheld = withheld ? 1 : 0
        (raw.history, raw.n_history) = try arena.messages(
            history, "RoundRecord.history", limit: WireLimits.phases)
        raw.distillation = try arena.optionalMessage(distillation)
    }
}

extension DistillationRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__DistillationRecord>) {
        tributary__v1__distillation_record__init(raw)
    }

    init(raw: Tributary__V1__DistillationRecord) throws(Fault) {
        self.init(
            accuracyBefore: raw.accuracy_before, accuracyAfter: raw.accuracy_after,
            accepted: raw.accepted != 0)
    }

    func fill(_ raw: inout Tributary__V1__DistillationRecord, in arena: Arena) throws(Fault) {
        raw.accuracy_before = accuracyBefore
        raw.accuracy_after = accuracyAfter
        raw.accepted = accepted ? 1 : 0
    }
}

extension PhaseRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__PhaseRecord>) {
        tributary__v1__phase_record__init(raw)
    }

    init(raw: Tributary__V1__PhaseRecord) throws(Fault) {
        self.init(
            phase: try Read.text(raw.phase, "PhaseRecord.phase"),
            unixMilliseconds: raw.unix_milliseconds)
    }

    func fill(_ raw: inout Tributary__V1__PhaseRecord, in arena: Arena) throws(Fault) {
        raw.phase = try arena.text(phase, "PhaseRecord.phase")
        raw.unix_milliseconds = unixMilliseconds
    }
}

extension JobRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__JobRecord>) {
        tributary__v1__job_record__init(raw)
    }

    init(raw: Tributary__V1__JobRecord) throws(Fault) {
        self.init(
            job: raw.job,
            plan: try Read.text(raw.plan, "JobRecord.plan"),
            roundsWanted: raw.rounds_wanted,
            roundsDone: raw.rounds_done,
            state: try Read.text(raw.state, "JobRecord.state"),
            detail: try Read.text(raw.detail, "JobRecord.detail"),
            revision: raw.revision,
            rounds: try Read.messages(
                raw.rounds, raw.n_rounds, "JobRecord.rounds", limit: WireLimits.items),
            agentsWaiting: raw.agents_waiting,
            epsilon: raw.epsilon,
            delta: raw.delta,
            noiseMultiplier: raw.noise_multiplier,
            agentsForEpsilon4: raw.agents_for_epsilon_4,
            moreRounds: raw.more_rounds != 0,
            createdUnix: raw.created_unix)
    }

    func fill(_ raw: inout Tributary__V1__JobRecord, in arena: Arena) throws(Fault) {
        raw.job = job
        raw.plan = try arena.text(plan, "JobRecord.plan")
        raw.rounds_wanted = roundsWanted
        raw.rounds_done = roundsDone
        raw.state = try arena.text(state, "JobRecord.state")
        raw.detail = try arena.text(detail, "JobRecord.detail")
        raw.revision = revision
        (raw.rounds, raw.n_rounds) = try arena.messages(
            rounds, "JobRecord.rounds", limit: WireLimits.items)
        raw.agents_waiting = agentsWaiting
        raw.epsilon = epsilon
        raw.delta = delta
        raw.noise_multiplier = noiseMultiplier
        raw.agents_for_epsilon_4 = agentsForEpsilon4
        raw.more_rounds = moreRounds ? 1 : 0
        raw.created_unix = createdUnix
    }
}

extension ModelRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ModelRecord>) {
        tributary__v1__model_record__init(raw)
    }

    init(raw: Tributary__V1__ModelRecord) throws(Fault) {
        self.init(
            model: try Read.optionalPart(raw.model),
            round: raw.round,
            accuracy: raw.accuracy,
            createdUnix: raw.created_unix,
            parentVersion: raw.parent_version,
            hasParent: raw.has_parent != 0,
            files: try Read.messages(
                raw.files, raw.n_files, "ModelRecord.files", limit: WireLimits.files),
            publicKey: try Read.bytes(
                raw.public_key, "ModelRecord.publicKey", limit: WireLimits.certificateBytes),
            distillation: try Read.optionalPart(raw.distillation),
            collectedUnix: raw.collected_unix)
    }

    func fill(_ raw: inout Tributary__V1__ModelRecord, in arena: Arena) throws(Fault) {
        raw.model = try arena.optionalMessage(model)
        raw.round = round
        raw.accuracy = accuracy
        raw.created_unix = createdUnix
        raw.parent_version = parentVersion
        raw.has_parent = hasParent ? 1 : 0
        (raw.files, raw.n_files) = try arena.messages(
            files, "ModelRecord.files", limit: WireLimits.files)
        raw.public_key = try arena.bytes(
            publicKey, "ModelRecord.publicKey", limit: WireLimits.certificateBytes)
        raw.distillation = try arena.optionalMessage(distillation)
        raw.collected_unix = collectedUnix
    }
}

extension ModelFile: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ModelFile>) {
        tributary__v1__model_file__init(raw)
    }

    init(raw: Tributary__V1__ModelFile) throws(Fault) {
        self.init(
            name: try Read.text(raw.name, "ModelFile.name"),
            digest: try Read.digest(raw.digest, "ModelFile.digest"),
            size: raw.size)
    }

    func fill(_ raw: inout Tributary__V1__ModelFile, in arena: Arena) throws(Fault) {
        raw.name = try arena.text(name, "ModelFile.name")
        raw.digest = try arena.digest(digest, "ModelFile.digest")
        raw.size = size
    }
}

extension RoundRecords: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__RoundRecords>) {
        tributary__v1__round_records__init(raw)
    }

    init(raw: Tributary__V1__RoundRecords) throws(Fault) {
        self.init(
            items: try Read.messages(
                raw.items, raw.n_items, "RoundRecords.items", limit: WireLimits.items),
            more: raw.more != 0)
    }

    func fill(_ raw: inout Tributary__V1__RoundRecords, in arena: Arena) throws(Fault) {
        (raw.items, raw.n_items) = try arena.messages(
            items, "RoundRecords.items", limit: WireLimits.items)
        raw.more = more ? 1 : 0
    }
}

extension ModelRecords: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ModelRecords>) {
        tributary__v1__model_records__init(raw)
    }

    init(raw: Tributary__V1__ModelRecords) throws(Fault) {
        self.init(
            items: try Read.messages(
                raw.items, raw.n_items, "ModelRecords.items", limit: WireLimits.items),
            more: raw.more != 0)
    }

    func fill(_ raw: inout Tributary__V1__ModelRecords, in arena: Arena) throws(Fault) {
        (raw.items, raw.n_items) = try arena.messages(
            items, "ModelRecords.items", limit: WireLimits.items)
        raw.more = more ? 1 : 0
    }
}
