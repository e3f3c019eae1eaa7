import Dispatch
package import Federation

/// Threads for work that blocks or takes long, so that it holds up neither the threads that run tasks nor an actor.
///
/// A task of its own runs on them, rather than a continuation that is resumed from there: a race detector follows what
/// one task hands to another.
package final class BlockingWork: TaskExecutor {
    private let queue: DispatchQueue

    /// - Parameter label: of the threads, for whoever looks at them from outside.
    package init(label: String) {
        queue = DispatchQueue(label: label, attributes: .concurrent)
    }

    /// Runs `body` on one of the threads and waits for it without blocking a task's thread.
    package func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        let task = Task(executorPreference: self) {
            Result { () throws(Fault) in try body() }
        }
        return try await task.value.get()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
