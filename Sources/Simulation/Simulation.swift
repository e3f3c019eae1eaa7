import Aggregation
package import Federation
package import Learning
import Privacy
import Rounds

/// Runs a body for each index in 0 ..< count, in any order and on as many threads as the caller
/// likes, and returns when all are done.
package typealias ParallelFor = @Sendable (_ count: Int, _ body: @Sendable (Int) -> Void) -> Void

/// Federated rounds of a plan over virtual agents in one process: deployment's training, encoding,
/// aggregation and noise, without its network, clocks and storage.
///
/// Everything random comes from one seed, so runs with the same seed agree in every bit, whatever
/// the number of threads. Nothing here protects anybody: noise from a seed is no secret.
package struct Simulation: Sendable {
    /// The plan, made to fit the population.
    package let plan: Plan
    /// Rounds that have run.
    package private(set) var rounds = 0

    let data: SimulatedData
    let streams: RandomStreams
    let arithmetic: StudentTrainer.Arithmetic
    let sum: UpdateSum
    private(set) var serving: SimulatedModel
    private let teaching: SimulatedTeaching?
    /// The fp32 weights of the serving model.
    private var master: [Float]
    private var optimizer: ServerOptimizer
    /// C of the next round: the plan's, until an adaptive one moves.
    package private(set) var clippingNorm: Float
    /// What the serving model scored; nil until it is measured.
    private var servingAccuracy: Double?
    /// What the last version that was measured scored.
    private var lastAccuracy: Double?

    /// A simulation before its first round.
    ///
    /// - Parameters:
    ///   - plan: without privacy each round selects `round.agents`; a private plan counts on as
    ///     many agents as the data's partition says, those without rows included.
    ///   - parameters: the first student's, in `StudentShape`'s order.
    ///   - teaching: what a plan with distillation after rounds needs; others do not look at it.
    ///   - arithmetic: int8 is what is deployed. In float32 nothing is rounded: not the students,
    ///     not their updates, not the noise.
    ///   - sum: how updates are added; nil for the lattice with int8, floats with float32.
    /// - Throws: `Fault.invalid` when `parameters` does not fit the plan, no agent holds a row,
    ///   `teaching` is missing, or a private plan's delta is too large for so many agents.
    package init(
        plan: Plan, parameters: [Float], data: SimulatedData, teaching: SimulatedTeaching? = nil,
        seed: UInt64, arithmetic: StudentTrainer.Arithmetic = .int8, sum: UpdateSum? = nil
    ) throws(Fault) {
        let partition = data.partition
        guard partition.agents > 0 else {
            throw Fault(
                .invalid, "no virtual agent holds an example",
                remedy: "check the data directory")
        }
        guard teaching != nil || plan.distillation.postRoundEpochs == 0 else {
            throw Fault(
                .invalid, "the plan distils after each round, and there is no teacher",
                remedy: "begin with a student distilled from public data, or remove"
                    + " post_round_epochs")
        }
        self.teaching = teaching
        self.plan = try Simulation.fit(plan, agents: partition.agents + partition.withoutRows)
        self.data = data
        self.arithmetic = arithmetic
        self.sum = sum ?? (arithmetic == .int8 ? .lattice : .float)
        streams = RandomStreams(seed: seed)
        master = parameters
        clippingNorm = plan.clipping.norm
        optimizer = ServerOptimizer(plan: plan.server, velocity: [])
        serving = try SimulatedModel(parameters: parameters, plan: plan, arithmetic: arithmetic)
    }

    private static func fit(_ plan: Plan, agents: Int) throws(Fault) -> Plan {
        var plan = plan
        guard let privacy = plan.privacy else { return plan }
        guard privacy.delta * Double(agents) < 1 else {
            throw Fault(
                .invalid, "the plan's delta \(privacy.delta) is not below 1 / \(agents) agents",
                remedy: "lower delta in the plan's [privacy] section")
        }
        plan.privacy?.agents = agents
        return plan
    }

    /// The parameters that agents start from in the next round.
    package var parameters: [Float] { serving.parameters }

    /// The epsilon spent so far; nil in a plan without privacy.
    package var epsilon: Double? { Simulation.epsilon(of: plan, after: rounds) }

    /// What so many rounds of a plan that fits its population spend; nil without privacy.
    package static func epsilon(of plan: Plan, after rounds: Int) -> Double? {
        plan.privacy.map { PrivacyBudget(plan: $0, roundsCharged: rounds).epsilon }
    }

    /// Why no round may follow so many; nil when one may.
    private func refusal(after rounds: Int) -> Fault? {
        plan.privacy.flatMap { PrivacyBudget(plan: $0, roundsCharged: rounds).refusal() }
    }

    /// What the next round begins with.
    package var state: SimulationState {
        SimulationState(
            rounds: rounds, clippingNorm: clippingNorm, lastAccuracy: lastAccuracy, master: master,
            velocity: optimizer.velocity)
    }

    /// Goes on from `state`, which the same plan, data and seed came to.
    ///
    /// - Throws: `Fault.invalid` when its weights are not of this plan; the simulation is as before then.
    package mutating func resume(from state: SimulationState) throws(Fault) {
        serving = try SimulatedModel(parameters: state.master, plan: plan, arithmetic: arithmetic)
        master = state.master
        optimizer = ServerOptimizer(plan: plan.server, velocity: state.velocity)
        clippingNorm = state.clippingNorm
        rounds = state.rounds
        lastAccuracy = state.lastAccuracy
        servingAccuracy = nil
    }

    /// What the serving model scores on the test examples, see `QuantizedModel.measure`; nil
    /// without any.
    ///
    /// - Throws: `Fault.invalid` when they do not fit the plan.
    package mutating func accuracy(on threads: ParallelFor) throws(Fault) -> Double? {
        guard servingAccuracy == nil, let measurement = measurement() else {
            return servingAccuracy
        }
        threads(measurement.parts) { measurement.measure($0) }
        servingAccuracy = try measurement.score()
        lastAccuracy = servingAccuracy
        return servingAccuracy
    }

    private func measurement() -> Measurement? {
        data.test.map {
            Measurement(of: serving, objective: plan.training.objective, on: $0)
        }
    }

    /// Runs the next round and measures the model it leaves.
    ///
    /// - Throws: `Fault.exhausted` when the budget does not allow it, `Fault.conflict` when too few
    ///   agents could train, `Fault.invalid` when none of those selected could or the new weights are
    ///   unusable; the simulation then is as before.
    package mutating func runRound(on threads: ParallelFor) throws(Fault) -> SimulatedRound {
        var last: SimulatedRound?
        _ = try accuracy(on: threads)
        try run(until: rounds + 1, on: threads) { round, _ in last = round }
        guard let last else { throw Fault(.internal, "the round left nothing") }
        return last
    }

    /// Runs rounds until `last` of them have run, and measures every `measureEvery`-th, counted from
    /// the first, and the last, also when the budget allows no other.
    ///
    /// While a model is measured agents of the next round train, so that no thread waits for another.
    ///
    /// - Parameter body: gets each round in order, and what the one after it begins with.
    /// - Throws: as `runRound`, and what `body` throws. Rounds that `body` was given have run; the
    ///   simulation goes on from their states.
    package mutating func run(
        until last: Int, measureEvery: Int = 1, on threads: ParallelFor,
        _ body: (SimulatedRound, SimulationState) throws(Fault) -> Void
    ) throws(Fault) {
        precondition(measureEvery > 0)
        var pending: Pending?
        var refusal = rounds < last ? self.refusal(after: rounds) : nil
        while rounds < last {
            if let refusal {
                if let pending {
                    measure(pending, on: threads)
                    try finish(pending, body)
                }
                throw refusal
            }
            let number = rounds + 1
            let work = try RoundWork(of: self, round: number, cohort: cohort(of: number))
            let measurement = pending?.measurement
            let agents = work.tasks
            threads(agents + (measurement?.parts ?? 0)) { index in
                if index < agents { work.run(index) } else { measurement?.measure(index - agents) }
            }
            let contributions = try work.contributions(on: threads)
            if let done = pending {
                pending = nil
                try finish(done, body)
            }
            refusal = number < last ? self.refusal(after: number) : nil
            let isMeasured = number % measureEvery == 0 || number == last || refusal != nil
            let round = try close(number, work.cohort.count, contributions, isMeasured: isMeasured)
            if isMeasured, let measurement = self.measurement() {
                pending = (round, state, measurement)
            } else {
                try body(round, state)
            }
        }
        if let pending {
            measure(pending, on: threads)
            try finish(pending, body)
        }
    }

    /// A round whose model is not measured yet.
    private typealias Pending = (
        round: SimulatedRound, state: SimulationState, measurement: Measurement
    )

    private func measure(_ pending: Pending, on threads: ParallelFor) {
        let measurement = pending.measurement
        threads(measurement.parts) { measurement.measure($0) }
    }

    /// Completes a round whose measurement is done.
    private mutating func finish(
        _ pending: Pending, _ body: (SimulatedRound, SimulationState) throws(Fault) -> Void
    ) throws(Fault) {
        let accuracy = try pending.measurement.score()
        let fell = (lastAccuracy ?? accuracy) - accuracy
        lastAccuracy = accuracy
        if pending.round.number == rounds { servingAccuracy = accuracy }
        var (round, state) = (pending.round, pending.state)
        round.accuracy = accuracy
        round.wouldBeRefused = fell > plan.sealing.maxAccuracyDrop
        state.lastAccuracy = accuracy
        try body(round, state)
    }

    /// Moves the model by what came in; everything stays as it is when that fails.
    private mutating func close(
        _ number: Int, _ selected: Int, _ contributions: Contributions, isMeasured: Bool
    ) throws(Fault) -> SimulatedRound {
        try checkCount(contributions, of: selected)
        var noise = streams.stream(.noise, round: number)
        let released = try contributions.released(plan: plan, noise: &noise)
        var (moved, nextOptimizer) = (master, optimizer)
        try nextOptimizer.step(master: &moved, average: released.average)
        let distilled = try distilled(moved, round: number)
        moved = distilled?.parameters ?? moved
        serving = try SimulatedModel(parameters: moved, plan: plan, arithmetic: arithmetic)
        (master, optimizer) = (moved, nextOptimizer)
        let norm = clippingNorm
        clippingNorm = released.nextClippingNorm
        rounds = number
        servingAccuracy = nil
        return SimulatedRound(
            number: number, selected: selected, reported: contributions.count,
            withinClip: contributions.withinClip, clippingNorm: norm,
            firstFault: contributions.failures.fault, accuracy: nil,
            epsilon: isMeasured ? epsilon : nil, distillation: distilled?.trial,
            wouldBeRefused: false)
    }

    /// As a coordinator distils what it has released; nil when the plan does not want it.
    private func distilled(
        _ moved: [Float], round: Int
    ) throws(Fault) -> PostRoundDistillation? {
        guard let teaching, plan.distillation.postRoundEpochs > 0 else { return nil }
        var training = teaching.training.subset(Array(0..<teaching.training.count)[...])
        var heldOut = teaching.heldOut.subset(Array(0..<teaching.heldOut.count)[...])
        var random = streams.stream(.distillation, round: round)
        return try PostRoundDistillation(
            of: moved, teacher: teaching.teacher, plan: plan, arithmetic: arithmetic,
            on: &training, heldOut: &heldOut, random: &random)
    }

    private func checkCount(_ contributions: Contributions, of selected: Int) throws(Fault) {
        // A private round may be empty, but what no agent can do, none will in the next one.
        if contributions.count == 0, selected > 0, let fault = contributions.failures.fault,
            fault.code == .invalid
        {
            throw fault
        }
        let minimum = SelectionRules(plan: plan).minimum
        let isEnough =
            contributions.count >= minimum && (contributions.count > 0 || plan.privacy != nil)
        guard !isEnough else { return }
        let reason = AbandonReason.tooFewReports(got: contributions.count, minimum: minimum)
        throw contributions.failures.fault
            ?? Fault(.conflict, reason.description, remedy: "simulate more agents")
    }

    /// The agents that take part: in a private plan as their coins fall, otherwise as many as the
    /// plan wants, all equally likely.
    private func cohort(of round: Int) -> [Int] {
        var random = streams.stream(.cohort, round: round)
        let rules = SelectionRules(plan: plan)
        let agents = data.partition.agents
        guard let target = rules.target else {
            var drawn: [Int] = []
            for agent in 0..<agents where rules.drawCoin(random: &random) { drawn.append(agent) }
            return drawn
        }
        return sample(target, below: agents, &random)
    }

}
