import Configuration
import Federation
import Logging
import Registry

/// What the fleet remembers between two looks at its storage.
struct StorageWatch {
    /// Whether a task looks until the storage serves again.
    var isRecovering = false
    /// How often a write was lately refused although the disk takes what is tried, and when last, by the fault's message.
    var unexplained: [String: (count: Int, last: MonotonicInstant)] = [:]
}

extension Fleet {
    /// Seconds from one look at the free space to the next.
    private static let secondsBetweenLooks = 5.0
    /// The same until the storage serves again.
    private static let secondsBetweenTrials = 1.0
    /// How often a command is given again that fails on a disk which takes what is tried, and after how many seconds
    /// another such failure has nothing to do with the one before.
    private static let mostUnexplained = 3
    private static let unexplainedSeconds = 60.0

    /// Has every write that the disk refuses looked into, whoever asked for it.
    func noticeRefusedWrites() {
        let surroundings = surroundings
        registry.onRefusedWrite { [weak self] _ in
            Task(executorPreference: surroundings.executor) { await self?.beginRecovery() }
        }
    }

    /// Looks at the storage now, and from then on now and then, until the daemon stops.
    func watchStorage() async {
        await lookAtStorage(trying: true)
        inBackground {
            while !Task.isCancelled {
                await self.clock.pause(seconds: Self.secondsBetweenLooks)
                await self.lookAtStorage(trying: false)
            }
        }
    }

    /// What the registry asks when the disk refused a command of a task that can wait: a round in flight, say.
    ///
    /// - Returns: whether to give it again, once the storage serves; false when the daemon stops, or the fault is not the
    ///   disk's.
    func waitForStorage(after fault: Fault) async -> Bool {
        await lookAtStorage(trying: true)
        guard storage != .serving else {
            // It has recovered meanwhile, or this is no want of space: damage, for example.
            guard isRepeatable(fault), !Task.isCancelled else { return false }
            await clock.pause(seconds: Self.secondsBetweenTrials)
            return !Task.isCancelled
        }
        while storage != .serving, !Task.isCancelled {
            let ticket = progress.generation
            await progress.wait(after: ticket, seconds: Self.secondsBetweenLooks)
        }
        return !Task.isCancelled
    }

    /// Counts a failure that the disk does not explain.
    private func isRepeatable(_ fault: Fault) -> Bool {
        let now = clock.now
        storageWatch.unexplained = storageWatch.unexplained.filter {
            now.seconds(since: $0.value.last) < Self.unexplainedSeconds
        }
        let count = (storageWatch.unexplained[fault.message]?.count ?? 0) + 1
        let isRepeatable = count < Self.mostUnexplained
        storageWatch.unexplained[fault.message] = isRepeatable ? (count, now) : nil
        return isRepeatable
    }

    /// Refuses a peer's request that would have to be written down.
    ///
    /// - Throws: `unavailable`: the peer can only come back.
    func refuseWhileStorageFails() throws(Fault) {
        switch storage {
        case .serving: return
        case .full: throw unstored("its disk is full")
        case .readOnly: throw unstored("its disk takes no writes")
        }
    }

    /// Does for a peer what has to be written down.
    ///
    /// - Throws: `unavailable` when the coordinator's disk refuses it: a peer that heard `storage` would look at its own.
    func storing<Value>(
        _ body: () async throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        try refuseWhileStorageFails()
        do throws(Fault) { return try await body() } catch {
            guard error.code == .storage else { throw error }
            log.error("not stored", metadata: ["why": "\(error)"])
            await lookAtStorage(trying: true)
            try refuseWhileStorageFails()
            throw unstored("its disk refused a write")
        }
    }

    /// Does for a peer what would better be written down, and can wait.
    ///
    /// - Returns: whether it was: the coordinator's disk may refuse it.
    func storingIfPossible(_ body: () async throws(Fault) -> Void) async throws(Fault) -> Bool {
        do throws(Fault) { try await body() } catch {
            guard error.code == .storage else { throw error }
            return false
        }
        return true
    }

    private func unstored(_ why: String) -> Fault {
        Fault(
            .unavailable, "the coordinator cannot store anything now: \(why)",
            remedy: "try again later; its admin sees more with `tributary-coordinator doctor`")
    }

    /// What doctor says of it, after a look.
    func describeStorage() async throws(Fault) -> String {
        await lookAtStorage(trying: true)
        try refuseIfNotStoring()
        return "takes what is written"
    }

    /// Has the disk tried until it takes what is written, unless that is done already.
    private func beginRecovery() {
        guard !storageWatch.isRecovering else { return }
        storageWatch.isRecovering = true
        inBackground { await self.recoverStorage() }
    }

    private func recoverStorage() async {
        await lookAtStorage(trying: true)
        while storage != .serving, !Task.isCancelled {
            await clock.pause(seconds: Self.secondsBetweenTrials)
            await lookAtStorage(trying: true)
        }
        storageWatch.isRecovering = false
    }

    private func lookAtStorage(trying: Bool) async {
        // What was refused once is tried until it works; that there is free space does not say so.
        let trying = trying || storage != .serving
        let found = await registry.diskCondition(
            leastFree: UInt64(configuration.minFreeMiB) << 20, trying: trying)
        // A write may have been refused during a mere look.
        guard trying || storage == .serving || found != .writable else { return }
        let state: StorageState =
            switch found {
            case .writable: .serving
            case .full(let why): .full(why: why)
            case .refusing(let why): .readOnly(why: why)
            }
        guard storesInto(state) else { return }
        if let refusal = state.refusal {
            log.error("storage", metadata: ["state": "\(state.name)", "why": "\(refusal)"])
            beginRecovery()
        } else {
            storageWatch.unexplained = [:]
            log.notice("storage", metadata: ["state": "\(state.name)"])
        }
    }
}
