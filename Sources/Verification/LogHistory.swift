import Federation
import Provenance

/// What the leaves of a log say of models, budgets and keys.
struct LogHistory {
    /// A `roundSealed` leaf.
    struct SealedRound {
        let position: UInt64
        let plan: PlanID
        let at: RoundAttempt
        /// The Merkle root over update commitments; nil in leaves from before there were any.
        let updates: Digest?
        let capacity: UInt64?
    }

    /// A `keyAdded`, `keyRetired` or `keyRevoked` leaf for keys that sign models.
    struct KeyEvent {
        let kind: FleetEvent.Kind
        let position: UInt64
        let key: Digest
        /// From which position a revoked key's signatures do not count.
        let from: UInt64?
        let since: UInt64?
    }

    /// A leaf that is not what its kind of leaf must be.
    struct Malformed {
        let position: UInt64
        let what: String
    }

    /// Each plan's, in the log's order.
    private(set) var models: [PlanID: [ModelLeaf]] = [:]
    /// In the log's order.
    private(set) var charges: [BudgetCharge] = []
    private(set) var sealedRounds: [SealedRound] = []
    private(set) var keyEvents: [KeyEvent] = []
    /// The digest that each version of the trust set has, with the leaf that says so.
    private(set) var trustSets: [UInt64: (digest: Digest, position: UInt64)] = [:]
    /// The digests of each plan's texts, with the leaves from which they hold.
    private(set) var plans: [PlanID: [(digest: Digest, position: UInt64)]] = [:]
    /// The first leaf's fleet and log key, when it is `fleetCreated`.
    private(set) var fleet: (name: String, log: String)?
    /// Up to this position leaves are from before the log was signed, and say less.
    private(set) var migratedAt: UInt64?
    private(set) var malformed: [Malformed] = []
    /// Leaves of each kind.
    private(set) var counts: [String: Int] = [:]
    private(set) var firstTime: UInt64?
    private(set) var lastTime: UInt64 = 0
    /// How often a leaf is older than one before it, and by how many seconds at most.
    private(set) var backwards: (count: Int, most: UInt64) = (0, 0)

    /// The most malformed leaves that are remembered.
    private static let mostMalformed = 16

    /// Reads every leaf of `log`, and with them every tile.
    ///
    /// - Throws: as `TileLog.leaves`.
    init(of log: inout TileLog<some LogSource>) throws(Fault) {
        let size = log.checkpoint.size
        var position: UInt64 = 0
        while position < size {
            let count = Int(min(UInt64(TilePath.fullWidth), size - position))
            for leaf in try log.leaves(from: position, count: count) {
                read(leaf, at: position)
                position += 1
            }
        }
    }

    private mutating func read(_ leaf: [UInt8], at position: UInt64) {
        guard let fields = LeafFields(leaf) else {
            return note(position, "is not an event")
        }
        counts[fields.event, default: 0] += 1
        readTime(fields.time)
        // A kind that a later version of this software writes is no reason to refuse the log.
        guard let kind = FleetEvent.Kind(rawValue: fields.event) else { return }
        guard read(fields, kind, at: position) else {
            return note(position, "is no proper \(fields.event)")
        }
    }

    private mutating func note(_ position: UInt64, _ what: String) {
        guard malformed.count < Self.mostMalformed else { return }
        malformed.append(Malformed(position: position, what: what))
    }

    private mutating func readTime(_ time: UInt64) {
        if firstTime == nil { firstTime = time }
        if time < lastTime {
            backwards = (backwards.count + 1, max(backwards.most, lastTime - time))
        }
        lastTime = max(lastTime, time)
    }

    /// - Returns: false when a field that is needed is missing or malformed.
    private mutating func read(
        _ fields: LeafFields, _ kind: FleetEvent.Kind, at position: UInt64
    ) -> Bool {
        switch kind {
        case .fleetCreated: return readFleet(fields, at: position)
        case .modelSigned:
            guard let leaf = ModelLeaf(fields, position: position) else { return false }
            models[leaf.plan, default: []].append(leaf)
        case .budgetCharged:
            guard let charge = BudgetCharge(fields, position: position) else { return false }
            charges.append(charge)
        case .roundSealed: return readRound(fields, at: position)
        case .planApplied:
            guard let plan = fields.text("plan").flatMap(PlanID.init),
                let digest = fields.digest("digest")
            else { return false }
            plans[plan, default: []].append((digest, position))
        case .keyAdded, .keyRetired, .keyRevoked: return readKey(fields, kind, at: position)
        case .trustSetSigned:
            guard let version = fields.number("version"), let digest = fields.digest("digest")
            else { return false }
            trustSets[version] = (digest, position)
        case .registrySealed: migratedAt = position
        default: break
        }
        return true
    }

    private mutating func readFleet(_ fields: LeafFields, at position: UInt64) -> Bool {
        guard let name = fields.text("fleet"), let log = fields.text("log") else { return false }
        if position == 0 { fleet = (name, log) }
        return true
    }

    private mutating func readRound(_ fields: LeafFields, at position: UInt64) -> Bool {
        guard let plan = fields.text("plan").flatMap(PlanID.init),
            let at = fields.roundAttempt
        else { return false }
        sealedRounds.append(
            SealedRound(
                position: position, plan: plan, at: at,
                updates: fields.digest("updates"), capacity: fields.number("capacity")))
        return true
    }

    private mutating func readKey(
        _ fields: LeafFields, _ kind: FleetEvent.Kind, at position: UInt64
    ) -> Bool {
        guard let use = fields.text("use") else { return false }
        guard use == "model-signing" else { return true }
        guard let key = fields.digest("key") else { return false }
        let event = KeyEvent(
            kind: kind, position: position, key: key, from: fields.number("from"),
            since: fields.number("since"))
        guard kind != .keyRevoked || (event.from != nil && event.since != nil) else { return false }
        keyEvents.append(event)
        return true
    }
}
