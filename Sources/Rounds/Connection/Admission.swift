package import Federation

/// Who may connect, and when each handshake begins.
///
/// Sans-IO: the shell tells it who arrives, who turns out to be who, and who leaves. Handshakes are what a crowd of peers
/// costs most, so they begin at a bounded rate, in turns among the addresses that wait: a crowd behind one address delays
/// nobody behind another. Who a peer is shows only after its handshake, so there are places beyond those of the agents:
/// a person gets one of them, an agent is sent away again. Peers without a certificate, who may enrol, never get all of
/// them, and of whatever is left one address gets no more than half for peers that nobody knows.
package struct Admission: Sendable {
    package struct Limits: Sendable, Equatable {
        package let agents: Int
        /// Agents that are connected from one address.
        package let perAddress: Int
        /// Places beyond `agents`.
        package let reserve: Int
        /// Of the reserve, for peers without a certificate.
        package let strangers: Int
        package let handshakesPerSecond: Int
        package let handshakesPerSecondPerAddress: Int
        /// How long a peer may wait for its handshake to begin.
        package let waitSeconds: Double

        package init(
            agents: Int, perAddress: Int, reserve: Int, strangers: Int,
            handshakesPerSecond: Int, handshakesPerSecondPerAddress: Int, waitSeconds: Double
        ) {
            self.agents = agents
            self.perAddress = perAddress
            self.reserve = reserve
            self.strangers = strangers
            self.handshakesPerSecond = handshakesPerSecond
            self.handshakesPerSecondPerAddress = handshakesPerSecondPerAddress
            self.waitSeconds = waitSeconds
        }
    }

    /// What is to be done about connections that wait.
    package struct Turn: Sendable, Equatable {
        /// Their handshakes begin.
        package var begin: [UInt64] = []
        /// They have waited too long, and their peers have surely gone: they are closed.
        package var close: [UInt64] = []
        /// When to ask again; nil when nobody waits.
        package var again: MonotonicInstant?
    }

    private enum Standing {
        case waiting(since: MonotonicInstant)
        /// Its handshake runs, or it was sent away.
        case unknown
        /// It has no certificate.
        case stranger
        case agent
        case person
    }

    private struct Visitor {
        let address: String
        var standing: Standing
    }

    /// What is known of an address that somebody is connected from.
    private struct Origin {
        /// Everybody but people.
        var count = 0
        var agents = 0
        var strangers = 0
        var waiting = Queue<UInt64>()
        var bucket: TokenBucket
        var isInTurn = false
    }

    /// Where an address has as many agents as it may, so many more may still ask: a person could be among them.
    private static let spare = 8

    package let limits: Limits
    private var visitors: [UInt64: Visitor] = [:]
    private var origins: [String: Origin] = [:]
    /// Addresses from which somebody waits, in the order of their turns.
    private var turns = Queue<String>()
    private var bucket: TokenBucket
    /// Agents that may stay.
    package private(set) var agents = 0
    package private(set) var people = 0
    /// Peers without a certificate.
    private var strangers = 0

    package init(limits: Limits, now: MonotonicInstant) {
        self.limits = limits
        bucket = TokenBucket(rate: limits.handshakesPerSecond, now: now)
    }

    /// Everybody who is connected or waits.
    package var count: Int { visitors.count }

    /// Whether no place is left, not even to ask who comes: connections then wait where the operating system keeps them.
    package var isFull: Bool { places <= 0 }

    private var places: Int { limits.agents + limits.reserve - (visitors.count - people) }

    /// Somebody connected. Returns whether it may wait for its turn; else it is closed.
    package mutating func arrived(
        _ id: UInt64, from address: String, now: MonotonicInstant
    ) -> Bool {
        if origins.count > 2 * visitors.count + 64 { forgetOrigins(now: now) }
        var origin =
            origins[address]
            ?? Origin(bucket: TokenBucket(rate: limits.handshakesPerSecondPerAddress, now: now))
        defer { origins[address] = origin }
        guard origin.count < limits.perAddress + Self.spare,
            origin.count - origin.agents < places
        else { return false }
        visitors[id] = Visitor(address: address, standing: .waiting(since: now))
        origin.count += 1
        origin.waiting.append(id)
        if !origin.isInTurn {
            origin.isInTurn = true
            turns.append(address)
        }
        return true
    }

    /// Whose handshakes begin now.
    package mutating func turn(now: MonotonicInstant) -> Turn {
        var turn = Turn()
        /// Addresses that have had as many handshakes as they may for now.
        var rested: [String] = []
        var soonest = Double.infinity
        while let address = turns.first {
            let wait = bucket.secondsToNext(now: now)
            if wait > 0 {
                soonest = wait
                break
            }
            turns.removeFirst()
            guard var origin = origins[address] else { continue }
            // Its place is taken out while it is changed, so that its queue is not copied.
            origins[address] = nil
            if let id = next(of: &origin, now: now, closing: &turn.close) {
                if origin.bucket.take(now: now) {
                    _ = bucket.take(now: now)
                    origin.waiting.removeFirst()
                    visitors[id]?.standing = .unknown
                    turn.begin.append(id)
                    turns.append(address)
                } else {
                    soonest = min(soonest, origin.bucket.secondsToNext(now: now))
                    rested.append(address)
                }
            } else {
                origin.isInTurn = false
            }
            origins[address] = origin
        }
        for address in rested { turns.append(address) }
        if !turns.isEmpty { turn.again = now.advanced(bySeconds: soonest) }
        return turn
    }

    /// The first of those that still wait there, which stays in the queue.
    private func next(
        of origin: inout Origin, now: MonotonicInstant, closing: inout [UInt64]
    ) -> UInt64? {
        while let id = origin.waiting.first {
            // One that has left is still in the queue.
            if case .waiting(let since)? = visitors[id]?.standing {
                if now.seconds(since: since) <= limits.waitSeconds { return id }
                closing.append(id)
            }
            origin.waiting.removeFirst()
        }
        return nil
    }

    /// A handshake is done and has shown an agent. Returns whether it may stay.
    package mutating func isAgent(_ id: UInt64) -> Bool {
        guard let address = unknown(id), let here = origins[address]?.agents,
            agents < limits.agents, here < limits.perAddress
        else { return false }
        visitors[id]?.standing = .agent
        agents += 1
        origins[address]?.agents += 1
        return true
    }

    /// A handshake is done and has shown no certificate. Returns whether the peer may stay, to enrol.
    package mutating func isStranger(_ id: UInt64) -> Bool {
        guard let address = unknown(id), let here = origins[address]?.strangers,
            // One address leaves as many places as it takes.
            here < limits.strangers - strangers
        else { return false }
        visitors[id]?.standing = .stranger
        strangers += 1
        origins[address]?.strangers += 1
        return true
    }

    /// A handshake is done and has shown a person, who may stay whatever the fleet does.
    package mutating func isPerson(_ id: UInt64) {
        guard let address = unknown(id) else { return }
        visitors[id]?.standing = .person
        people += 1
        origins[address]?.count -= 1
    }

    /// The address of a connection whose handshake has begun and of which nothing is known.
    private func unknown(_ id: UInt64) -> String? {
        guard let visitor = visitors[id], case .unknown = visitor.standing else { return nil }
        return visitor.address
    }

    /// The connection ended, in whatever state.
    package mutating func left(_ id: UInt64, now: MonotonicInstant) {
        guard let visitor = visitors.removeValue(forKey: id) else { return }
        switch visitor.standing {
        case .waiting, .unknown: break
        case .stranger:
            strangers -= 1
            origins[visitor.address]?.strangers -= 1
        case .agent:
            agents -= 1
            origins[visitor.address]?.agents -= 1
        case .person: people -= 1
        }
        if case .person = visitor.standing {} else { origins[visitor.address]?.count -= 1 }
        forget(visitor.address, now: now)
    }

    /// An address is forgotten when nobody is there and coming back would not give it a fuller bucket.
    private mutating func forget(_ address: String, now: MonotonicInstant) {
        guard var origin = origins[address], origin.count == 0, !origin.isInTurn,
            origin.bucket.isFull(now: now)
        else { return }
        origins[address] = nil
    }

    private mutating func forgetOrigins(now: MonotonicInstant) {
        for address in Array(origins.keys) { forget(address, now: now) }
    }
}
