import AgentService
import AgentSession
import Federation
import Testing

@Suite("The worked example of AgentService")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let temporary = try TemporaryDirectory()
        let path = temporary.path

        var rules = ParticipationRules()
        rules.minMemoryMiB = 1 << 24  // 16 TiB
        let conditions = WorkConditions(rules, of: StateDirectory(path: path))
        let findings = conditions.examine()
        let obstacles = findings.filter { !$0.holds }.map(\.detail)

        #expect(obstacles.count == 1, "\(findings)")
    }
}
