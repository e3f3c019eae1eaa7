import Cryptography
import Federation
import Provenance
import Registry

/// A model version that a revocation takes the trust from.
package struct UntrustedModel: Sendable, Equatable {
    package let plan: String
    package let version: UInt64
    /// Of its leaf in the log.
    package let position: UInt64
}

extension KeyCustody {
    /// Takes the trust from what a retired key signed since a time.
    ///
    /// - Parameters:
    ///   - prefix: the beginning of the key's digest.
    ///   - sinceUnix: from the first leaf at or after it the key does not count.
    /// - Returns: the versions that are no longer trusted, oldest first.
    /// - Throws: `Fault.notFound` unless exactly one key begins so; `Fault.conflict` when it is the one that signs.
    mutating func revokeModelKey(
        _ prefix: String, sinceUnix: UInt64, reason: String
    ) async throws(Fault) -> [UntrustedModel] {
        let current = try await settleModelKey()
        let found = trust.trustSet.modelKeys.filter {
            $0.key.spkiDigest.hex.hasPrefix(prefix.lowercased())
        }
        guard let key = found.first, found.count == 1 else {
            throw Fault(
                .notFound,
                "\(found.isEmpty ? "no" : "more than one") model-signing key begins with"
                    + " '\(prefix)'",
                remedy: "`tributary-coordinator key list` shows them")
        }
        let digest = key.key.spkiDigest
        guard key.until != nil else {
            throw Fault(
                .conflict, "the key \(abbreviated(digest)) signs models: without it there is none",
                remedy: "replace it first: `tributary-coordinator key rotate`")
        }
        let first = try await registry.position(ofFirstEventSince: sinceUnix)
        try await record(
            .keyRevoked,
            [
                ("use", .text(KeyHistory.modelSigning)), ("key", .text(digest.hex)),
                ("since", .number(sinceUnix)), ("from", .number(first)), ("reason", .text(reason)),
            ])
        note("the key \(abbreviated(digest)) does not count from position \(first) of the log")
        try await followLog(using: [current])
        return try await untrusted(digest, from: first)
    }

    private func untrusted(_ key: Digest, from first: UInt64) async throws(Fault)
        -> [UntrustedModel]
    {
        var models: [UntrustedModel] = []
        try await KeyHistory.forEachLeaf(of: [.modelSigned], in: registry, from: first) {
            leaf, position in
            guard leaf.text("key") == key.hex, let plan = leaf.text("plan"),
                let version = leaf.number("version")
            else { return }
            models.append(UntrustedModel(plan: plan, version: version, position: position))
        }
        return models
    }
}
