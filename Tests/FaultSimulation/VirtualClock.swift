import Federation

/// The time of one simulated process.
final class VirtualClock: ServiceClock {
    private let world: World
    /// When its machine was started; its instants count from then.
    private let boot: MonotonicInstant
    nonisolated(unsafe) private var isDead = false
    nonisolated(unsafe) private var sleepers: [UInt64: CheckedContinuation<Void, Never>] = [:]
    nonisolated(unsafe) private var next: UInt64 = 0

    init(of world: World, since boot: MonotonicInstant) {
        self.world = world
        self.boot = boot
    }

    var now: MonotonicInstant {
        MonotonicInstant(nanoseconds: world.now.nanoseconds - boot.nanoseconds)
    }
    var unixMilliseconds: UInt64 { world.unixMilliseconds }

    func pause(seconds: Double) async {
        next += 1
        let id = next
        await withTaskCancellationHandler {
            await withCheckedContinuation { sleep(id, seconds: seconds, $0) }
        } onCancel: {
            wake(id)
        }
    }

    private func sleep(
        _ id: UInt64, seconds: Double, _ sleeper: CheckedContinuation<Void, Never>
    ) {
        guard !isDead, !Task.isCancelled else { return sleeper.resume() }
        sleepers[id] = sleeper
        world.after(seconds) { [weak self] in self?.wake(id) }
    }

    private func wake(_ id: UInt64) { sleepers.removeValue(forKey: id)?.resume() }

    /// The process was killed: nobody sleeps any more.
    func end() {
        isDead = true
        for id in sleepers.keys.sorted() { wake(id) }
    }
}
