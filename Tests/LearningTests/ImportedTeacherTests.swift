import Federation
import Learning
import Testing

@Suite("A teacher from elsewhere")
struct ImportedTeacherTests {
    private let plan = DataPlan(
        format: .idx(features: "features", labels: "labels"), features: 2, classes: 2,
        offset: [1], scale: [2])

    private let layers = [
        ImportedLayer(weights: [1, 0, 0, 1, -1, -1], bias: [0, 0, 0.5]),
        ImportedLayer(weights: [1, 2, 3, -1, -2, -3], bias: [0, 0.25]),
    ]

    @Test("computes dense layers with ReLU between them, on normalised features")
    func logits() throws {
        var teacher = try Teacher(layers: layers, plan: plan)
        // Normalised: (1, -2) and (0.5, 0.5); hidden: (1, 0, 1.5) and (0.5, 0.5, 0).
        let logits = teacher.logits(raw: [3, -3, 2, 2], rows: 2)
        #expect(logits == [5.5, -5.25, 1.5, -1.25])
        #expect(teacher.inputs == 2)
        #expect(teacher.classes == 2)
        var table = Table(features: 2, values: [3, -3, 2, 2], classes: [0, 1])
        #expect(try teacher.accuracy(on: &table) == 0.5)
    }

    @Test("that does not fit the plan is refused, naming the layer")
    func refusals() {
        func message(_ layers: [ImportedLayer]) -> String {
            let fault = #expect(throws: Fault.self) { try Teacher(layers: layers, plan: plan) }
            #expect(fault?.code == .invalid)
            return fault?.message ?? ""
        }
        #expect(message([]).contains("0 outputs"))
        #expect(message([layers[0]]).contains("3 outputs"))
        #expect(message([layers[1]]).contains("layer 0"))
        #expect(message([layers[0], layers[0], layers[1]]).contains("layer 1"))
        #expect(
            message([
                layers[0], ImportedLayer(weights: [1, 2, 3, .nan, 1, 1], bias: [0, 0]),
            ]).contains("layer 1 of the teacher holds"))
        let empty = ImportedLayer(weights: [], bias: [])
        #expect(message([empty, ImportedLayer(weights: [], bias: [0, 0])]).contains("layer 0"))
    }
}
