package import Federation
import Provenance
package import Wire

/// Which leaves of the log an auditor wants to see.
package struct LogQuery: Sendable {
    /// Only those about this plan.
    package var plan: String?
    /// Only those of this kind of event.
    package var kind: String?
    /// The first position; nil: the newest `limit` leaves are wanted.
    package var first: UInt64?
    /// The most leaves wanted.
    package var limit: Int

    package init(
        plan: String? = nil, kind: String? = nil, first: UInt64? = nil, limit: Int
    ) {
        self.plan = plan
        self.kind = kind
        self.first = first
        self.limit = limit
    }

    private var isSelective: Bool { plan != nil || kind != nil }

    fileprivate func selects(_ entry: LogEntry) -> Bool {
        guard isSelective else { return true }
        guard let leaf = LeafFields(entry.leaf) else { return false }
        return (kind ?? leaf.event) == leaf.event && (plan == nil || leaf.text("plan") == plan)
    }

    /// Where to begin to read a log of `size` leaves.
    fileprivate func start(size: UInt64) -> UInt64 {
        if let first { return first }
        return isSelective ? 0 : size - min(size, UInt64(limit))
    }
}

extension AdminSession where Stream: ~Copyable {
    /// Leaves in one answer; the coordinator may send fewer.
    private static var leavesAtOnce: UInt32 { 4096 }

    /// The leaves that `query` wants, oldest first, however many answers that takes.
    ///
    /// - Throws: as `perform`; `untrusted` when the coordinator skips or repeats leaves.
    package mutating func log(_ query: LogQuery) throws(Fault) -> LogEntries {
        var found = LogEntries(size: try leaves(from: 0, limit: 0).size)
        var next = query.start(size: found.size)
        while found.items.count < query.limit || query.first == nil {
            let answer = try leaves(from: next, limit: Self.leavesAtOnce)
            found.size = answer.size
            guard !answer.items.isEmpty else { break }
            for entry in answer.items {
                guard entry.index == next else {
                    throw Fault(
                        .untrusted,
                        "the coordinator sent leaf \(entry.index) where \(next) was to come")
                }
                next += 1
                if query.selects(entry) { found.items.append(entry) }
            }
            if query.first == nil {
                found.items.removeFirst(max(0, found.items.count - query.limit))
            }
        }
        found.items.removeLast(max(0, found.items.count - query.limit))
        return found
    }

    private mutating func leaves(from first: UInt64, limit: UInt32) throws(Fault) -> LogEntries {
        let answer = try perform(.auditLog(AuditLog(first: first, limit: limit)))
        guard case .log(let entries) = answer else { throw unexpectedAnswer() }
        return entries
    }
}
