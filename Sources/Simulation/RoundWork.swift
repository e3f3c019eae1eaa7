import Aggregation
import Federation
import Learning
import Synchronization
import UpdateCodec

/// The agents' part of one round, in tasks that any thread may run in any order.
final class RoundWork: Sendable {
    let cohort: [Int]

    private let round: Int
    private let plan: Plan
    private let data: SimulatedData
    private let streams: RandomStreams
    private let shape: StudentShape
    /// What the agents start from.
    private let start: [Float]
    private let clippingNorm: Float
    private let arithmetic: StudentTrainer.Arithmetic
    /// Nil where updates are added as they are.
    private let exact: Exact?

    private final class Exact: Sendable {
        let lattice: Lattice
        let check: UpdateCheck
        let contributions: Mutex<Contributions>

        init(_ sum: ExactSum) {
            lattice = sum.lattice
            check = sum.check
            contributions = Mutex(Contributions(sum))
        }
    }

    /// - Throws: `Fault.invalid` when the plan's layers do not fit together.
    init(of simulation: borrowing Simulation, round: Int, cohort: [Int]) throws(Fault) {
        self.cohort = cohort
        self.round = round
        plan = simulation.plan
        data = simulation.data
        streams = simulation.streams
        shape = try StudentShape(plan: simulation.plan)
        start = simulation.serving.parameters
        clippingNorm = simulation.clippingNorm
        arithmetic = simulation.arithmetic
        guard simulation.sum == .lattice else {
            exact = nil
            return
        }
        var rotation = streams.stream(.rotation, round: round)
        let lattice = Lattice(
            plan: plan, clippingNorm: clippingNorm, rotationSeed: rotation.next())
        exact = Exact(ExactSum(lattice: lattice, maxWeight: plan.maxUpdateWeight))
    }

    /// How many tasks there are; where the order of adding matters they come in waves instead, when
    /// the contributions are asked for.
    var tasks: Int { exact == nil ? 0 : cohort.count }

    /// Trains the agent at `index` of the cohort and adds its update.
    func run(_ index: Int) {
        guard let exact else { return }
        do throws(Fault) {
            try contribute(index, to: exact)
        } catch {
            exact.contributions.withLock { $0.failures.note(error, at: index) }
        }
    }

    private func contribute(_ index: Int, to exact: Exact) throws(Fault) {
        let agent = agent(cohort[index])
        var random = AgentRandom(streams.stream(.agent, round: round, agent: cohort[index]))
        let update = try agent.update(on: exact.lattice, random: &random)
        do throws(UpdateRejectionError) {
            // Only adding needs to wait for the others.
            let checked = try exact.check.checked(
                update.elements, weight: agent.weight, withinClip: update.withinClip)
            try exact.contributions.withLock { (sum) throws(UpdateRejectionError) in
                try sum.fold(checked, withinClip: update.withinClip)
            }
        } catch {
            throw RoundWork.rejected(error)
        }
    }

    /// What came in, once every task has run.
    ///
    /// - Throws: `Fault.internal` when the sum has no room for it.
    func contributions(on threads: ParallelFor) throws(Fault) -> Contributions {
        guard let exact else { return floatContributions(on: threads) }
        do throws(UpdateRejectionError) {
            return try exact.contributions.withLock { (sum) throws(UpdateRejectionError) in
                try sum.foldPending()
                return sum
            }
        } catch {
            throw RoundWork.rejected(error)
        }
    }

    private static func rejected(_ error: UpdateRejectionError) -> Fault {
        Fault(.internal, "an update was rejected: \(error.reason.rawValue)")
    }

    private func floatContributions(on threads: ParallelFor) -> Contributions {
        // A sum of floats depends on its order; between waves it grows in the cohort's.
        let wave = 32
        var contributions = Contributions(
            FloatSum(parameters: start.count, clippingNorm: clippingNorm))
        for first in stride(from: 0, to: cohort.count, by: wave) {
            let agents = cohort[first..<min(first + wave, cohort.count)].map {
                (number: $0, agent: agent($0))
            }
            let deltas = Mutex([Int: [Float]]())
            let failures = Mutex(contributions.failures)
            threads(agents.count) { [self] index in
                var random = AgentRandom(
                    streams.stream(.agent, round: round, agent: agents[index].number))
                do throws(Fault) {
                    let delta = try agents[index].agent.change(random: &random)
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

    private func agent(_ number: Int) -> VirtualAgent {
        VirtualAgent(
            plan: plan, shape: shape, start: start,
            examples: data.train.subset(data.partition.rows(of: number)), arithmetic: arithmetic)
    }
}
