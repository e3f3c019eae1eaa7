import AgentSession
package import Configuration
import Cryptography
package import Federation
import Glibc
import Kernels
import Learning
package import Logging
import Provenance
package import Telemetry

/// The resident agent: performs what the session's machine decides, one action at a time, on one thread.
package struct Agent: ~Copyable {
    let directory: StateDirectory
    let clock = SystemClock()
    let log: Logger
    let stop: StopSignal
    let owner: OwnerWish
    let notifier: SystemdNotifier
    let limits: TrainingLimits
    let blobs: BlobCache
    let models: ServingModels
    /// Those of its blobs that this run has read whole or fetched.
    var intactBlobs: Set<Digest> = []
    let updates: PendingUpdates
    let sent: SentUpdates
    /// The assignment at hand.
    var marker: WorkMarker
    var conditions: WorkConditions
    let metrics: AgentMetrics
    var random = SystemRandom()
    var enrolment: Enrolment
    var plans: [FollowedPlan]
    var machine: AgentSessionMachine
    var link: CoordinatorLink
    /// The assignment at hand, from its preparation to its encoding.
    var training: LocalTraining?
    /// Whether the coordinator keeps an update for a later attempt, to which a check-in leads.
    var isAwaitingAttempt = false
    /// Whether it was said that there is no OpenBLAS.
    var hasMissedOpenBlas = false
    /// Whether there was no work since memory was given back.
    var isLean = false
    /// The newest checkpoint of the coordinator's log that was verified.
    var kept: KeptCheckpoint?
    /// The proof of the last model of each plan that passed, so that a round's base is not asked for again when it serves.
    var proofs: [PlanID: (model: ModelReference, proof: [UInt8])] = [:]
    /// The model adopted last, where a round may well begin with it at once, and the trust set by which it was verified.
    var lastVerified: (model: ModelReference, trust: UInt64, weights: QuantizedModel)?
    /// When training last ended.
    var trainedAt: MonotonicInstant?
    /// Why the last model offered for a plan is refused.
    var refusedModels: [PlanID: Fault] = [:]
    var status: AgentStatus
    /// What went wrong since the last check-in that was answered.
    var trouble = RepeatedFault()
    /// What status.json says, without its time.
    var reported = ""
    private let lock: StateLock

    /// - Throws: `Fault` when the state directory is not writable, in use or without an enrolment.
    package init(
        _ configuration: AgentConfiguration, log: Logger, stop: StopSignal,
        notifier: SystemdNotifier = SystemdNotifier(), metrics: AgentMetrics = AgentMetrics()
    ) throws(Fault) {
        let directory = StateDirectory(path: configuration.stateDirectory)
        try directory.prepare()
        let owner = OwnerWish(directory, stop: stop)
        guard !owner.isLeaving else {
            throw Fault(
                .conflict, "this device has left its fleet, but not everything was erased",
                remedy: "run tributary-agent leave again, or enroll with --force and a new token")
        }
        let enrolment = try Enrolment(directory)
        let log = Agent.log(log, of: enrolment.agent, configuration)
        let kept = try KeptCheckpoint.load(directory)
        let lock = try Agent.occupy(directory)
        self.directory = directory
        self.enrolment = enrolment
        self.lock = lock
        self.kept = kept
        blobs = BlobCache(directory: directory.blobDirectory)
        models = ServingModels(directory: directory.modelDirectory)
        updates = PendingUpdates(directory: directory.updateDirectory)
        sent = SentUpdates(directory: directory.sentDirectory)
        marker = WorkMarker(file: directory.assignmentFile)
        conditions = WorkConditions(configuration.participation, of: directory)
        limits = configuration.limits
        self.metrics = metrics
        plans = Agent.plans(configuration, directory)
        for plan in plans {
            guard let version = models.repair(plan.id) else { continue }
            log.warning(
                "the model held was damaged; the one before it takes its place",
                metadata: ["plan": "\(plan.id)", "version": "\(version)"])
        }
        let (pending, dropped) = updates.load(plans: plans.map(\.id))
        for fault in dropped { log.warning("dropping an update", fault) }
        if let interrupted = marker.assignment {
            log.warning(
                "the agent ended while it worked on a round; it asks for its place again",
                metadata: ["plan": "\(interrupted.plan)", "round": "\(interrupted.at)"])
        }
        machine = AgentSessionMachine(
            follows: Set(plans.map(\.id)), trustSetVersion: enrolment.trustSet.version,
            pending: pending,
            adopted: Dictionary(
                uniqueKeysWithValues: plans.compactMap { plan in
                    plan.known.map { (plan.id, $0.digest) }
                }),
            interrupted: marker.assignment, random: SeededRandom(seed: random.next()))
        link = CoordinatorLink(
            stop: stop, interruption: owner.interruption, notifier: notifier)
        status = AgentStatus(
            coordinator: enrolment.coordinator, agent: enrolment.agent,
            fleet: enrolment.trustSet.fleet)
        self.log = log
        self.stop = stop
        self.owner = owner
        self.notifier = notifier
    }

    /// What programs read is often collected from many devices: there each record names its agent.
    private static func log(
        _ log: Logger, of agent: String, _ configuration: AgentConfiguration
    ) -> Logger {
        guard configuration.logFormat == LogFormat.json.rawValue else { return log }
        var log = log
        log[metadataKey: "agent"] = "\(agent)"
        return log
    }

    /// The plans that there is data for, with the text that was last in use: then a restarted agent is ready at once.
    private static func plans(
        _ configuration: AgentConfiguration, _ directory: StateDirectory
    ) -> [FollowedPlan] {
        let texts = PlanTexts(directory: directory.planDirectory)
        return configuration.data.map { entry in
            var plan = FollowedPlan(
                id: entry.plan, directory: entry.directory,
                localNoiseFloor: configuration.localNoiseFloor,
                memoryLimitMiB: configuration.limits.memoryMiB)
            // One that is damaged, or of another version's making, comes from the coordinator again.
            if let text = try? texts.read(entry.plan) {
                try? plan.adopt(text, digest: SHA256.digest(of: text))
            }
            return plan
        }
    }

    /// Keeps other daemons out of the directory, and finishes a renewal that a crash cut short.
    private static func occupy(_ directory: StateDirectory) throws(Fault) -> StateLock {
        let lock = try StateLock(directory)
        try RenewedIdentity.repair(directory)
        return lock
    }

    /// Works until a stop is requested.
    package mutating func run() {
        Footprint.keepNoFreedMemory()
        Blas.useOneThread()
        _ = nice(Int32(limits.nice))
        log.info(
            "agent started",
            metadata: [
                "agent": "\(enrolment.agent)", "fleet": "\(enrolment.trustSet.fleet)",
                "coordinator": "\(enrolment.coordinator)", "version": "\(softwareVersion)",
            ])
        if plans.isEmpty {
            log.warning("no plan has data; add a [data.NAME] table to the configuration")
        }
        notifier.ready()
        var action = AgentSessionMachine.firstAction
        while !stop.isRequested {
            notifier.alive()
            action = perform(action)
        }
        notifier.stopping()
        link.close()
        report(.stopped)
        log.info("agent stopped")
    }

    /// Performs `action`, reports its end to the machine and returns what it wants next.
    private mutating func perform(_ action: AgentAction) -> AgentAction {
        let setback: Setback
        do throws(Setback) { return try carryOut(action) } catch { setback = error }
        // A wait that was cut short by a stop is no trouble, nor one that the device's owner cut short.
        if stop.isRequested { return action }
        if heedOwner() {
            link.close()
            return machine.interrupted(now: clock.now)
        }
        describe(setback, during: action)
        switch setback {
        case .connection(let fault):
            link.close()
            return machine.connectionFailed(fault, now: clock.now)
        case .refusal(let fault): return machine.refused(fault, now: clock.now)
        case .local(let fault): return machine.failedLocally(fault, now: clock.now)
        case .model(let fault): return machine.modelRefused(fault, now: clock.now)
        }
    }

    private mutating func carryOut(_ action: AgentAction) throws(Setback) -> AgentAction {
        if action.isWork { isLean = false }
        switch action {
        case .wait(let until, let keepingConnection):
            if !keepingConnection { link.close() }
            lookAtOwner()
            report(restingState)
            let pause = until.seconds(since: clock.now)
            if pause >= Footprint.silenceSeconds { Footprint.shrink(unless: &isLean) }
            owner.sleep(seconds: pause, notifier)
            lookAtOwner()
            return machine.waited(now: clock.now)
        case .connect:
            // To an idle agent, connecting is part of asking for work, and each report is written.
            if status.lastError == nil, status.state != restingState { report(.connecting) }
            try link.open(enrolment)
            log.info("connected", metadata: ["coordinator": "\(enrolment.coordinator)"])
            return machine.connected(now: clock.now)
        case .checkIn(let waitSeconds):
            return machine.checkedIn(try checkIn(waitSeconds: waitSeconds), now: clock.now)
        case .obtain(let blob):
            try obtain(blob)
            return machine.obtained(now: clock.now)
        case .adoptPlan(let standing):
            let changed = try adopt(standing)
            return machine.planAdopted(readinessChanged: changed, now: clock.now)
        case .updateTrustSet:
            let version = try updateTrustSet()
            return machine.trustSetUpdated(
                to: version, renewalIsDue: renewalIsDue, now: clock.now)
        case .train(let assignment): return try train(assignment)
        case .encode(let assignment):
            let update = try encode(assignment)
            return machine.encoded(update, now: clock.now)
        case .probe where conditions.networkRefusal() != nil:
            return machine.keptBack(now: clock.now)
        case .probe, .sendHeader, .finish:
            return machine.answered(try submit(action), now: clock.now)
        case .sendChunk(let update, let offset, let count):
            try sendChunk(of: update, offset: offset, count: count)
            return machine.sent(now: clock.now)
        case .renewCertificate, .reportRefusal, .adoptModel, .prepare, .readdress, .discard,
            .decline:
            try carryOutQuietly(action)
            return machine.done(now: clock.now)
        }
    }

    /// The actions whose success has nothing to tell.
    private mutating func carryOutQuietly(_ action: AgentAction) throws(Setback) {
        switch action {
        case .renewCertificate: try renewCertificate()
        case .reportRefusal(let model, let reason): try report(refusalOf: model, reason: reason)
        case .adoptModel(let model): try adopt(model)
        case .prepare(let assignment): try prepare(assignment)
        case .readdress(let update):
            try locally { () throws(Fault) in try updates.saveHeader(update) }
            marker.clear()
        case .discard(let update): updates.discard(update.plan)
        case .decline(let assignment, let reason): try decline(assignment, reason: reason)
        default: break
        }
    }
}

/// Runs `body`, whose faults concern only this device.
func locally<Result>(_ body: () throws(Fault) -> Result) throws(Setback) -> Result {
    do throws(Fault) { return try body() } catch { throw .local(error) }
}

extension AgentAction {
    /// Whether it needs more than waiting and asking for work do.
    fileprivate var isWork: Bool {
        switch self {
        case .wait, .connect, .checkIn: false
        default: true
        }
    }
}
