import Cryptography
import Federation
import Provenance
import Registry

/// What the log says about model-signing keys, authorities and trust sets.
///
/// The leaves decide and the trust set follows: after a crash between the two, the next start makes the set that the
/// leaves call for.
struct KeyHistory {
    /// What became of a model-signing key.
    struct ModelKey: Equatable {
        /// The position of its keyAdded leaf; nil when that is older than what was read.
        var added: UInt64?
        /// The position of its last keyRetired leaf: an earlier one was not followed by a trust set.
        var retired: UInt64?
        /// What its revocations come to together.
        var revoked: Revocation?
    }

    /// Since when a key is not believed, in Unix seconds, and the first position that does not count: of several
    /// keyRevoked leaves, the earliest.
    struct Revocation: Equatable {
        let sinceUnix: UInt64
        let from: UInt64
    }

    /// By the SHA-256 of the key's SubjectPublicKeyInfo.
    private(set) var modelKeys: [Digest: ModelKey] = [:]
    /// Added and not retired, newest first, likewise.
    private(set) var addedAuthorities: [Digest] = []
    private(set) var retiredAuthorities: Set<Digest> = []
    /// The digests of the sets that were logged, by version.
    private(set) var trustSets: [UInt64: Digest] = [:]

    /// The `use` of a key that signs models, in the leaves.
    static let modelSigning = "model-signing"
    /// How many leaves are read at once.
    private static let page = 4096

    /// Reads the log from position `first`.
    static func read(_ registry: Registry, from first: UInt64) async throws(Fault) -> KeyHistory {
        var history = KeyHistory()
        let kinds: Set<FleetEvent.Kind> = [
            .keyAdded, .keyRetired, .keyRevoked, .authorityAdded, .authorityRetired,
            .trustSetSigned,
        ]
        try await forEachLeaf(of: kinds, in: registry, from: first) { history.take($0, at: $1) }
        return history
    }

    /// Calls `body` with every leaf of these kinds from position `first` and its position.
    static func forEachLeaf(
        of kinds: Set<FleetEvent.Kind>, in registry: Registry, from first: UInt64,
        _ body: (LeafFields, UInt64) -> Void
    ) async throws(Fault) {
        // Few of a long log's leaves are of interest; the others are not parsed.
        let beginnings = kinds.map { Array("{\"event\":\"\($0.rawValue)\"".utf8) }
        var next = first
        while true {
            let events = try await registry.events(from: next, limit: page)
            for event in events {
                guard beginnings.contains(where: { event.leaf.starts(with: $0) }),
                    let fields = LeafFields(event.leaf)
                else { continue }
                body(fields, event.index)
            }
            guard let last = events.last, events.count == page else { return }
            next = last.index + 1
        }
    }

    /// Takes in the leaf at `position`; others than those about keys change nothing.
    mutating func take(_ leaf: LeafFields, at position: UInt64) {
        switch FleetEvent.Kind(rawValue: leaf.event) {
        case .keyAdded:
            change(leaf) { $0.added = $0.added ?? position }
        case .keyRetired:
            change(leaf) { $0.retired = position }
        case .keyRevoked:
            guard let since = leaf.number("since"), let from = leaf.number("from") else { return }
            change(leaf) {
                $0.revoked = Revocation(
                    sinceUnix: min(since, $0.revoked?.sinceUnix ?? since),
                    from: min(from, $0.revoked?.from ?? from))
            }
        case .authorityAdded:
            guard let authority = leaf.text("authority").flatMap(Digest.init(hex:)) else { return }
            addedAuthorities.insert(authority, at: 0)
        case .authorityRetired:
            guard let authority = leaf.text("authority").flatMap(Digest.init(hex:)) else { return }
            addedAuthorities.removeAll { $0 == authority }
            retiredAuthorities.insert(authority)
        case .trustSetSigned:
            guard let version = leaf.number("version"),
                let digest = leaf.text("digest").flatMap(Digest.init(hex:))
            else { return }
            trustSets[version] = digest
        default: break
        }
    }

    private mutating func change(_ leaf: LeafFields, _ body: (inout ModelKey) -> Void) {
        guard leaf.text("use") == KeyHistory.modelSigning,
            let key = leaf.text("key").flatMap(Digest.init(hex:))
        else { return }
        body(&modelKeys[key, default: ModelKey()])
    }

    /// The model keys that follow those of `set`, in its order, new ones last.
    ///
    /// - Parameter known: keys that may be new; a leaf names a key only by its digest.
    func modelKeys(after set: TrustSet, known: [PublicKey]) -> [TrustSet.ModelKey] {
        var keys = set.modelKeys
        for key in known {
            guard !keys.contains(where: { $0.key == key }),
                let added = modelKeys[key.spkiDigest]?.added
            else { continue }
            keys.append(TrustSet.ModelKey(key: key, from: added))
        }
        let next = keys.map { key in
            ended(key, at: [modelKeys[key.key.spkiDigest]?.retired])
        }
        // A retirement whose new key was lost before it signed did not happen.
        return next.contains { $0.until == nil } ? next : keys.map { ended($0, at: []) }
    }

    private func ended(_ key: TrustSet.ModelKey, at positions: [UInt64?]) -> TrustSet.ModelKey {
        let revoked = modelKeys[key.key.spkiDigest]?.revoked
        let ends = (positions + [key.until, revoked?.from]).compactMap(\.self)
        return TrustSet.ModelKey(
            key: key.key, from: key.from, until: ends.min().map { max($0, key.from) },
            revokedUnix: [key.revokedUnix, revoked?.sinceUnix].compactMap(\.self).min())
    }

    /// The authorities that follow those of `set`, the issuing one first.
    ///
    /// - Parameter known: certificates of authorities that may be new.
    func authorities(after set: TrustSet, known: [Certificate]) -> [Certificate] {
        let new = addedAuthorities.compactMap { digest in
            known.first { $0.publicKey.spkiDigest == digest && !set.authorities.contains($0) }
        }
        return (new + set.authorities).filter {
            !retiredAuthorities.contains($0.publicKey.spkiDigest)
        }
    }
}
