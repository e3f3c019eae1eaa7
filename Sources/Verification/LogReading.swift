import Federation
import Provenance

/// A log as a verifier reads it: its newest checkpoint, and what is behind it.
struct LogReading {
    private(set) var tiles: TileLog<LogLocation>
    let signed: SignedCheckpoint

    /// Checks the log's newest checkpoint.
    ///
    /// - Returns: nil when that failed or could not be done; `report` says which.
    init?(_ location: LogLocation, key: LogKey, report: inout VerificationReport) {
        var location = location
        let signed = report.find("log checkpoint") { () throws(Fault) in
            let signed = try SignedCheckpoint(note: try location.checkpoint(), key: key)
            return (signed, "\(signed.checkpoint.origin), \(signed.checkpoint.size) leaves")
        }
        guard let signed else { return nil }
        self.signed = signed
        tiles = TileLog(source: location, checkpoint: signed.checkpoint)
    }

    /// Checks that the log goes on from `older`; `what` names that one in messages.
    ///
    /// - Throws: `Fault.untrusted` when the log was rolled back, or is another one.
    mutating func checkConsistency(with older: Checkpoint, _ what: String) throws(Fault) -> String {
        let size = signed.checkpoint.size
        guard older.size <= size else {
            throw wrong(
                "the log was rolled back: it has \(size) leaves, and \(what) has \(older.size)")
        }
        guard try tiles.isConsistent(with: older) else {
            throw wrong(
                "the log is forked: its first \(older.size) leaves are not those of \(what)")
        }
        return "the \(size) leaves begin with the \(older.size) of \(what)"
    }

    /// Reads every leaf.
    mutating func history() throws(Fault) -> LogHistory { try LogHistory(of: &tiles) }
}
