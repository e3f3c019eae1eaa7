/// The one thread of a simulated process: its tasks run when the world says so, one piece at a time.
final class SimulatedThread: TaskExecutor {
    /// A process that was killed gets so many pieces to unwind; what is left then is never run.
    private static let mostEndingJobs = 100_000

    nonisolated(unsafe) private var ready: [UnownedJob] = []
    nonisolated(unsafe) private(set) var isEnding = false
    nonisolated(unsafe) private var endingJobs = 0

    func enqueue(_ job: consuming ExecutorJob) { ready.append(UnownedJob(job)) }

    /// How many pieces of tasks could run now.
    var readyCount: Int { ready.count }

    /// Runs the piece in place `index`.
    func run(at index: Int) {
        let job = ready.remove(at: index)
        if isEnding {
            endingJobs += 1
            guard endingJobs <= Self.mostEndingJobs else { return ready.removeAll() }
        }
        job.runSynchronously(on: asUnownedTaskExecutor())
    }

    /// The process was killed: what is left unwinds before anything else happens.
    func end() { isEnding = true }
}
