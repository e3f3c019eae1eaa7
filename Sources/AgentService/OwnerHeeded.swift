import AgentSession
import Logging

// What the daemon makes of its owner's wishes.

extension Agent {
    /// Whether the owner wants something else than before; then that holds from now on.
    @discardableResult
    mutating func heedOwner() -> Bool {
        guard owner.hasNews() else { return false }
        lookAtOwner()
        return true
    }

    /// Takes the owner's wishes as they are now: a pause may also have ended by itself.
    mutating func lookAtOwner() {
        guard !owner.isLeaving else {
            log.notice("the device's owner takes it out of the fleet; the agent ends")
            return stop.request()
        }
        let pause = owner.pause
        guard pause != conditions.pause else { return }
        conditions.pause = pause
        if let pause {
            let end = pause.untilUnix.map { dateText(Int64(clamping: $0)) } ?? "resumed"
            log.notice("paused by the device's owner", metadata: ["until": "\(end)"])
        } else {
            log.notice("no longer paused by the device's owner")
        }
    }

    /// What the agent is in while it waits.
    var restingState: AgentStatus.State {
        if conditions.pause != nil { return .paused }
        return status.lastError == nil ? .idle : .retrying
    }
}
