import Federation
import RunRecords
import Testing

@Suite("The worked example of RunRecords")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let sweeps = [
            try Sweep(parsing: "learning_rate=0.01,0.1"), try Sweep(parsing: "seed=1,2,3"),
        ]
        let runs = try Sweep.combinations(sweeps)

        #expect(runs.count == 6)
    }
}
