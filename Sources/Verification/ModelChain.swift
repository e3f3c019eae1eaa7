import Federation
import Provenance

/// Follows a plan's versions from one to the one it was made from, back to version 0.
struct ModelChain {
    /// A plan's leaves, in the log's order.
    let leaves: [ModelLeaf]
    let keys: SigningKeys
    /// Up to this position leaves name neither parent nor key.
    let migratedAt: UInt64?

    /// Checks that versions count up from 0, that every parent is an earlier version, and that
    /// each leaf's key counted there.
    ///
    /// A key that was revoked later counts for a version that a later one, signed with a key that
    /// counts, was made from: whoever signed that answers for it.
    ///
    /// - Parameters:
    ///   - position: of the version to follow back.
    ///   - mayBeDisowned: whether that version may itself be signed with a key that was revoked
    ///     later: a log may say so, a model that is to be used may not.
    /// - Returns: what was found, for a person.
    /// - Throws: `Fault.untrusted` naming the first leaf that is wrong; `Fault.unavailable` when the
    ///   trust set is too old to tell.
    func check(
        upTo position: UInt64, mayBeDisowned: Bool = false
    ) throws(Fault) -> String {
        let leaves = leaves.prefix { $0.position <= position }
        guard let newest = leaves.last, newest.position == position else {
            throw wrong("the log has no model's leaf at \(position)")
        }
        for (version, leaf) in leaves.enumerated() {
            guard leaf.version == UInt64(version) else {
                throw wrong("\(leaf.words) comes where version \(version) belongs")
            }
            try checkParent(of: leaf, among: leaves)
        }
        var disowned: [ModelLeaf] = []
        var next: ModelLeaf? = newest
        while let leaf = next {
            if let words = try doubt(about: leaf) {
                guard leaf != newest || mayBeDisowned else { throw wrong(words) }
                disowned.append(leaf)
            }
            next = leaf.parentVersion.map { leaves[Int($0)] } ?? ancestor(of: leaf, among: leaves)
        }
        return detail(newest, disowned)
    }

    private func detail(_ newest: ModelLeaf, _ disowned: [ModelLeaf]) -> String {
        var text = "\(newest.plan) versions 0 to \(newest.version)"
        if !disowned.isEmpty {
            text += "; signed with a key that was revoked later: "
            text += disowned.reversed().map(\.words).joined(separator: ", ")
        }
        return text
    }

    private func isOld(_ leaf: ModelLeaf) -> Bool { migratedAt.map { leaf.position < $0 } ?? false }

    /// Of a leaf that does not name its parent, because none did.
    private func ancestor(
        of leaf: ModelLeaf, among leaves: ArraySlice<ModelLeaf>
    ) -> ModelLeaf? {
        leaf.version > 0 && isOld(leaf) ? leaves[Int(leaf.version) - 1] : nil
    }

    private func checkParent(
        of leaf: ModelLeaf, among leaves: ArraySlice<ModelLeaf>
    ) throws(Fault) {
        guard let parent = leaf.parent, let version = leaf.parentVersion else {
            guard leaf.version == 0 || isOld(leaf) else {
                throw wrong("\(leaf.words) names no parent")
            }
            return
        }
        guard version < leaf.version else {
            throw wrong("\(leaf.words) names version \(version) as its parent")
        }
        guard leaves[Int(version)].model == parent else {
            throw wrong(
                "\(leaf.words) was made from \(parent), and version \(version) is"
                    + " \(leaves[Int(version)].model)")
        }
    }

    /// Why the leaf's key does not count there though it did when it was logged; nil when it does.
    private func doubt(about leaf: ModelLeaf) throws(Fault) -> String? {
        guard let key = leaf.key else {
            guard isOld(leaf) else { throw wrong("\(leaf.words) names no signing key") }
            return nil
        }
        switch keys.standing(of: key, at: leaf.position) {
        case .counts: return nil
        case .revokedLater:
            return "\(leaf.words) is signed with a key that was revoked from before it on"
        case .untrusted:
            throw Fault(
                .unavailable,
                "\(leaf.words) is signed with a key that the log adds and the trust set does not hold",
                remedy: "get the fleet's newest trust set")
        case .unknown: throw wrong("\(leaf.words) is signed with an unknown key")
        case .over: throw wrong("\(leaf.words) is signed with a key that did not count there")
        }
    }
}
