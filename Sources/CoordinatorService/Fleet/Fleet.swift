import Configuration
import Cryptography
import Federation
import Logging
import Privacy
import Registry
import Rounds
import Wire

/// For long arithmetic, which must not hold up the threads that serve agents and admins.
private let computeThreads = BlockingWork(label: "tributary.compute")

/// The coordinator's state and decisions, one actor: what a connection asks, it answers.
///
/// It drives the machines of `Rounds` with the real clock and the registry. What is consequential is durable before it is
/// acted on; long arithmetic runs elsewhere.
actor Fleet {
    let keys: FleetKeys
    let registry: Registry
    let configuration: CoordinatorConfiguration
    let surroundings: Surroundings
    let log: Logger
    let startedAt: MonotonicInstant
    /// The port that tokens name; the server's own once it listens, since the configuration may leave the choice to it.
    private(set) var port: UInt16
    /// Where the log is served over HTTP; nil: it is not.
    private(set) var logAddress: NetworkAddress?
    /// The dashboard's URL, or why there is none.
    private(set) var dashboard: Result<String, Fault> = .success(
        "off: coordinator.toml has no [dashboard]")
    var random: any RandomSource

    var plans: [PlanID: PlanRuntime] = [:]
    /// Plans whose text or first model is being written.
    var changing: Set<PlanID> = []
    /// Plans an older version of which is being made their next; no round of them begins.
    var republishing: Set<PlanID> = []
    var presence: [AgentID: Presence] = [:]
    var revoked: Set<AgentID> = []
    /// The certificates of every agent ever enrolled.
    var certificates: [AgentID: DeviceCertificates] = [:]
    /// Agents whose new certificate is being written: of two, memory and registry could take another for the newest.
    var renewing: Set<AgentID> = []
    /// Why this state cannot be the newest, once an agent has shown it; a restart asks the agents again.
    var rolledBack: Rollback?
    /// Set by the server, told by `status`.
    var load = LoadReport()
    var storage = StorageState.serving
    var storageWatch = StorageWatch()
    var rounds: [PlanID: ActiveRound] = [:]
    /// Memory for updates on their way in, of all rounds.
    var slots: UploadSlots
    var spareMemory = SpareMemory()
    var checkpointReads = CheckpointReads()
    /// Jobs that have not ended.
    var jobs: [UInt64: JobRuntime] = [:]
    /// Of every plan that is driven.
    var work: [PlanID: PlanWork] = [:]
    /// Whether plans are driven: once what a stop left open was taken up.
    var followsPlans = false
    private var workers: [UInt64: Task<Void, Never>] = [:]
    private var nextWorker: UInt64 = 0
    /// Blobs any agent may fetch, by plan: its texts, models, signatures. Master weights are not among them.
    var servedBlobs: [Digest: PlanID] = [:]
    /// What each population has spent, over all plans: the ledger in memory.
    var spent: [String: [PrivacyCharge: Int]] = [:]
    /// What has happened, and what a plan's population has spent, as the metrics tell it.
    var counts = FleetCounts()
    var spending: [PlanID: (budget: PrivacyBudget, epsilon: Double)] = [:]
    /// Bytes of blobs sent to agents since a plan's last round ended.
    var bytesOut: [PlanID: UInt64] = [:]

    /// Fires when agents that wait for an assignment should look again.
    let offers: Signal
    /// Fires when a plan's driver should look again whether a round may start.
    let workChanges: Signal
    /// Fires when anything that an admin can watch changes.
    let progress: Signal

    init(
        keys: FleetKeys, registry: Registry, configuration: CoordinatorConfiguration,
        surroundings: Surroundings = .system, log: Logger
    ) {
        self.keys = keys
        self.registry = registry
        self.configuration = configuration
        slots = UploadSlots(capacity: configuration.limits.uploadsInFlightMiB << 20)
        port = UInt16(clamping: configuration.port)
        self.surroundings = surroundings
        random = surroundings.randomness.fleet()
        offers = Signal(in: surroundings)
        workChanges = Signal(in: surroundings)
        progress = Signal(in: surroundings)
        startedAt = surroundings.clock.now
        self.log = log
    }

    nonisolated var clock: any ServiceClock { surroundings.clock }

    /// Loads what the registry holds and goes on with what a stop left open. Safe to repeat.
    func start() async throws(Fault) {
        noticeRefusedWrites()
        await collectOrphans()
        for agent in try await registry.agents() {
            certificates[agent.id] = DeviceCertificates(agent)
            if agent.isRevoked { revoked.insert(agent.id) }
        }
        for stored in try await registry.plans() { try await load(stored) }
        try await takeUpRounds()
        try await resumeJobs()
    }

    /// The server is bound to `port`.
    func listens(on port: UInt16) { self.port = port }

    /// The log's server is bound to `address`.
    func servesLog(at address: NetworkAddress) { logAddress = address }

    /// The dashboard answers at an address, or cannot.
    func dashboardStands(_ standing: Result<String, Fault>) { dashboard = standing }

    /// Runs `body` beside whatever else happens, until it ends or the daemon stops.
    func inBackground(_ body: @escaping @Sendable () async -> Void) {
        nextWorker += 1
        let id = nextWorker
        workers[id] = Task(executorPreference: surroundings.executor) {
            // What runs in the background can wait for the disk.
            let patience = Patience { await self.waitForStorage(after: $0) }
            await Registry.$patience.withValue(patience) {
                await body()
            }
            await self.forgetWorker(id)
        }
    }

    private func forgetWorker(_ id: UInt64) { workers[id] = nil }

    /// Ends every task this actor started.
    func stop() {
        for worker in workers.values { worker.cancel() }
        for round in rounds.values { round.events.fire() }
    }

    /// Runs long arithmetic on a thread of its own, so that it never blocks those that serve agents and admins, and waits
    /// for it without blocking a task's thread.
    nonisolated func compute<Value: Sendable>(
        _ body: @escaping @Sendable () throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        guard surroundings.executor == nil else {
            await Task.yield()
            return try body()
        }
        return try await computeThreads.run(body)
    }

    // MARK: Blobs

    /// A piece of a plan text, model or signature.
    func blobChunk(_ request: BlobRequest, toAgent: Bool) async throws(Fault) -> BlobChunk {
        guard let digest = Digest(bytes: request.digest), let plan = servedBlobs[digest] else {
            throw Fault(
                .notFound, "there is no such blob",
                remedy: "check in again for the current ones; weights of older versions are kept as"
                    + " [retention] of their plan says")
        }
        let chunk = try await registry.blobChunk(
            digest, offset: request.offset, limit: WireLimits.chunkBytes)
        if toAgent { bytesOut[plan, default: 0] += UInt64(chunk.bytes.count) }
        return BlobChunk(
            digest: request.digest, offset: request.offset, totalSize: chunk.totalSize,
            data: chunk.bytes)
    }
}

/// The event that a round ended without a version.
func roundAbandoned(_ at: RoundAttempt, reason: String) -> FleetEvent {
    FleetEvent(
        .roundAbandoned,
        [
            ("round", .number(at.round.number)), ("attempt", .number(UInt64(at.attempt))),
            ("reason", .text(reason)),
        ])
}
