import Cryptography
package import Federation
import Glibc
package import TLSClient
package import Wire

/// An admin's conversation with the coordinator over TLS.
package typealias AdminClient = AdminSession<TLSConnection>

/// An admin's conversation with the coordinator: one request, one answer, over any stream.
package struct AdminSession<Stream: ByteStream & ~Copyable>: ~Copyable {
    /// How long the coordinator may take for an answer, in seconds, besides what it was asked to
    /// wait.
    static var answerSeconds: Double { 60 }
    /// How long one request of `follow` lets the coordinator wait for news, in seconds.
    private static var newsSeconds: UInt32 { 20 }

    private var connection: FramedConnection<Stream>

    package init(_ stream: consuming Stream) { connection = FramedConnection(stream) }

    /// Carries out one command.
    ///
    /// - Parameter waitSeconds: what the command asks the coordinator to wait, in seconds.
    /// - Throws: the coordinator's own fault when it refuses, with the name that was probably meant when it knows of none
    ///   such; `unavailable` when the connection fails, `invalid` when the answer is none.
    package mutating func perform(
        _ request: AdminRequest, waitSeconds: UInt32 = 0
    ) throws(Fault) -> AdminResponse {
        do throws(Fault) {
            return try exchange(request, waitSeconds: waitSeconds)
        } catch  where error.code == .notFound {
            throw explained(error, of: request)
        }
    }

    /// Carries out one command, without looking for what else may have been meant.
    mutating func exchange(
        _ request: AdminRequest, waitSeconds: UInt32 = 0
    ) throws(Fault) -> AdminResponse {
        let answer = try connection.exchange(
            .adminRequest(request), timeoutSeconds: Self.answerSeconds + Double(waitSeconds))
        guard case .adminResponse(let response) = answer else { throw unexpectedAnswer() }
        return response
    }

    /// Every charge against the population of `plan`, however many answers that takes.
    ///
    /// - Throws: as `perform`.
    package mutating func ledger(plan: String) throws(Fault) -> LedgerRecord {
        var ledger: LedgerRecord?
        while true {
            let known = UInt64(ledger?.charges.count ?? 0)
            let answer = try perform(.ledgerShow(LedgerShow(plan: plan, after: known)))
            guard case .ledger(var record) = answer else { throw unexpectedAnswer() }
            let count = UInt64(record.charges.count)
            let isLast = count == 0 || known + count >= record.total
            record.charges = (ledger?.charges ?? []) + record.charges
            if isLast { return record }
            ledger = record
        }
    }

    /// The part of the content of `digest` that begins at `offset`.
    ///
    /// - Throws: as `perform`; `untrusted` when the piece is not the one asked for.
    mutating func blobChunk(_ digest: Digest, offset: UInt64) throws(Fault) -> BlobChunk {
        let answer = try connection.exchange(
            .blobRequest(BlobRequest(digest: digest.bytes, offset: offset)),
            timeoutSeconds: Self.answerSeconds)
        guard case .blobChunk(let chunk) = answer else { throw unexpectedAnswer() }
        guard chunk.digest == digest.bytes, chunk.offset == offset else {
            throw Fault(.untrusted, "the coordinator sent another piece than was asked for")
        }
        return chunk
    }

    /// Carries out one command; of a list every page, of a job every round, however many answers that takes.
    ///
    /// - Throws: as `perform`.
    package mutating func performWhole(_ request: AdminRequest) throws(Fault) -> AdminResponse {
        var whole = try perform(request)
        while let next = request.next(after: whole) {
            let page = try perform(next)
            whole = try whole.joined(with: page)
        }
        if case .job(let job) = whole { whole = .job(try allRounds(of: job)) }
        return whole
    }

    /// Asks again and again where `plan` stands, until it no longer prepares its first model.
    ///
    /// - Parameter news: called with every answer, `plan` itself first.
    /// - Returns: the plan's last state, `ready` or `failed`.
    package mutating func follow(
        _ plan: PlanRecord, news: (PlanRecord) -> Void
    ) throws(Fault) -> PlanRecord {
        var latest = plan
        news(latest)
        while latest.state == "preparing" {
            pauseIfUnnumbered(latest.revision)
            let show = PlanShow(
                plan: plan.plan, afterRevision: latest.revision, waitSeconds: Self.newsSeconds)
            let answer = try perform(.planShow(show), waitSeconds: Self.newsSeconds)
            guard case .plan(let record) = answer else { throw unexpectedAnswer() }
            latest = record
            news(latest)
        }
        return latest
    }

    /// Asks again and again where `job` stands, until it has ended.
    ///
    /// - Parameter news: called with every answer, `job` itself first.
    /// - Returns: the job's last state, `finished`, `failed` or `cancelled`.
    package mutating func follow(
        _ job: JobRecord, news: (JobRecord) -> Void
    ) throws(Fault) -> JobRecord {
        var latest = try allRounds(of: job)
        news(latest)
        while latest.isOpen {
            pauseIfUnnumbered(latest.revision)
            let watch = JobWatch(
                job: job.job, afterRevision: latest.revision, waitSeconds: Self.newsSeconds,
                afterRound: latest.lastEndedRound)
            let answer = try perform(.jobWatch(watch), waitSeconds: Self.newsSeconds)
            guard case .job(let record) = answer else { throw unexpectedAnswer() }
            latest = try allRounds(of: record.following(latest))
            news(latest)
        }
        return latest
    }

    /// `job` with every round that it started, however many answers that takes.
    ///
    /// - Throws: as `perform`.
    private mutating func allRounds(of job: JobRecord) throws(Fault) -> JobRecord {
        var whole = job
        while whole.moreRounds {
            let watch = JobWatch(job: job.job, afterRound: whole.lastEndedRound)
            let answer = try perform(.jobWatch(watch))
            guard case .job(let record) = answer,
                !record.moreRounds || record.lastEndedRound > whole.lastEndedRound
            else { throw unexpectedAnswer() }
            whole = record.following(whole)
        }
        return whole
    }

    /// Revision 0 asks for an answer at once, so a loop on it must pause by itself.
    private func pauseIfUnnumbered(_ revision: UInt64) {
        if revision == 0 { usleep(100_000) }
    }
}

extension AdminSession where Stream == TLSConnection {
    /// Connects with the credential in `directory`, see `AdminCredential`.
    ///
    /// - Throws: what `AdminCredential` and `TLSConnection.connect` throw.
    package static func connect(directory: String) throws(Fault) -> AdminClient {
        let credential = try AdminCredential(directory: directory)
        return AdminClient(
            try TLSConnection.connect(
                host: credential.address.host, port: credential.address.port,
                trust: .authorities(credential.authorities),
                identity: (credential.certificate, credential.key), timeoutSeconds: 10))
    }

    /// The TLS version in use, `TLSv1.3`.
    package mutating func tlsVersion() throws(Fault) -> String {
        try connection.withStream { (stream) throws(Fault) in stream.tlsVersion }
    }
}

/// The coordinator answered with a message that does not belong to the request.
package func unexpectedAnswer() -> Fault {
    Fault(
        .invalid, "the coordinator's answer does not fit the request",
        remedy: "use the same version of Tributary here and there")
}
