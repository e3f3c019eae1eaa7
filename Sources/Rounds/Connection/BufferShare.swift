/// Memory that large messages of all connections share: whoever finds too little waits for its turn.
///
/// Sans-IO: the shell says who wants how much and who is done, and is told who may go on. However many connections one owner
/// has, two of them at a time hold or wait for memory, so that nobody takes another's share by opening more; the others
/// stand behind them, and come when one is done, after everybody who waits then.
package struct BufferShare: Sendable {
    private struct Visitor {
        let owner: String
        let bytes: Int
    }

    /// An owner that comes back may still hold a share by the connection it lost, until that is noticed: it does not wait for
    /// itself.
    private static let mostOfOne = 2

    private let capacity: Int
    private var free: Int
    private var holders: [UInt64: Visitor] = [:]
    private var wanted: [UInt64: Visitor] = [:]
    /// In the order in which they are served, those that have left among them.
    private var queue = Queue<UInt64>()
    /// The connections of each owner that hold memory or are in the queue.
    private var turns: [String: Set<UInt64>] = [:]
    /// Those that stand behind others of their owner's, with those that have left among them.
    private var behind: [String: Queue<UInt64>] = [:]

    /// - Parameter capacity: in bytes.
    package init(capacity: Int) {
        self.capacity = capacity
        free = capacity
    }

    /// Bytes in use.
    package var used: Int { capacity - free }
    /// Those that wait.
    package var waiting: Int { wanted.count }

    /// Connection `id` of `owner` wants `bytes`, and none before. Returns whether it has them now; else it will when
    /// `released` names it.
    package mutating func wants(_ id: UInt64, of owner: String, bytes: Int) -> Bool {
        // One message must always fit.
        let visitor = Visitor(owner: owner, bytes: min(bytes, capacity))
        guard turns[owner, default: []].count < Self.mostOfOne else {
            wanted[id] = visitor
            behind[owner, default: Queue()].append(id)
            return false
        }
        turns[owner, default: []].insert(id)
        guard queue.isEmpty, visitor.bytes <= free else {
            wanted[id] = visitor
            queue.append(id)
            return false
        }
        hold(id, visitor)
        return true
    }

    /// `id` needs its bytes no more, or waits for none any more. Returns those that have theirs now.
    package mutating func released(_ id: UInt64) -> [UInt64] {
        guard let visitor = holders[id] ?? wanted[id] else { return [] }
        if holders.removeValue(forKey: id) != nil { free += visitor.bytes }
        wanted[id] = nil
        if turns[visitor.owner]?.remove(id) != nil { giveTurn(to: visitor.owner) }
        return serve()
    }

    /// The next of the owner's connections that still waits joins the queue.
    private mutating func giveTurn(to owner: String) {
        while let next = behind[owner]?.first {
            behind[owner]?.removeFirst()
            guard wanted[next] != nil else { continue }
            turns[owner, default: []].insert(next)
            queue.append(next)
            break
        }
        if behind[owner]?.isEmpty == true { behind[owner] = nil }
        if turns[owner]?.isEmpty == true { turns[owner] = nil }
    }

    private mutating func serve() -> [UInt64] {
        var served: [UInt64] = []
        while let next = queue.first {
            if let visitor = wanted[next] {
                guard visitor.bytes <= free else { break }
                wanted[next] = nil
                hold(next, visitor)
                served.append(next)
            }
            queue.removeFirst()
        }
        return served
    }

    private mutating func hold(_ id: UInt64, _ visitor: Visitor) {
        free -= visitor.bytes
        holders[id] = visitor
    }
}
