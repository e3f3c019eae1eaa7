import Aggregation
package import Federation
package import Learning
import Privacy
import Rounds
import Synchronization
import UpdateCodec

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

    private let data: SimulatedData
    private let teaching: SimulatedTeaching?
    private let streams: RandomStreams
    private let arithmetic: StudentTrainer.Arithmetic
    private let sum: UpdateSum
    /// The fp32 weights of the serving model.
    private var master: [Float]
    private var serving: SimulatedModel
    private var optimizer: ServerOptimizer
    /// C of the next round: the plan's, until an adaptive one moves.
    package private(set) var clippingNorm: Float
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
    package var epsilon: Double? { budget?.epsilon }

    private var budget: PrivacyBudget? {
        plan.privacy.map { PrivacyBudget(plan: $0, roundsCharged: rounds) }
    }

    /// What the serving model scores on the test examples, see `QuantizedModel.measure`; nil
    /// without any.
    ///
    /// - Throws: `Fault.invalid` when they do not fit the plan.
    package mutating func accuracy(on threads: ParallelFor) throws(Fault) -> Double? {
        guard let examples = data.test, lastAccuracy == nil else { return lastAccuracy }
        let (model, objective) = (serving, plan.training.objective)
        let rows = Array(0..<examples.count)
        // A ranking is of all examples at once.
        let rowsAtATime = objective == .classification ? 1000 : max(1, rows.count)
        let tally = Mutex((score: 0.0, failures: FirstFault()))
        threads((rows.count + rowsAtATime - 1) / rowsAtATime) { index in
            let start = index * rowsAtATime
            var part = examples.subset(rows[start..<min(start + rowsAtATime, rows.count)])
            do throws(Fault) {
                let score = try model.measure(objective, on: &part) * Double(part.count)
                // Whole numbers of correct answers, so that the order of adding leaves no trace.
                tally.withLock {
                    $0.score += objective == .classification ? score.rounded() : score
                }
            } catch {
                tally.withLock { $0.failures.note(error, at: index) }
            }
        }
        let result = tally.withLock { $0 }
        if let fault = result.failures.fault { throw fault }
        lastAccuracy = result.score / Double(rows.count)
        return lastAccuracy
    }

    /// Runs the next round.
    ///
    /// - Throws: `Fault.exhausted` when the budget does not allow it, `Fault.conflict` when too few
    ///   agents could train, `Fault.invalid` when the new weights are unusable; the simulation then
    ///   is as before.
    package mutating func runRound(on threads: ParallelFor) throws(Fault) -> SimulatedRound {
        if let refusal = budget?.refusal() { throw refusal }
        let before = try accuracy(on: threads)
        let number = rounds + 1
        let cohort = cohort(of: number)
        let contributions = contributions(of: cohort, round: number, on: threads)
        try checkCount(contributions)
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
        lastAccuracy = nil
        let after = try accuracy(on: threads)
        let fell = (before ?? 0) - (after ?? 0)
        return SimulatedRound(
            number: number, selected: cohort.count, reported: contributions.count,
            withinClip: contributions.withinClip, clippingNorm: norm,
            firstFault: contributions.failures.fault, accuracy: after, epsilon: epsilon,
            distillation: distilled?.trial, wouldBeRefused: fell > plan.sealing.maxAccuracyDrop)
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

    private func checkCount(_ contributions: Contributions) throws(Fault) {
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
            return (0..<agents).filter { _ in rules.drawCoin(random: &random) }
        }
        // The beginning of a Fisher and Yates shuffle, holding only the places that moved.
        var moved: [Int: Int] = [:]
        return (0..<min(target, agents)).map { place in
            let other = Int.random(in: place..<agents, using: &random)
            defer { moved[other] = moved[place] ?? place }
            return moved[other] ?? other
        }
    }

    private func contributions(
        of cohort: [Int], round: Int, on threads: ParallelFor
    ) -> Contributions {
        switch sum {
        case .lattice: exactContributions(of: cohort, round: round, on: threads)
        case .float: floatContributions(of: cohort, round: round, on: threads)
        }
    }

    private func exactContributions(
        of cohort: [Int], round: Int, on threads: ParallelFor
    ) -> Contributions {
        var rotation = streams.stream(.rotation, round: round)
        let lattice = Lattice(
            plan: plan, clippingNorm: clippingNorm, rotationSeed: rotation.next())
        let start = serving.parameters
        let contributions = Mutex(
            Contributions(ExactSum(lattice: lattice, maxWeight: plan.maxUpdateWeight)))
        threads(cohort.count) { [self] index in
            let agent = agent(cohort[index], start: start)
            var random = streams.stream(.agent, round: round, agent: cohort[index])
            do throws(Fault) {
                let update = try agent.update(on: lattice, random: &random)
                contributions.withLock {
                    $0.fold(
                        update.elements, withinClip: update.withinClip, weight: agent.weight,
                        at: index)
                }
            } catch {
                contributions.withLock { $0.failures.note(error, at: index) }
            }
        }
        return contributions.withLock { $0 }
    }

    private func floatContributions(
        of cohort: [Int], round: Int, on threads: ParallelFor
    ) -> Contributions {
        // A sum of floats depends on its order; between waves it grows in the cohort's.
        let wave = 32
        let start = serving.parameters
        var contributions = Contributions(
            FloatSum(parameters: start.count, clippingNorm: clippingNorm))
        for first in stride(from: 0, to: cohort.count, by: wave) {
            let agents = cohort[first..<min(first + wave, cohort.count)].map {
                (number: $0, agent: agent($0, start: start))
            }
            let deltas = Mutex([Int: [Float]]())
            let failures = Mutex(contributions.failures)
            threads(agents.count) { index in
                var random = streams.stream(.agent, round: round, agent: agents[index].number)
                do throws(Fault) {
                    let delta = try agents[index].agent.trained(random: &random)
                    deltas.withLock { $0[index] = delta }
                } catch {
                    failures.withLock { $0.note(error, at: first + index) }
                }
            }
            contributions.failures = failures.withLock { $0 }
            for (index, delta) in deltas.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
                contributions.fold(delta, weight: agents[index].agent.weight)
            }
        }
        return contributions
    }

    private func agent(_ number: Int, start: [Float]) -> VirtualAgent {
        VirtualAgent(
            plan: plan, start: start,
            examples: data.train.subset(data.partition.rows(of: number)), arithmetic: arithmetic)
    }
}

/// How a simulation adds its agents' updates.
package enum UpdateSum: Sendable {
    /// Rounded to the lattice, in integers, as deployment does.
    case lattice
    /// As they are, in floating point: federated averaging, against which the lattice is measured.
    case float
}

/// What a simulation trains and measures on.
package struct SimulatedData: Sendable {
    /// Every agent's examples.
    package let train: ResidentExamples
    /// Who holds which of them.
    package let partition: Partition
    /// What every version is measured on; nil to measure none.
    package let test: ResidentExamples?

    package init(train: ResidentExamples, partition: Partition, test: ResidentExamples?) {
        self.train = train
        self.partition = partition
        self.test = test
    }
}

/// What a simulated coordinator distils with after each round.
package struct SimulatedTeaching: Sendable {
    package let teacher: Teacher
    /// Public examples to learn from.
    package let training: ResidentExamples
    /// Public examples that decide; neither the teacher nor the first student learned from them.
    package let heldOut: ResidentExamples

    package init(teacher: Teacher, training: ResidentExamples, heldOut: ResidentExamples) {
        self.teacher = teacher
        self.training = training
        self.heldOut = heldOut
    }
}

/// What a round of a simulation did.
package struct SimulatedRound: Sendable, Equatable {
    /// From 1.
    package let number: Int
    /// Agents that took part, and those of them whose update counted.
    package let selected: Int
    package let reported: Int
    /// Updates that were not clipped, and the norm to which the others were.
    package let withinClip: Int
    package let clippingNorm: Float
    /// Why the first agent's update that is missing did not count.
    package let firstFault: Fault?
    /// On the test examples; nil without any.
    package let accuracy: Double?
    /// Spent so far; nil in a plan without privacy.
    package let epsilon: Double?
    /// Of distillation after the round; nil when the plan does not want it.
    package let distillation: DistillationTrial?
    /// Whether a coordinator would not publish this version, since accuracy fell by more than the
    /// plan's `max_accuracy_drop`; the simulation goes on.
    package let wouldBeRefused: Bool
}
