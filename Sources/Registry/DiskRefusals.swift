import Federation
import Synchronization

/// What the disk refused since it last took a write, and who wants to know of it.
final class DiskRefusals: Sendable {
    private struct State {
        var largest = 0
        var handler: (@Sendable (Fault) -> Void)?
    }

    private let state = Mutex(State())

    /// Bytes of the largest blob among it.
    var largest: Int { state.withLock { $0.largest } }

    func setHandler(_ handler: @escaping @Sendable (Fault) -> Void) {
        state.withLock { $0.handler = handler }
    }

    func note(_ fault: Fault, bytes: Int) {
        let handler = state.withLock { state in
            state.largest = max(state.largest, bytes)
            return state.handler
        }
        handler?(fault)
    }

    func forget() { state.withLock { $0.largest = 0 } }
}
