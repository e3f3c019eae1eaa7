import Federation
import Testing

@Suite("Phases of a round")
struct RoundTests {
    @Test("a round goes forward one phase at a time, or is abandoned, and nothing follows the end")
    func transitions() {
        let forward: [RoundPhase] = [.selecting, .training, .aggregating, .sealing, .published]
        for from in RoundPhase.allCases {
            for to in RoundPhase.allCases {
                let isNext = zip(forward, forward.dropFirst()).contains { $0 == (from, to) }
                let isAbandoned = to == .abandoned && forward.dropLast().contains(from)
                #expect(from.mayBecome(to) == (isNext || isAbandoned), "\(from) to \(to)")
            }
        }
    }

    @Test("published and abandoned are final")
    func final() {
        #expect(RoundPhase.allCases.filter(\.isFinal) == [.published, .abandoned])
    }

    @Test("phases are stored by name, and an unknown name is none")
    func names() {
        for phase in RoundPhase.allCases { #expect(RoundPhase(rawValue: "\(phase)") == phase) }
        #expect(RoundPhase(rawValue: "Selecting") == nil)
        #expect(RoundPhase(rawValue: "") == nil)
    }

    @Test("the reason of an abandoned round names its numbers")
    func reasons() {
        #expect("\(AbandonReason.tooFewReports(got: 3, minimum: 8))".contains("3 updates"))
        #expect("\(AbandonReason.tooFewReports(got: 3, minimum: 8))".contains("needs 8"))
        #expect("\(AbandonReason.tooFewReports(got: 1, minimum: 8))".contains("only 1 update "))
        #expect("\(AbandonReason.tooFewSelected(got: 1, minimum: 2))".contains("1 agent was ready"))
        #expect("\(AbandonReason.tooFewSelected(got: 0, minimum: 2))".contains("needs 2"))
        #expect("\(AbandonReason.cancelled(by: "ann"))" == "cancelled by ann")
    }
}
