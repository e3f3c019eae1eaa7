import Federation
import Registry

/// Rounds that somebody, or a plan's schedule, asked for: run one after the other until all are done or one is abandoned.
///
/// Only jobs that have not ended are in memory.
struct JobRuntime: Sendable {
    enum State: String, Sendable {
        case running, finished, failed, cancelled
    }

    /// What a scheduled job's idempotency key begins with; nobody else may use such a one.
    static let scheduledPrefix = "schedule/"

    let id: UInt64
    let plan: PlanID
    let roundsWanted: Int
    var roundsDone = 0
    var state = State.running
    var detail = ""
}
