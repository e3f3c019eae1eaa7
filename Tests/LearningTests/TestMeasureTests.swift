import Federation
import Learning
import Testing

@Suite("How a model is measured")
struct TestMeasureTests {
    /// A model of two features that reproduces the first within [-1, 1] and takes the second to be 0.
    private func reconstructor() throws -> (int8: QuantizedModel, fp32: FloatStudent) {
        let shape = try StudentShape(widths: [2, 2], relu: [false])
        let normalisation = Normalisation(offset: [0], scale: [1])
        let parameters: [Float] = [1, 0, 0, 0, 0, 0, -4.844, -4.844]
        return (
            try QuantizedModel(
                parameters: parameters, shape: shape, normalisation: normalisation),
            try FloatStudent(shape: shape, normalisation: normalisation, parameters: parameters)
        )
    }

    private func measures(_ table: Table) throws -> [Double] {
        let models = try reconstructor()
        var table = table
        return [
            try models.int8.measure(.reconstruction, on: &table),
            try models.fp32.measure(.reconstruction, on: &table),
        ]
    }

    @Test("reconstruction by the share of pairs in which the anomaly is the more unusual")
    func ranking() throws {
        // Scores grow with the second feature: normal 0.1, 0.3, 0.5; anomalies 0.4, 0.9.
        let values: [Float] = [0.5, 0.1, 0.2, 0.3, -0.5, 0.5, 0.1, 0.4, 0.3, 0.9]
        let mixed = Table(features: 2, values: values, classes: [0, 0, 0, 1, 2])
        for measure in try measures(mixed) { #expect(measure == 5.0 / 6) }
        let turned = Table(features: 2, values: values, classes: [1, 1, 1, 0, 0])
        for measure in try measures(turned) { #expect(measure == 1.0 / 6) }
    }

    @Test("equal scores by half, however many batches they take")
    func ties() throws {
        let same = Table(
            features: 2, values: (0..<300).flatMap { _ in [Float(0), 0.5] },
            classes: (0..<300).map { Int32($0 % 3) })
        for measure in try measures(same) { #expect(measure == 0.5) }
    }

    @Test("reconstruction not at all on examples of one kind")
    func oneKind() throws {
        let normal = Table(features: 2, values: [0, 0, 1, 1], classes: [0, 0])
        let fault = #expect(throws: Fault.self) { try measures(normal) }
        #expect(fault?.message.contains("2 normal examples") == true)
    }

    @Test("reconstruction without labels by the share of the variance that it explains")
    func unlabelled() throws {
        // The first feature is reproduced to within a rounding, the second, of a fifth of the
        // variance, not at all.
        var table = Table(
            features: 2, values: [0.5, 0.25, -0.5, 0.25, 0.5, -0.25, -0.5, -0.25],
            classes: [0, 0, 0, 0])
        table.hasLabels = false
        for measure in try measures(table) { #expect(abs(measure - 0.8) < 0.001) }
        var same = Table(features: 2, values: [1, 2, 1, 2], classes: [0, 0])
        same.hasLabels = false
        let fault = #expect(throws: Fault.self) { try measures(same) }
        #expect(fault?.message.contains("all 2 test examples are the same") == true)
    }

    @Test("classification by accuracy")
    func classification() throws {
        let models = try reconstructor()
        var table = Table(features: 2, values: [1, 0, -1, 0, 0.5, 0], classes: [0, 1, 1])
        #expect(try models.int8.measure(.classification, on: &table) == 2.0 / 3)
        #expect(try models.fp32.measure(.classification, on: &table) == 2.0 / 3)
    }
}
