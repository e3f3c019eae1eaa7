import AgentService
import Federation
import Foundation
import Testing

@Suite("Rounds in 24 hours")
struct RecentRoundsTests {
    let directory: TemporaryDirectory
    let plan: PlanID

    init() throws {
        directory = try TemporaryDirectory()
        plan = try planID("pumps")
    }

    private var rounds: RecentRounds { RecentRounds(file: "\(directory.path)/rounds") }

    @Test("each round counts once, over restarts too, and the one at hand not against itself")
    func counts() throws {
        var rounds = rounds
        #expect(rounds.count() == 0)
        for number in [7, 7, 8] as [UInt64] { try rounds.take(plan, RoundID(number)) }
        #expect(rounds.count() == 2)
        #expect(rounds.count(besides: (plan, RoundID(8))) == 1)
        #expect(rounds.count(besides: (plan, RoundID(9))) == 2)
        var restarted = self.rounds
        #expect(restarted.count() == 2)
        try restarted.take(plan, RoundID(8))
        try restarted.take(try planID("valves"), RoundID(8))
        #expect(self.rounds.count() == 3)
    }

    @Test(
        "what is older than a day is forgotten; what a clock that was set back made later is not for ever"
    )
    func ages() throws {
        let now = Int(Date().timeIntervalSince1970)
        let text = """
            \(now - 86_500) pumps/1
            \(now - 86_000) pumps/2
            \(now + 1_000_000) pumps/3
            """
        try directory.write(Array(text.utf8), to: "rounds")
        var rounds = rounds
        #expect(rounds.count() == 2)
        try rounds.take(plan, RoundID(4))
        let kept = try String(contentsOfFile: "\(directory.path)/rounds", encoding: .utf8)
        let times = try kept.split(separator: "\n").map {
            try #require(Int($0.split(separator: " ")[0]))
        }
        #expect(times.count == 3)
        #expect(times.allSatisfy { $0 <= now + 60 })
    }

    @Test("a file that is damaged counts as empty, line by line")
    func damaged() throws {
        let now = Int(Date().timeIntervalSince1970)
        try directory.write(
            Array("x pumps/1\n\n\(now)\n\(now) pumps/2 more\n\(now) pumps/3\n".utf8), to: "rounds")
        #expect(rounds.count() == 1)
    }
}
