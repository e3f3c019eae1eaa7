import Federation

/// The leases of a round, the next to end first.
///
/// A renewed lease is simply added again: the entry of before is left until its time comes, when `Cohort` sees that it is
/// out of date. So a heartbeat costs the logarithm of the number of leases.
struct LeaseQueue: Sendable {
    struct Lease: Sendable {
        let ends: MonotonicInstant
        let agent: AgentID
    }

    /// A binary heap: no entry ends before its parent, which is at half its index.
    private var heap: [Lease] = []

    var count: Int { heap.count }
    /// The lease that ends first.
    var first: Lease? { heap.first }

    mutating func add(_ lease: Lease) {
        heap.append(lease)
        var index = heap.count - 1
        while index > 0, heap[index].ends < heap[(index - 1) / 2].ends {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var index = 0
        while true {
            let left = 2 * index + 1
            var least = index
            for child in [left, left + 1] where child < heap.count {
                if heap[child].ends < heap[least].ends { least = child }
            }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }

    /// Drops every entry.
    mutating func removeAll() { heap.removeAll(keepingCapacity: true) }
}
