import Federation
import Rounds

/// What a plan's driver does and waits for.
struct PlanWork: Sendable {
    /// The job whose round runs, or is about to; the others of the plan wait for it.
    var current: UInt64?
    var schedule: RoundSchedule
    /// Why no round starts although nothing hinders one; empty: one runs, or none is wanted.
    var waitsFor = ""
    /// What the disk refused last, which is tried again; empty: nothing.
    var refused = ""

    /// Why the schedule's next round would cost too much, and after how many charges under which text; nil: not known.
    var refusal: (words: String, charges: Int, text: Digest)?

    /// Seconds after which a driver looks again although nothing fired.
    static let longestWait = 3600.0
    /// The same while agents are to become ready, which fires nothing: thousands of them check in.
    static let agentsWait = 1.0
    /// The same while the registry fails.
    static let storageWait = 5.0
}
