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
    let startedAt: MonotonicInstant
    var machine: RoundMachine
    var sum: ExactSum
    var uploads: [AgentID: Upload] = [:]
    /// Agents whose finished upload is being recorded; a second finish must not count twice.
    var finishing: Set<AgentID> = []
    var phase = RoundPhase.selecting
    var cancelledBy: String?
    /// Updates that were refused.
    var rejected = 0
    /// Payload of updates received.
    var bytesIn: UInt64 = 0
    /// Fires at every event the round's driver should look at.
    let events = Signal()

    init(
        at: RoundAttempt, job: UInt64, plan: PlanRuntime, base: StoredModel, lattice: Lattice,
        latticeID: Digest, population: Set<AgentID>, now: MonotonicInstant
    ) {
        self.at = at
        self.job = job
        self.plan = plan
        self.base = base
        self.lattice = lattice
        self.latticeID = latticeID
        startedAt = now
        machine = RoundMachine(
            rules: SelectionRules(plan: plan.plan), population: population, now: now)
        sum = ExactSum(
            lattice: lattice, maxWeight: plan.plan.maxUpdateWeight)
    }
}
