import Federation

/// Rounds an admin asked for: run one after the other until all are done or one is abandoned.
struct JobRuntime: Sendable {
    enum State: String, Sendable {
        case running, finished, failed, cancelled
    }

    let id: UInt64
    let plan: PlanID
    let roundsWanted: Int
    var roundsDone = 0
    var state = State.running
    var detail = ""
}
