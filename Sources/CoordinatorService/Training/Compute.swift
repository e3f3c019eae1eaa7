import Dispatch
import Federation

/// Long arithmetic runs here, so that it never blocks the threads that serve agents and admins.
private let computeQueue = DispatchQueue(label: "tributary.compute", attributes: .concurrent)

/// Runs `body` on a thread of its own and waits for it without blocking a task's thread.
func onComputeThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws(Fault) -> Value
) async throws(Fault) -> Value {
    let result: Result<Value, Fault> = await withCheckedContinuation { continuation in
        computeQueue.async {
            do throws(Fault) {
                continuation.resume(returning: .success(try body()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
    return try result.get()
}
