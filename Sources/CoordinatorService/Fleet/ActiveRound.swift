import Aggregation
import Federation
import Registry
import Rounds

/// A round in flight: its machine, its lattice, the sum so far and the uploads under way.
///
/// It lives inside the fleet actor and never leaves it.
final class ActiveRound {
    let at: RoundAttempt
    let job: UInt64
    let plan: PlanRuntime
    let base: StoredModel
    let lattice: Lattice
    let latticeID: Digest
    var machine: RoundMachine
    let total: RoundSum
    var uploads: [AgentID: IncomingUpload] = [:]
    /// Updates that have come whole and wait to be counted, and how many batches of them are being counted.
    var finished: [FinishedUpdate] = []
    var batches = 0
    /// The update of each agent that is in the sum.
    var counted: [AgentID: Digest] = [:]
    /// The update of each agent that is on record for this attempt. After a restart it is not in the sum until it has come
    /// again; no other takes its place.
    var recorded: [AgentID: Digest] = [:]
    /// Agents whose finished upload is being recorded; a second finish must not count twice.
    var finishing: Set<AgentID> = []
    var phase: RoundPhase
    /// Whether a job waits for its end.
    var isDriven = false
    /// Whether nothing more may be added: the next step is the charge.
    var isSumClosed = false
    /// Why it ends without a version, once that is decided.
    var ending: AbandonReason?
    /// Whether the disk failed it, so that nobody knows whether its last step was taken.
    var hasFailed = false
    /// How often it did.
    var failures = 0
    /// Who cancelled it; set while that is being written down, too.
    var cancelledBy: String?
    /// Whether this attempt's charge is counted in memory, on which refusals go.
    var hasReserved = false
    /// Whether the charge is on its way to the disk.
    var isBeingCharged = false
    /// What the population had spent with this attempt's charge, once it is charged; nil without privacy.
    var epsilonAfter: Double?
    /// What it made of its base version, before that is durable: noise is drawn once.
    var moved: Moved?
    /// The sum with its noise, on the way to that; nil again once it is stored.
    var noised: NoisedSum?
    /// The same, stored.
    var releasedSum: ReleasedSum?
    /// Updates that were refused.
    var rejected = 0
    /// Members whose work is not waited for any more: they declined, or their update was refused.
    var givenUp = 0
    /// Payload of updates received.
    var bytesIn: UInt64 = 0
    /// An update is being added, or the round is being moved on: never both, so that what was added is counted.
    let turns = Turns()
    /// Fires at every event the round's driver should look at.
    let events: Signal
    /// When this process began to drive it.
    let takenUpAt: MonotonicInstant

    /// Whether what it reserved of the budget is neither charged, as far as is known, nor on its way to be.
    var hasOpenReservation: Bool {
        hasReserved && epsilonAfter == nil && !isBeingCharged
    }

    init(
        at: RoundAttempt, job: UInt64, plan: PlanRuntime, base: StoredModel, lattice: Lattice,
        latticeID: Digest, phase: RoundPhase, machine: consuming RoundMachine,
        surroundings: Surroundings
    ) {
        events = Signal(in: surroundings)
        takenUpAt = surroundings.clock.now
        self.at = at
        self.job = job
        self.plan = plan
        self.base = base
        self.lattice = lattice
        self.latticeID = latticeID
        self.phase = phase
        self.machine = machine
        total = RoundSum(ExactSum(lattice: lattice, maxWeight: plan.plan.maxUpdateWeight))
    }
}
