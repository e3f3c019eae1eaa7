import CMessages
import Federation

extension SubmitProbe: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__SubmitProbe>) {
        tributary__v1__submit_probe__init(raw)
    }

    init(raw: Tributary__V1__SubmitProbe) throws(Fault) {
        self.init(
            round: raw.round,
            attempt: raw.attempt,
            submitToken: try Read.bytes(
                raw.submit_token, "SubmitProbe.submitToken", limit: WireLimits.tokenBytes),
            updateDigest: try Read.digest(raw.update_digest, "SubmitProbe.updateDigest"))
    }

    func fill(_ raw: inout Tributary__V1__SubmitProbe, in arena: Arena) throws(Fault) {
        raw.round = round
        raw.attempt = attempt
        raw.submit_token = try arena.bytes(
            submitToken, "SubmitProbe.submitToken", limit: WireLimits.tokenBytes)
        raw.update_digest = try arena.digest(updateDigest, "SubmitProbe.updateDigest")
    }
}

extension Metric: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__Metric>) {
        tributary__v1__metric__init(raw)
    }

    init(raw: Tributary__V1__Metric) throws(Fault) {
        self.init(
            name: try Read.text(raw.name, "Metric.name"),
            sum: raw.sum,
            count: raw.count)
    }

    func fill(_ raw: inout Tributary__V1__Metric, in arena: Arena) throws(Fault) {
        raw.name = try arena.text(name, "Metric.name")
        raw.sum = sum
        raw.count = count
    }
}

extension SubmitHeader: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__SubmitHeader>) {
        tributary__v1__submit_header__init(raw)
    }

    init(raw: Tributary__V1__SubmitHeader) throws(Fault) {
        self.init(
            round: raw.round,
            attempt: raw.attempt,
            submitToken: try Read.bytes(
                raw.submit_token, "SubmitHeader.submitToken", limit: WireLimits.tokenBytes),
            latticeId: try Read.digest(raw.lattice_id, "SubmitHeader.latticeId"),
            baseVersion: raw.base_version,
            examples: raw.examples,
            updatesSummed: raw.updates_summed,
            withinClip: raw.within_clip != 0,
            size: raw.size,
            updateDigest: try Read.digest(raw.update_digest, "SubmitHeader.updateDigest"),
            metrics: try Read.messages(
                raw.metrics, raw.n_metrics, "SubmitHeader.metrics", limit: WireLimits.metrics))
    }

    func fill(_ raw: inout Tributary__V1__SubmitHeader, in arena: Arena) throws(Fault) {
        raw.round = round
        raw.attempt = attempt
        raw.submit_token = try arena.bytes(
            submitToken, "SubmitHeader.submitToken", limit: WireLimits.tokenBytes)
        raw.lattice_id = try arena.digest(latticeId, "SubmitHeader.latticeId")
        raw.base_version = baseVersion
        raw.examples = examples
        raw.updates_summed = updatesSummed
        raw.within_clip = withinClip ? 1 : 0
        raw.size = size
        raw.update_digest = try arena.digest(updateDigest, "SubmitHeader.updateDigest")
        (raw.metrics, raw.n_metrics) = try arena.messages(
            metrics, "SubmitHeader.metrics", limit: WireLimits.metrics)
    }
}

extension SubmitChunk: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__SubmitChunk>) {
        tributary__v1__submit_chunk__init(raw)
    }

    init(raw: Tributary__V1__SubmitChunk) throws(Fault) {
        self.init(
            offset: raw.offset,
            data: try Read.bytes(raw.data, "SubmitChunk.data", limit: WireLimits.chunkBytes))
    }

    func fill(_ raw: inout Tributary__V1__SubmitChunk, in arena: Arena) throws(Fault) {
        raw.offset = offset
        raw.data = try arena.chunk("SubmitChunk.data")
    }
}

extension SubmitFinish: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__SubmitFinish>) {
        tributary__v1__submit_finish__init(raw)
    }

    init(raw: Tributary__V1__SubmitFinish) {
        self.init(
            round: raw.round,
            attempt: raw.attempt)
    }

    func fill(_ raw: inout Tributary__V1__SubmitFinish, in arena: Arena) {
        raw.round = round
        raw.attempt = attempt
    }
}

extension SubmitStatus: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__SubmitStatus>) {
        tributary__v1__submit_status__init(raw)
    }

    init(raw: Tributary__V1__SubmitStatus) throws(Fault) {
        self.init(
            verdict: try knownVerdict(raw.verdict),
            offset: raw.offset,
            reason: try Read.text(raw.reason, "SubmitStatus.reason"),
            retrySeconds: raw.retry_seconds)
    }

    func fill(_ raw: inout Tributary__V1__SubmitStatus, in arena: Arena) throws(Fault) {
        raw.verdict = Tributary__V1__SubmitStatus__Verdict(rawValue: verdict.rawValue)
        raw.offset = offset
        raw.reason = try arena.text(reason, "SubmitStatus.reason")
        raw.retry_seconds = retrySeconds
    }
}

/// - Throws: `Fault.invalid` for a number outside the enumeration, which C lets through.
private func knownVerdict(
    _ raw: Tributary__V1__SubmitStatus__Verdict
) throws(Fault) -> SubmitStatus.Verdict {
    guard let verdict = SubmitStatus.Verdict(rawValue: raw.rawValue) else {
        throw Fault(.invalid, "SubmitStatus.verdict is \(raw.rawValue), which has no meaning")
    }
    return verdict
}
