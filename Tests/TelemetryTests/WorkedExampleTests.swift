import Telemetry
import Testing

@Suite("The worked example of Telemetry")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let rounds = MetricFamily.counter(
            "tributary_rounds_total", "Rounds that ended.", by: "outcome",
            [("published", 12), ("abandoned", 1)])
        let text = rounds.text

        #expect(text.contains("# TYPE tributary_rounds_total counter\n"))
        #expect(text.contains("tributary_rounds_total{outcome=\"published\"} 12\n"))
    }
}
