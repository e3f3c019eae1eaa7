import Glibc

/// Keeps training to its share of a processor: after working it rests in proportion, though not for moments that the
/// scheduler would stretch.
package struct TrainingPace {
    /// Rest per second of work.
    private let restPerWork: Double
    private static let shortestRestSeconds = 0.01
    /// The thread's processor time when it last went on.
    private var resumedAt: Double

    /// - Parameter percent: the share, 1 to 100.
    package init(percent: Int) {
        restPerWork = 100 / Double(percent) - 1
        resumedAt = Self.processorSeconds()
    }

    /// Seconds to rest for the work since the last `resume`; 0 until that is worth a rest.
    package var owed: Double {
        guard restPerWork > 0 else { return 0 }
        let rest = max(0, Self.processorSeconds() - resumedAt) * restPerWork
        return rest < Self.shortestRestSeconds ? 0 : rest
    }

    /// Work goes on after a rest.
    package mutating func resume() { resumedAt = Self.processorSeconds() }

    /// Training is one thread, this one.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
