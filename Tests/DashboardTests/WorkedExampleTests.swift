import Dashboard
import Testing

@Suite("The worked example of Dashboard")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let line = sparkline([0.81, 0.85, 0.88], saying: "Accuracy from .81 to .88")
        let count = grouped(101_773)

        #expect(line.contains("<svg") && line.contains("Accuracy from .81 to .88"))
        #expect(count == "101,773")
    }
}
