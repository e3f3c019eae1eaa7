import Cryptography
package import Federation

/// Binds a round to the updates it added without telling how many there were, or whose: a Merkle
/// root over salted commitments, one a slot, in slots whose number the plan alone decides.
///
/// Slots that no update fills hold dummies. Salts, dummies and the order of the slots all come from
/// a secret of the round, so that without it neither the root nor an opened slot tells anything of
/// the others. With its salt, an agent's update is the only one that opens its slot.
package struct UpdateCommitments: Sendable {
    /// Bytes of a round's secret.
    package static let secretBytes = 32
    /// Bytes of a commitment; a slot holds one, or when there are more updates than slots several.
    private static let commitmentBytes = Digest.byteCount
    private static let capacities = 64...65_536

    /// What shows an agent, or whoever it shows it to, that its update was added.
    package struct Opening: Sendable, Equatable {
        package let slot: UInt64
        package let salt: [UInt8]
        /// The commitments before and after the agent's in its slot; both are empty unless there
        /// were more updates than slots.
        package let before: [UInt8]
        package let after: [UInt8]
        /// From the slot to the root.
        package let path: [Digest]
    }

    package let root: Digest
    /// The number of slots: a power of two.
    package let capacity: Int
    private let secret: [UInt8]
    /// The commitments of each slot, one after another.
    private let slots: [[UInt8]]
    /// Each agent's slot, and where in it its commitment begins.
    private let places: [AgentID: (slot: Int, offset: Int)]

    /// The number of slots for rounds of `plan`: a power of two, four times the expected cohort or
    /// more, as far as that is reasonable.
    package static func capacity(for plan: Plan) -> Int {
        let expected =
            plan.privacy?.denominator ?? Double(plan.round.agents) * plan.round.overSelection
        var capacity = capacities.lowerBound
        while Double(capacity) < 4 * expected, capacity < capacities.upperBound { capacity *= 2 }
        return capacity
    }

    /// Commits to the update of each agent.
    ///
    /// - Parameters:
    ///   - secret: 32 random bytes that are kept; the same ones give the same root again.
    ///   - contributions: agents and the digests of their updates, in any order.
    ///   - capacity: the plan's.
    package init(
        secret: [UInt8], contributions: [(agent: AgentID, update: Digest)], capacity: Int
    ) {
        let real = contributions.map { contribution in
            Entry(
                order: Self.order(secret, "update \(contribution.agent)"),
                agent: contribution.agent,
                commitment: Self.commitment(
                    to: contribution.update, of: contribution.agent,
                    salt: Self.salt(secret, contribution.agent)))
        }
        let dummies = (0..<max(0, capacity - real.count)).map { index in
            Entry(
                order: Self.order(secret, "dummy \(index)"), agent: nil,
                commitment: hmacSHA256(key: secret, Array("commit dummy \(index)".utf8)))
        }
        var slots = [[UInt8]](repeating: [], count: capacity)
        var places: [AgentID: (slot: Int, offset: Int)] = [:]
        for (index, entry) in (real + dummies).sorted(by: Entry.isOrdered).enumerated() {
            let slot = index % capacity
            if let agent = entry.agent { places[agent] = (slot, slots[slot].count) }
            slots[slot] += entry.commitment
        }
        self.init(secret: secret, slots: slots, places: places)
    }

    private init(
        secret: [UInt8], slots: [[UInt8]], places: [AgentID: (slot: Int, offset: Int)]
    ) {
        self.secret = secret
        self.slots = slots
        self.places = places
        capacity = slots.count
        root = Self.path(from: nil, in: slots).root
    }

    /// What `agent` needs to show that its update was added; nil when none was.
    package func opening(of agent: AgentID) -> Opening? {
        guard let place = places[agent] else { return nil }
        let slot = slots[place.slot]
        return Opening(
            slot: UInt64(place.slot), salt: Self.salt(secret, agent),
            before: Array(slot[..<place.offset]),
            after: Array(slot[(place.offset + Self.commitmentBytes)...]),
            path: Self.path(from: place.slot, in: slots).hashes)
    }

    /// Whether `opening` shows that the round with this root and capacity added this update of this
    /// agent. Any opening is safe to pass.
    package static func verify(
        _ opening: Opening, agent: AgentID, update: Digest, root: Digest, capacity: Int
    ) -> Bool {
        guard opening.salt.count == secretBytes,
            opening.before.count.isMultiple(of: commitmentBytes),
            opening.after.count.isMultiple(of: commitmentBytes)
        else { return false }
        let commitment = commitment(to: update, of: agent, salt: opening.salt)
        return LogTree.includes(
            leaf: Merkle.leafHash(opening.before + commitment + opening.after),
            index: opening.slot, size: UInt64(clamping: capacity), path: opening.path, root: root)
    }

    private struct Entry {
        let order: [UInt8]
        let agent: AgentID?
        let commitment: [UInt8]

        static func isOrdered(_ left: Entry, _ right: Entry) -> Bool {
            left.order.lexicographicallyPrecedes(right.order)
        }
    }

    private static func order(_ secret: [UInt8], _ what: String) -> [UInt8] {
        hmacSHA256(key: secret, Array("order \(what)".utf8))
    }

    private static func salt(_ secret: [UInt8], _ agent: AgentID) -> [UInt8] {
        hmacSHA256(key: secret, Array("salt \(agent)".utf8))
    }

    private static func commitment(
        to update: Digest, of agent: AgentID, salt: [UInt8]
    ) -> [UInt8] {
        hmacSHA256(key: salt, update.bytes + Array(agent.name.utf8))
    }

    /// The root, and on the way from `slot` to it the hash of each node's sibling.
    private static func path(
        from slot: Int?, in slots: [[UInt8]]
    ) -> (root: Digest, hashes: [Digest]) {
        var level = slots.map(Merkle.leafHash)
        var index = slot
        var hashes: [Digest] = []
        while level.count > 1 {
            if let position = index {
                hashes.append(level[position ^ 1])
                index = position / 2
            }
            level = stride(from: 0, to: level.count, by: 2).map {
                Merkle.nodeHash(level[$0], level[$0 + 1])
            }
        }
        return (level.first ?? Merkle.emptyRoot, hashes)
    }
}
