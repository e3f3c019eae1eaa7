import Aggregation
import Federation
import Foundation
import Testing

@Suite("Server optimisers")
struct ServerOptimizerTests {
    @Test("FedAvgM follows Flower's five-step trace")
    func trace() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let text = try String(
            contentsOf: folder.appendingPathComponent("Fixtures/fedavgm.csv"), encoding: .utf8)
        var optimizer = ServerOptimizer(
            plan: ServerPlan(learningRate: 1, momentum: 0.9), velocity: [])
        var master: [Float] = []
        var average: [Float] = []
        var steps = 0
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let cells = line.split(separator: ",")
            let numbers = cells.dropFirst().compactMap { Float($0) }
            try #require(numbers.count == 6)
            switch cells[0] {
            case "start": master = numbers
            case "average": average = numbers
            default:
                try optimizer.step(
                    master: &master, average: zip(average, master).map { $0 - $1 })
                steps += 1
                for (ours, theirs) in zip(master, numbers) {
                    #expect(abs(ours - theirs) < 2e-6, "step \(steps)")
                }
            }
        }
        #expect(steps == 5)
    }

    @Test("FedAvg adds the learning rate times the average")
    func fedAvg() throws {
        var optimizer = ServerOptimizer(
            plan: ServerPlan(learningRate: 0.5, momentum: 0), velocity: [])
        var master: [Float] = [1, 2, 3]
        try optimizer.step(master: &master, average: [2, -4, 0])
        #expect(master == [2, 0, 3])
        try optimizer.step(master: &master, average: [2, 0, 0])
        #expect(master == [3, 0, 3])
    }

    @Test("the velocity carries on from a saved one")
    func savedVelocity() throws {
        let plan = ServerPlan(learningRate: 1, momentum: 0.5)
        var straight = ServerOptimizer(plan: plan, velocity: [])
        var master: [Float] = [0, 0]
        try straight.step(master: &master, average: [1, 2])
        var resumed = ServerOptimizer(plan: plan, velocity: straight.velocity)
        var copy = master
        try straight.step(master: &master, average: [1, 1])
        try resumed.step(master: &copy, average: [1, 1])
        #expect(master == [2.5, 4])
        #expect(copy == master)
        #expect(resumed.velocity == straight.velocity)
    }

    @Test(
        "a step that is not finite is refused and changes nothing",
        arguments: [Float.nan, .infinity, -.greatestFiniteMagnitude])
    func notFinite(value: Float) {
        var optimizer = ServerOptimizer(
            plan: ServerPlan(learningRate: 2, momentum: 0.9), velocity: [1, 1, 1])
        var master: [Float] = [1, 2, 3]
        let fault = #expect(throws: Fault.self) {
            try optimizer.step(master: &master, average: [1, value, 1])
        }
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("parameter 1 ") == true)
        #expect(master == [1, 2, 3])
        #expect(optimizer.velocity == [1, 1, 1])
    }

    @Test("parameters moved some at a time, by an optimiser each, move as all of them together")
    func runs() throws {
        let plan = ServerPlan(learningRate: 0.3, momentum: 0.9)
        let values = (0..<100).map { Float($0 * 37 % 101) * 0.01 - 0.5 }
        let velocity = Array(values.reversed())
        let average = values.map { $0 * $0 }
        var whole = ServerOptimizer(plan: plan, velocity: velocity)
        var master = values
        try whole.step(master: &master, average: average)
        var pieces: (master: [Float], velocity: [Float]) = ([], [])
        for run in [0..<30, 30..<31, 31..<100] {
            var optimizer = ServerOptimizer(plan: plan, velocity: Array(velocity[run]))
            var piece = Array(values[run])
            try optimizer.step(
                master: &piece, average: Array(average[run]), first: run.lowerBound)
            pieces.master += piece
            pieces.velocity += optimizer.velocity
        }
        #expect(pieces.master == master && pieces.velocity == whole.velocity)
        var last = ServerOptimizer(plan: plan, velocity: [])
        var infinite: [Float] = [1, .infinity]
        let fault = #expect(throws: Fault.self) {
            try last.step(master: &infinite, average: [0, 0], first: 98)
        }
        #expect(fault?.message.contains("parameter 99 ") == true)
    }

    @Test("sizes that do not fit are refused")
    func sizes() {
        let plan = ServerPlan(learningRate: 1, momentum: 0.9)
        for (velocity, average) in [([], [1]), ([1], [1, 2]), ([], [])] as [([Float], [Float])] {
            var optimizer = ServerOptimizer(plan: plan, velocity: velocity)
            var master: [Float] = [1, 2]
            let fault = #expect(throws: Fault.self) {
                try optimizer.step(master: &master, average: average)
            }
            #expect(fault?.code == .invalid)
            #expect(master == [1, 2])
        }
    }
}
