import Federation
import Synchronization

/// Lets tasks wait until something changed, without missing a change between the look and the wait.
///
/// Read `generation`, look at the state, and if it is not what you want, `wait(after:)` that generation.
final class Signal: Sendable {
    private struct State {
        /// Never 0, so that 0 can stand for "has seen nothing yet".
        var generation: UInt64 = 1
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())
    private let clock: any ServiceClock
    private let executor: (any TaskExecutor)?

    init(in surroundings: Surroundings) {
        clock = surroundings.clock
        executor = surroundings.executor
    }

    /// Grows each time the signal fires.
    var generation: UInt64 { state.withLock { $0.generation } }

    /// Wakes every waiter.
    func fire() {
        let woken = state.withLock { state in
            state.generation += 1
            let woken = state.waiters.values.map { $0 }
            state.waiters.removeAll()
            return woken
        }
        for waiter in woken { waiter.resume() }
    }

    /// Returns when the signal has fired since `ticket`, after `seconds`, or when the task is cancelled.
    func wait(after ticket: UInt64, seconds: Double) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            var timer: Task<Void, Never>?
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.generation == ticket else { return false }
                    state.waiters[id] = continuation
                    return true
                }
                guard waits else { return continuation.resume() }
                // Registered first, so that neither the timer nor a cancellation can come too early.
                timer = Task(executorPreference: executor) {
                    await self.clock.pause(seconds: seconds)
                    self.wake(id)
                }
                if Task.isCancelled { wake(id) }
            }
            timer?.cancel()
        } onCancel: {
            wake(id)
        }
    }

    private func wake(_ id: UInt64) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
        waiter?.resume()
    }
}
