package import Federation

/// What the agent does next, after any event but those of training.
///
/// Each action has one event that says it succeeded, named beside it, and three that say it failed: `connectionFailed`,
/// `refused` (the coordinator's answer is a failure, the connection still stands) and `failedLocally`.
package enum AgentAction: Equatable, Sendable {
    /// Do nothing until then; without `keepingConnection`, close it first. -> `waited`
    case wait(until: MonotonicInstant, keepingConnection: Bool)
    /// Open a connection, closing any other. -> `connected`
    case connect
    /// Ask for work, willing to wait that long for it. -> `checkedIn`
    case checkIn(waitSeconds: UInt32)
    /// Have the blob in the cache, its digest checked; nothing to do when it is there. -> `obtained`
    case obtain(BlobReference)
    /// Have a new certificate for a new key, and store both; the next connection shows it. -> `done`
    case renewCertificate
    /// Tell the coordinator which model this device refuses, and why. -> `done`
    case reportRefusal(ModelReference, reason: String)
    /// Replace the trust set by the newer one. -> `trustSetUpdated`
    case updateTrustSet
    /// Read the plan's text from the cache and open the data it describes. -> `planAdopted`
    case adoptPlan(PlanStanding)
    /// Verify the model and put it where predictions read it. -> `done` or `modelRefused`
    case adoptModel(ModelReference)
    /// Verify the base model and see that there is data to train on. -> `done` or `modelRefused`
    case prepare(RoundAssignment)
    /// Train, reporting progress through `trainingProgressed`. -> `trained`, or `trainingStopped` after `.stop`
    case train(RoundAssignment)
    /// Encode the difference and persist it with its header. -> `encoded`
    case encode(RoundAssignment)
    /// Persist a pending update's new header; its bytes stay. -> `done`
    case readdress(PendingUpdate)
    /// Ask whether the update is still wanted. -> `answered`, or `keptBack` where the network is not to be used for it
    case probe(PendingUpdate)
    /// -> `answered`
    case sendHeader(PendingUpdate)
    /// Send `count` bytes of the packed update from `offset`; there is no answer. -> `sent`
    case sendChunk(PendingUpdate, offset: UInt64, count: Int)
    /// -> `answered`
    case finish(PendingUpdate)
    /// Forget the persisted update: it will not be asked for again. -> `done`
    case discard(PendingUpdate)
    /// Tell the coordinator that the assignment will not be finished. -> `done`
    case decline(RoundAssignment, reason: String)
}

/// What to do about training that is under way.
package enum TrainingStep: Equatable, Sendable {
    case carryOn
    /// Tell the coordinator how far it is. -> `heartbeatAnswered` or `heartbeatFailed`
    case heartbeat(progress: Double)
    /// The connection broke; open another, training waits. -> `reconnected` or `reconnectFailed`
    case reconnect
    /// The update is no longer wanted or cannot arrive in time. -> `trainingStopped`
    case stop
}

/// When the machine acts, in seconds.
package struct SessionTiming: Sendable {
    /// Bounds of the back-off after a failure.
    package var firstRetrySeconds = 0.5
    package var retryCapSeconds = 60.0
    /// How long a check-in waits for work.
    package var checkInWaitSeconds: UInt32 = 60
    /// The shortest pause that `come back` means, so that a coordinator's 0 is no busy loop.
    package var shortestPauseSeconds = 0.1
    /// The connection is closed for longer pauses: both sides then hold nothing for an idle device.
    package var longestConnectedPauseSeconds = 30.0
    /// The part of a lease after which the next heartbeat is due; under a half, so that one may be late.
    package var heartbeatPartOfLease = 0.4
    /// The shortest lease that is believed, so that a coordinator's 0 is no flood of heartbeats.
    package var shortestLeaseSeconds = 1.0
    /// Bounds of the back-off after a certificate that could not be renewed; the old one has a third of its life left.
    package var firstRenewalRetrySeconds = 5.0
    package var renewalRetryCapSeconds = 3600.0
    /// How long a refused model is left alone: what was wrong with it may have been put right behind the same name.
    package var refusedModelSeconds = 3600.0

    package init() {}
}
