import RunRecords
import Testing

@Suite("A comparison of runs")
struct RunComparisonTests {
    @Test("shows what differs, and nothing that does not")
    func differences() {
        var slow = sampleRecord()
        slow.parameters["training.learning_rate"] = .number(0.01)
        slow.options.seed = 2
        slow.summary.accuracyLast = 0.5
        let comparison = RunComparison([sampleRecord(), slow])
        #expect(
            comparison.differences == [
                RunComparison.Row(name: "seed", values: [.text("1"), .text("2")]),
                RunComparison.Row(
                    name: "training.learning_rate", values: [.number(0.1), .number(0.01)]),
            ])
        let accuracy = comparison.results.first { $0.name == "accuracy_last" }
        #expect(accuracy?.values == [.number(0.75), .number(0.5)])
    }

    @Test("leaves a gap where a run has no such value")
    func gaps() {
        var other = sampleRecord()
        other.parameters["privacy.delta"] = .number(1e-5)
        other.parameters["training.learning_rate"] = nil
        let comparison = RunComparison([sampleRecord(), other])
        #expect(
            comparison.differences.map(\.values) == [[nil, .number(1e-5)], [.number(0.1), nil]])
    }

    @Test("of equal runs shows no difference, and what all of them came to")
    func equal() {
        let comparison = RunComparison([sampleRecord(), sampleRecord(), sampleRecord()])
        #expect(comparison.differences.isEmpty)
        #expect(comparison.results.allSatisfy { $0.values.count == 3 })
    }
}
