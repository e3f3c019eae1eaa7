import Federation
import Provenance
import Registry
import Wire

/// The log, to those who audit it.
extension Fleet {
    /// Leaves in one answer: their bytes end it sooner unless they are very short.
    private static let leavesInAnAnswer = 4096

    /// Leaves from a position on, as many as are wanted and fit into the answer.
    func showLog(_ show: AuditLog) async throws(Fault) -> LogEntries {
        let limit = min(Int(clamping: show.limit), Self.leavesInAnAnswer)
        let size = try await registry.eventCount()
        var entries: [LogEntry] = []
        var room = WireLimits.frameBytes - WireLimits.logEntryOverheadBytes
        for event in try await registry.events(from: show.first, limit: limit) {
            room -= event.leaf.count + WireLimits.logEntryOverheadBytes
            guard room >= 0 else { break }
            entries.append(
                LogEntry(index: event.index, loggedUnix: event.unix, leaf: event.leaf))
        }
        return LogEntries(size: size, items: entries)
    }

    /// That a leaf is in the log: the one at a position, or the one of a model version.
    ///
    /// - Throws: `notFound`.
    func prove(_ request: AuditProve) async throws(Fault) -> LogProofRecord {
        guard request.byModel else {
            return LogProofRecord(
                proof: try await registry.inclusionProof(index: request.index).encoded())
        }
        let id = try plan(named: request.plan).plan.id
        return LogProofRecord(
            proof: try await registry.modelProof(plan: id, version: request.version).encoded())
    }

    /// The newest checkpoint, and what leads to it from an older one.
    func showCheckpoint(_ request: AuditCheckpoint) async throws(Fault) -> CheckpointRecord {
        let signed = try await registry.checkpoint()
        return CheckpointRecord(
            note: signed.note,
            consistency: try await consistency(
                from: request.fromSize, to: signed.checkpoint.size))
    }

    /// The hashes that lead from the log's first `older` leaves to its first `size`; none from an empty log.
    ///
    /// - Throws: `conflict` when the asker has seen more leaves than there are.
    func consistency(from older: UInt64, to size: UInt64) async throws(Fault) -> [[UInt8]] {
        guard older <= size else {
            throw Fault(
                .conflict, "the log has \(size) leaves, fewer than the \(older) seen before",
                remedy:
                    "leaves never leave a log: find out whether the coordinator was restored from a backup"
            )
        }
        return try await registry.consistencyPath(from: older, to: size).map(\.bytes)
    }

    /// What the daemon says of its own log.
    func describeLog() async throws(Fault) -> String {
        let checkpoint = try await registry.checkpoint().checkpoint
        return "\(checkpoint.size) leaves, root \(checkpoint.root.hex)"
    }

    /// Where the log can be read without a credential.
    var logReading: String {
        logAddress.map { "http://\($0)/checkpoint" } ?? "off: coordinator.toml has no [http]"
    }
}
