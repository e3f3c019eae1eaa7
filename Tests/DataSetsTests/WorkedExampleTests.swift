import DataSets
import Federation
import Testing

@Suite("The worked example of DataSets")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let labels: [Int32] = (0..<300).map { $0 % 10 }
        var random = SeededRandom(seed: 7)
        let shares = DirichletPartition.partition(
            labels: labels, agents: 3, alpha: 0.5, random: &random)

        #expect(shares.count == 3)
        #expect(shares.joined().sorted() == Array(0..<300))
    }
}
