import Cryptography
import Federation
import Provenance

/// The keys that sign models, each with the part of the log in which it counts.
struct SigningKeys {
    /// What a key's signature is worth at a position.
    enum Standing {
        case counts
        /// It counted when the leaf was logged, and was revoked later from before it on.
        case revokedLater
        /// Not yet, or no longer.
        case over
        /// The log adds it, and the trust set does not hold it.
        case untrusted
        case unknown
    }

    private struct Span {
        let from: UInt64
        let until: UInt64?
        /// Where it ended for whoever did not know yet that it would be revoked.
        let retired: UInt64?
    }

    private var spans: [Digest: Span] = [:]
    /// Keys that the log adds.
    private let added: Set<Digest>

    /// The keys that the log itself names.
    init(_ events: [LogHistory.KeyEvent]) {
        added = []
        for event in events where event.kind == .keyAdded && spans[event.key] == nil {
            let ends = Ends(of: event.key, in: events)
            spans[event.key] = Span(
                from: event.position, until: ends.until(event.position), retired: ends.retired)
        }
    }

    /// The keys of a trust set; the log may know of later revocations.
    init(_ trust: TrustSet, _ events: [LogHistory.KeyEvent]) {
        added = Set(events.filter { $0.kind == .keyAdded }.map(\.key))
        for key in trust.modelKeys {
            let digest = key.key.spkiDigest
            let ends = Ends(of: digest, in: events)
            spans[digest] = Span(
                from: key.from, until: [key.until, ends.revoked].compactMap(\.self).min(),
                retired: ends.retired)
        }
    }

    /// What the log says of a key's end.
    private struct Ends {
        /// The last `keyRetired` leaf: an earlier one was not followed by a trust set.
        let retired: UInt64?
        /// The first position that a revocation takes, and since when it does, in Unix seconds.
        let revoked: UInt64?
        let since: UInt64?

        init(of key: Digest, in events: [LogHistory.KeyEvent]) {
            let events = events.filter { $0.key == key }
            retired = events.last { $0.kind == .keyRetired }?.position
            let revocations = events.filter { $0.kind == .keyRevoked }
            revoked = revocations.compactMap(\.from).min()
            since = revocations.compactMap(\.since).min()
        }

        func until(_ from: UInt64) -> UInt64? {
            [retired, revoked].compactMap(\.self).min().map { max($0, from) }
        }
    }

    func standing(of key: Digest, at position: UInt64) -> Standing {
        guard let span = spans[key] else { return added.contains(key) ? .untrusted : .unknown }
        guard span.from < position else { return .over }
        guard let until = span.until, position >= until else { return .counts }
        guard let retired = span.retired, position < retired else { return .over }
        return .revokedLater
    }

    /// Compares a trust set's keys with the events of the log.
    ///
    /// - Returns: what was found, for a person.
    /// - Throws: `Fault.untrusted` naming the first leaf or key that does not agree.
    static func check(_ trust: TrustSet, against history: LogHistory) throws(Fault) -> String {
        if let fleet = history.fleet {
            guard fleet.name == trust.fleet else {
                throw wrong("leaf 0 is of the fleet \(jsonString(fleet.name))")
            }
        }
        guard let signed = history.trustSets[trust.version] else {
            throw Fault(
                .unavailable, "the log does not hold trust set \(trust.version)",
                remedy: "give the log as it is now")
        }
        guard signed.digest == SHA256.digest(of: trust.document) else {
            throw wrong(
                "leaf \(signed.position) is of another trust set of version \(trust.version)")
        }
        let events = history.keyEvents.filter { $0.position < signed.position }
        for key in trust.modelKeys { try check(key, against: events) }
        var words = "\(trust.modelKeys.count) of trust set \(trust.version)"
        // A key may be lost before a trust set takes it in; nothing that it signs is believed.
        let known = Set(trust.modelKeys.map(\.key.spkiDigest))
        let unknown = Set(events.map(\.key)).subtracting(known).count
        if unknown > 0 { words += "; \(unknown) that it does not take in" }
        let newer = history.keyEvents.count - events.count
        if newer > 0 { words += "; \(newer) later events of keys: ask for a newer trust set" }
        return words
    }

    private static func check(
        _ key: TrustSet.ModelKey, against events: [LogHistory.KeyEvent]
    ) throws(Fault) {
        let digest = key.key.spkiDigest
        guard
            events.contains(where: {
                $0.kind == .keyAdded && $0.position == key.from && $0.key == digest
            })
        else { throw wrong("leaf \(key.from) does not add the key \(digest)") }
        guard let until = key.until else { return }
        let ends = Ends(of: digest, in: events)
        guard ends.until(key.from) == until else {
            throw wrong(
                "no leaf says that the key \(digest) ended at leaf \(until), as the trust set does")
        }
        guard ends.since == key.revokedUnix else {
            throw wrong("the log does not revoke the key \(digest) as the trust set does")
        }
    }
}
