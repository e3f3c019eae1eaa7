import Configuration
import Cryptography
import Federation
import Logging
import Privacy
import Registry
import Rounds
import Wire

/// The coordinator's state and decisions, one actor: what a connection asks, it answers.
///
/// It drives the machines of `Rounds` with the real clock and the registry. What is consequential is durable before it is
/// acted on; long arithmetic runs elsewhere.
actor Fleet {
    let keys: FleetKeys
    let registry: Registry
    let configuration: CoordinatorConfiguration
    let randomness: RoundRandomness
    let log: Logger
    let clock = SystemClock()
    /// The port that tokens name; the server's own once it listens, since the configuration may leave the choice to it.
    private(set) var port: UInt16
    /// Where the log is served over HTTP; nil: it is not.
    private(set) var logAddress: NetworkAddress?
    var random = SystemRandom()

    var plans: [PlanID: PlanRuntime] = [:]
    /// Plans whose text or first model is being written.
    var changing: Set<PlanID> = []
    /// Plans an older version of which is being made their next; no round of them begins.
    var republishing: Set<PlanID> = []
    var presence: [AgentID: Presence] = [:]
    var revoked: Set<AgentID> = []
    /// The certificates of every agent ever enrolled.
    var certificates: [AgentID: DeviceCertificates] = [:]
    /// Why this state cannot be the newest, once an agent has shown it; a restart asks the agents again.
    var rolledBack: Rollback?
    var rounds: [PlanID: ActiveRound] = [:]
    var jobs: [UInt64: JobRuntime] = [:]
    private var workers: [UInt64: Task<Void, Never>] = [:]
    private var nextWorker: UInt64 = 0
    /// Blobs any agent may fetch, by plan: its texts, models, signatures. Master weights are not among them.
    var servedBlobs: [Digest: PlanID] = [:]
    /// What each population has spent, over all plans: the ledger in memory.
    var spent: [String: [PrivacyCharge: Int]] = [:]
    /// Bytes of blobs sent to agents since a plan's last round ended.
    var bytesOut: [PlanID: UInt64] = [:]

    /// Fires when agents that wait for an assignment should look again.
    let offers = Signal()
    /// Fires when anything that an admin can watch changes.
    let progress = Signal()

    init(
        keys: FleetKeys, registry: Registry, configuration: CoordinatorConfiguration,
        randomness: RoundRandomness, log: Logger
    ) {
        self.keys = keys
        self.registry = registry
        self.configuration = configuration
        port = UInt16(clamping: configuration.port)
        self.randomness = randomness
        self.log = log
    }

    /// Loads what the registry holds and settles what a stop left open. Safe to repeat.
    func start() async throws(Fault) {
        for agent in try await registry.agents() {
            certificates[agent.id] = DeviceCertificates(agent)
            if agent.isRevoked { revoked.insert(agent.id) }
        }
        for unfinished in try await registry.unfinishedRounds() {
            let reason = AbandonReason.coordinatorRestarted.description
            try await registry.abandon(
                unfinished.at, reason: reason, nowUnixMilliseconds: unixMilliseconds(),
                event: roundAbandoned(unfinished.at, reason: reason))
        }
        for job in try await registry.jobs() {
            if job.state == JobRuntime.State.running.rawValue {
                try await registry.setJob(
                    job.job, state: JobRuntime.State.failed.rawValue,
                    detail: AbandonReason.coordinatorRestarted.description,
                    roundsDone: job.roundsDone)
            }
        }
        for stored in try await registry.plans() { try await load(stored) }
    }

    /// The server is bound to `port`.
    func listens(on port: UInt16) { self.port = port }

    /// The log's server is bound to `address`.
    func servesLog(at address: NetworkAddress) { logAddress = address }

    /// Runs `body` beside whatever else happens, until it ends or the daemon stops.
    func inBackground(_ body: @escaping @Sendable () async -> Void) {
        nextWorker += 1
        let id = nextWorker
        workers[id] = Task {
            await body()
            workers[id] = nil
        }
    }

    /// Ends every task this actor started.
    func stop() {
        for worker in workers.values { worker.cancel() }
        for round in rounds.values { round.events.fire() }
    }

    // MARK: Blobs

    /// A piece of a plan text, model or signature.
    func blobChunk(_ request: BlobRequest, toAgent: Bool) async throws(Fault) -> BlobChunk {
        guard let digest = Digest(bytes: request.digest), let plan = servedBlobs[digest] else {
            throw Fault(
                .notFound, "there is no such blob", remedy: "check in again for the current ones")
        }
        let chunk = try await registry.blobChunk(
            digest, offset: request.offset, limit: WireLimits.chunkBytes)
        if toAgent { bytesOut[plan, default: 0] += UInt64(chunk.bytes.count) }
        return BlobChunk(
            digest: request.digest, offset: request.offset, totalSize: chunk.totalSize,
            data: chunk.bytes)
    }

    // MARK: Events

    func roundAbandoned(_ at: RoundAttempt, reason: String) -> FleetEvent {
        FleetEvent(
            .roundAbandoned,
            [
                ("round", .number(at.round.number)), ("attempt", .number(UInt64(at.attempt))),
                ("reason", .text(reason)),
            ])
    }
}
