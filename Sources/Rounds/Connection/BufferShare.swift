/// Memory that large messages of all connections share: whoever finds too little waits for its turn.
///
/// Sans-IO: the shell says who wants how much and who is done, and is told who may go on.
package struct BufferShare: Sendable {
    private let capacity: Int
    private var free: Int
    private var holders: [UInt64: Int] = [:]
    /// In the order in which they came, those that have left among them.
    private var queue = Queue<UInt64>()
    private var wanted: [UInt64: Int] = [:]

    /// - Parameter capacity: in bytes.
    package init(capacity: Int) {
        self.capacity = capacity
        free = capacity
    }

    /// Bytes in use.
    package var used: Int { capacity - free }
    /// Those that wait.
    package var waiting: Int { wanted.count }

    /// `id` wants `bytes`, and none before. Returns whether it has them now; else it will when `released` names it.
    package mutating func wants(_ id: UInt64, bytes: Int) -> Bool {
        // One message must always fit.
        let bytes = min(bytes, capacity)
        guard wanted.isEmpty, bytes <= free else {
            wanted[id] = bytes
            queue.append(id)
            return false
        }
        free -= bytes
        holders[id] = bytes
        return true
    }

    /// `id` needs its bytes no more, or waits for none any more. Returns those that have theirs now.
    package mutating func released(_ id: UInt64) -> [UInt64] {
        wanted[id] = nil
        free += holders.removeValue(forKey: id) ?? 0
        var served: [UInt64] = []
        while let next = queue.first {
            if let bytes = wanted[next] {
                guard bytes <= free else { break }
                wanted[next] = nil
                free -= bytes
                holders[next] = bytes
                served.append(next)
            }
            queue.removeFirst()
        }
        return served
    }
}
