import Federation
import Learning
import Simulation
import Testing

@Suite("A simulated plan with targets")
struct RegressionTests {
    /// Rows of 6 numbers in [-1, 1] and two targets: one linear in them, one a product and a square;
    /// each with noise of a tenth of its spread, in units far from 1.
    private func measurements(_ count: Int, seed: UInt64) -> Table {
        var random = SeededRandom(seed: seed)
        func uniform() -> Float { Float(random.next() >> 40) / Float(1 << 23) - 1 }
        var table = Table(features: 6, values: [], classes: [], targets: 2)
        for _ in 0..<count {
            let row = (0..<6).map { _ in uniform() }
            table.values += row
            table.classes.append(0)
            table.answers.append(1000 + 100 * (row[0] - 2 * row[1] + 0.3 * uniform()))
            table.answers.append(0.01 * (row[2] * row[3] + row[4] * row[4] + 0.1 * uniform()))
        }
        return table
    }

    private func plan() throws -> Plan {
        var plan = try clusterPlan()
        plan.data.classes = 0
        plan.data.targets = TargetPlan(
            columns: ["power", "wear"], offset: [1000, 0.003], scale: [130, 0.0045])
        plan.layers = LayerPlan.dense([24, 2])
        plan.teacher = .none
        plan.training = TrainingPlan(epochs: 4, batchSize: 16, learningRate: 0.03, momentum: 0.9)
        plan.training.objective = .regression
        plan.clipping.norm = 5
        return plan
    }

    private func simulated(_ arithmetic: StudentTrainer.Arithmetic) throws -> [Double] {
        let plan = try plan()
        var train = ResidentExamples(features: 6, targets: 2)
        var test = train
        var (source, other) = (measurements(1500, seed: 1), measurements(500, seed: 2))
        try train.append(&source)
        try test.append(&other)
        var random = SeededRandom(seed: 3)
        let partition = try PartitionRule.iid.divided(
            train, classes: plan.data.classes, agents: 5, random: &random)
        let shape = try StudentShape(plan: plan)
        var parameters = initialParameters(shape, random: &random)
        try calibrate(
            &parameters, shape: shape, normalisation: Normalisation(plan: plan.data), on: &source,
            random: &random)
        var simulation = try Simulation(
            plan: plan, parameters: parameters,
            data: SimulatedData(train: train, partition: partition, test: test), seed: 4,
            arithmetic: arithmetic)
        let orders: ParallelFor = { count, body in for index in 0..<count { body(index) } }
        var scores = [try #require(try simulation.accuracy(on: orders))]
        for _ in 0..<20 {
            scores.append(try #require(try simulation.runRound(on: orders).accuracy))
        }
        return scores
    }

    @Test("learns linear and other targets", arguments: [StudentTrainer.Arithmetic.int8, .float32])
    func learns(arithmetic: StudentTrainer.Arithmetic) throws {
        let scores = try simulated(arithmetic)
        #expect(scores[0] < 0.5)
        #expect(scores[20] > 0.9, "\(scores)")
    }

    @Test("is not divided by classes", arguments: ["dirichlet:0.5", "labels:1"])
    func partition(rule: String) throws {
        var examples = ResidentExamples(features: 6, targets: 2)
        var source = measurements(5, seed: 1)
        try examples.append(&source)
        var random = SeededRandom(seed: 1)
        let fault = #expect(throws: Fault.self) {
            try PartitionRule(parsing: rule).divided(
                examples, classes: 0, agents: 2, random: &random)
        }
        #expect(fault?.message.contains("without classes") == true)
    }

    @Test("takes no examples of other targets")
    func otherTargets() throws {
        var examples = ResidentExamples(features: 6, targets: 1)
        var source = measurements(5, seed: 1)
        let fault = #expect(throws: Fault.self) { try examples.append(&source) }
        #expect(fault?.message.contains("2 targets a row") == true)
    }
}
