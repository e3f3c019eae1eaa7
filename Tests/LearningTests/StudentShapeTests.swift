import Federation
import Learning
import Testing

@Suite("Student shapes")
struct StudentShapeTests {
    let training = TrainingPlan(epochs: 1, batchSize: 1, learningRate: 0, momentum: 0)

    @Test("a plan's shape has the plan's widths and as many parameters as the plan counts")
    func fromPlan() throws {
        let plan = try examplePlan(widths: [784, 128, 10], training: training)
        let shape = try StudentShape(plan: plan)
        #expect(shape.widths == [784, 128, 10])
        #expect(shape.relu == [true, false])
        #expect(shape.parameterCount == 101_773)
        #expect(shape.parameterCount == plan.parameterCount)
    }

    @Test("weights, then bias, layer by layer, then one scale an activation, without gaps")
    func order() throws {
        let shape = try StudentShape(widths: [3, 5, 2], relu: [true, false])
        #expect(shape.parameterRanges(layer: 0).weights == 0..<15)
        #expect(shape.parameterRanges(layer: 0).bias == 15..<20)
        #expect(shape.parameterRanges(layer: 1).weights == 20..<30)
        #expect(shape.parameterRanges(layer: 1).bias == 30..<32)
        #expect(shape.logScaleOffset == 32)
        #expect(shape.parameterCount == 35)
        #expect((0...2).map { shape.zeroPoint(activation: $0) } == [0, -128, 0])
    }

    @Test(
        "an impossible shape is refused",
        arguments: [
            ([4], []), ([4, 2], []), ([4, 2], [true, false]), ([4, 0], [false]),
            ([-1, 2], [false]),
            ([40_000, 2], [false]),
        ])
    func refused(widths: [Int], relu: [Bool]) {
        #expect(throws: Fault.self) { try StudentShape(widths: widths, relu: relu) }
    }
}
