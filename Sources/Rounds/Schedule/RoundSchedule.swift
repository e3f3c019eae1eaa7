package import Federation

/// When a plan's next round starts by itself.
///
/// Sans-IO: the shell tells it when rounds started and how they ended, and asks it what to do now. The monotonic clock
/// decides; the wall clock only says, once after a restart, how long ago the last round was.
package struct RoundSchedule: Sendable {
    package enum Decision: Sendable, Equatable {
        /// The plan has no schedule: its rounds start as they are asked for.
        case onRequest
        /// Start a round now.
        case start
        /// Not before this instant, however many agents are ready.
        case wait(until: MonotonicInstant)
        /// It is time, but too few agents are ready.
        case waitForAgents(ready: Int, wanted: Int)
    }

    /// The pause after a round that failed, in seconds; it doubles with each further one, up to `longestPause`.
    package static let firstPause = 10.0
    package static let longestPause = 3600.0

    /// What the plan says; another text may say something else, and what has been waited counts.
    package var plan: SchedulePlan?
    /// Since when the time to the next round counts, and the seconds that had passed before.
    private var since: (start: MonotonicInstant, before: Double)
    /// Set by rounds that failed.
    private var notBefore: MonotonicInstant
    private var failures = 0

    /// A schedule that begins now, in a new plan or after a restart.
    ///
    /// - Parameter secondsSinceLast: since the start of the last round, by a clock that may have jumped, so that less
    ///   than nothing is nothing; nil when there was no round.
    package init(plan: SchedulePlan?, secondsSinceLast: Double?, now: MonotonicInstant) {
        self.plan = plan
        since = (now, secondsSinceLast.map { max(0, $0) } ?? .infinity)
        notBefore = now
    }

    /// The earliest start of the next round: a period after the last one, never later.
    package var due: MonotonicInstant {
        let left = (plan?.everySeconds ?? 0) - since.before
        return max(notBefore, since.start.advanced(bySeconds: left))
    }

    /// A round of the plan starts, whoever asked for it.
    package mutating func roundStarts(at now: MonotonicInstant) { since = (now, 0) }

    /// The round that started last published a version.
    package mutating func roundPublished() { failures = 0 }

    /// A round ended without a version, or could not start: the next one waits longer each time, so that a plan whose
    /// rounds cannot succeed does not run one after another.
    package mutating func roundFailed(at now: MonotonicInstant) {
        let pause = min(Self.firstPause * Double(1 << min(failures, 20)), Self.longestPause)
        failures += 1
        notBefore = now.advanced(bySeconds: pause)
    }

    /// What to do at `now`, with `ready` agents that are here, take work and have data for the plan.
    package func decide(ready: Int, now: MonotonicInstant) -> Decision {
        guard let plan else { return .onRequest }
        guard now >= due else { return .wait(until: due) }
        guard let wanted = plan.readyAgents, ready < wanted else { return .start }
        return .waitForAgents(ready: ready, wanted: wanted)
    }
}
