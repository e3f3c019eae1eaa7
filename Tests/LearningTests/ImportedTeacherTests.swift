import Federation
import Learning
import Testing

@Suite("A teacher from elsewhere")
struct ImportedTeacherTests {
    private let data = DataPlan(
        format: .idx(features: "features", labels: "labels"), features: 2, classes: 2,
        offset: [1], scale: [2])

    /// Weights and bias of the two layers, and scales that fp32 does not look at.
    private let parameters: [Float] =
        [1, 0, 0, 1, -1, -1, 0, 0, 0.5] + [1, 2, 3, -1, -2, -3, 0, 0.25] + [7, 7, 7]

    private func shape(_ units: [Int]) throws -> StudentShape {
        try StudentShape(teacher: TeacherPlan.dense(units), data: data)
    }

    @Test("computes its layers on normalised features")
    func logits() throws {
        var teacher = try Teacher(shape: try shape([3, 2]), parameters: parameters, data: data)
        // Normalised: (1, -2) and (0.5, 0.5); hidden: (1, 0, 1.5) and (0.5, 0.5, 0).
        let logits = teacher.logits(raw: [3, -3, 2, 2], rows: 2)
        #expect(logits == [5.5, -5.25, 1.5, -1.25])
        #expect(teacher.inputs == 2)
        #expect(teacher.classes == 2)
        var table = Table(features: 2, values: [3, -3, 2, 2], classes: [0, 1])
        #expect(try teacher.accuracy(on: &table) == 0.5)
    }

    @Test("that does not fit the plan is refused")
    func refusals() throws {
        func message(_ make: () throws -> Teacher) -> String {
            let fault = #expect(throws: Fault.self) { try make() }
            #expect(fault?.code == .invalid)
            return fault?.message ?? ""
        }
        let shape = try shape([3, 2])
        #expect(
            message { try Teacher(shape: self.shape([3]), parameters: [], data: data) }
                .contains("3 outputs, the plan 2 classes"))
        #expect(
            message {
                try Teacher(shape: shape, parameters: Array(parameters.dropLast()), data: data)
            }.contains("19 parameters"))
        var broken = parameters
        broken[12] = .nan
        #expect(
            message { try Teacher(shape: shape, parameters: broken, data: data) }
                .contains("a parameter of layer 2 is nan"))
        let image = DataPlan(
            format: .idx(features: "features", labels: "labels"), features: 12, classes: 2,
            shape: [1, 3, 4], offset: [1], scale: [2])
        let layers = LayerPlan.dense([2])
        let unfit = message {
            let shape = try StudentShape(teacher: layers, data: image)
            return try Teacher(shape: shape, parameters: [], data: image)
        }
        #expect(unfit.contains("'layer0' is dense") && unfit.contains("[1, 3, 4]"))
    }
}
