package import Federation

/// Memory for the updates that are being received: as many at a time as fit, the others are told to come later.
///
/// What a coordinator needs for a round is then its sum and this much, however many agents take part. An upload that stands
/// still loses its place when another agent wants one; its agent begins again when it comes back.
package struct UploadSlots: Sendable {
    private struct Holder {
        let bytes: Int
        let began: MonotonicInstant
        var moved: MonotonicInstant
    }

    private let capacity: Int
    private var holders: [AgentID: Holder] = [:]
    /// How often agents that wait were told to come later, and when they were last.
    private var waiting: [AgentID: (times: Int, last: MonotonicInstant)] = [:]
    /// How long an upload takes, smoothed over the last ones.
    private var typicalSeconds = 1.0
    /// Bytes that those with a place may take.
    package private(set) var bytes = 0

    /// An upload that has not moved for this long may lose its place.
    package static let stallSeconds = 10.0
    /// The longest that an agent is told to wait.
    package static let longestWaitSeconds = 30.0

    package enum Answer: Sendable, Equatable {
        /// It has a place; the uploads of `evicted` have lost theirs and are forgotten.
        case admitted(evicted: [AgentID])
        case later(seconds: Double)
    }

    /// - Parameter capacity: in bytes; one upload is always admitted, however large.
    package init(capacity: Int) { self.capacity = capacity }

    /// Uploads that have a place.
    package var count: Int { holders.count }

    /// Those that have one.
    package var holding: [AgentID] { Array(holders.keys) }

    /// Whether an upload of `bytes` bytes that has no place yet would find one.
    package func hasRoom(for bytes: Int) -> Bool {
        holders.isEmpty || bytes <= capacity - self.bytes
    }

    /// `agent` wants to send an update of `bytes` bytes. One that has a place keeps it.
    package mutating func wants(
        _ agent: AgentID, bytes: Int, now: MonotonicInstant, random: inout some RandomSource
    ) -> Answer {
        if holders[agent]?.bytes == bytes {
            holders[agent]?.moved = now
            return .admitted(evicted: [])
        }
        release(agent)
        var evicted: [AgentID] = []
        if !hasRoom(for: bytes) {
            let stalled = holders.filter {
                now.seconds(since: $0.value.moved) > Self.stallSeconds
            }
            for (other, _) in stalled.sorted(by: { $0.value.moved < $1.value.moved })
            where !hasRoom(for: bytes) {
                release(other)
                evicted.append(other)
            }
        }
        guard hasRoom(for: bytes) else {
            return .later(seconds: putOff(agent, now: now, random: &random))
        }
        waiting[agent] = nil
        holders[agent] = Holder(bytes: bytes, began: now, moved: now)
        self.bytes += bytes
        return .admitted(evicted: evicted)
    }

    /// A piece of the agent's upload arrived.
    package mutating func moved(_ agent: AgentID, now: MonotonicInstant) {
        holders[agent]?.moved = now
    }

    /// The agent's update was counted: how long it took tells how long others will wait.
    package mutating func finished(_ agent: AgentID, now: MonotonicInstant) {
        if let holder = holders[agent] {
            typicalSeconds += 0.2 * (now.seconds(since: holder.began) - typicalSeconds)
        }
        release(agent)
    }

    /// The agent's place is free again, if it had one.
    package mutating func release(_ agent: AgentID) {
        guard let holder = holders.removeValue(forKey: agent) else { return }
        bytes -= holder.bytes
    }

    /// How long an agent is to wait: about as long as those before it take, less for one that has waited before, and never
    /// as long as another.
    private mutating func putOff(
        _ agent: AgentID, now: MonotonicInstant, random: inout some RandomSource
    ) -> Double {
        waiting = waiting.filter {
            now.seconds(since: $0.value.last) <= 2 * Self.longestWaitSeconds
        }
        let times = (waiting[agent]?.times ?? 0) + 1
        waiting[agent] = (times, now)
        let queue = typicalSeconds * Double(waiting.count) / Double(max(1, holders.count))
        let fraction = 0.5 + random.unitInterval()
        return min(Self.longestWaitSeconds, max(1, queue / Double(times) * fraction))
    }
}
