import AdminConsole
import Testing
import Wire

@Suite("The progress display")
struct ProgressDisplayTests {
    private let clear = "\r\u{1B}[K"
    private let heading =
        "round    reports  accuracy    epsilon   received       sent       time\n"
    private let firstLine =
        "    1      12/12    0.8412      123.5    1.2 MiB    1.2 MiB      6.1 s\n"

    private func job(state: String = "running", _ rounds: [RoundRecord]) -> JobRecord {
        JobRecord(
            job: 1, plan: "fashion", roundsWanted: 15,
            roundsDone: UInt32(rounds.count(where: \.published)), state: state, rounds: rounds,
            agentsWaiting: 12, epsilon: 123.456, delta: 1e-5, noiseMultiplier: 0.05,
            agentsForEpsilon4: 1100)
    }

    private var published: RoundRecord {
        RoundRecord(
            round: 1, phase: "published", seconds: 6.1, selected: 12, reported: 12,
            modelVersion: 1, published: true, accuracy: 0.8412, epsilon: 123.456,
            bytesIn: 1_240_000, bytesOut: 1_310_000)
    }

    private var training: RoundRecord {
        RoundRecord(
            round: 2, phase: "training", seconds: 2, selected: 12, reported: 5, accuracy: -1,
            bytesIn: 500_000, bytesOut: 1_300_000)
    }

    @Test("in a file there is a heading and one line a round, each once")
    func file() {
        var display = ProgressDisplay(width: nil)
        #expect(display.update(job([])) == heading)
        #expect(display.update(job([published])) == firstLine)
        #expect(display.update(job([published, training])) == "")
    }

    @Test("on a terminal a live line follows the finished ones and is drawn over")
    func terminal() {
        var display = ProgressDisplay(width: 80)
        #expect(
            display.update(job([])) == clear + heading
                + "waiting for round 1 of 15, 12 agents here")
        #expect(
            display.update(job([published, training])) == clear + firstLine
                + "    2       5/12  training, 488.3 KiB received, 1.2 MiB sent, 2.0 s")
        #expect(display.update(job(state: "finished", [published, training])) == clear)
    }

    @Test("the live line never wraps")
    func narrow() {
        var display = ProgressDisplay(width: 20)
        _ = display.update(job([]))
        let text = display.update(job([training]))
        #expect(text.dropFirst(clear.count).count == 19)
        #expect(text.hasSuffix("…"))
    }

    @Test(
        "distillation after a round is told below it",
        arguments: [(true, "kept"), (false, "dropped")])
    func distilled(accepted: Bool, word: String) {
        var display = ProgressDisplay(width: nil)
        var round = published
        round.distillation = DistillationRecord(
            accuracyBefore: 0.84, accuracyAfter: 0.855, accepted: accepted)
        #expect(
            display.update(job([round])) == heading + firstLine
                + "       distilled: 0.8400 to 0.8550 held out, \(word)\n")
    }

    @Test("an abandoned round says why")
    func abandoned() {
        var display = ProgressDisplay(width: nil)
        let round = RoundRecord(round: 7, phase: "abandoned", reason: "too few agents")
        #expect(
            display.update(job(state: "failed", [round])) == heading + "    7  too few agents\n")
    }

    @Test("a plan's stages are told once each in a file, and live on a terminal")
    func plan() {
        let teacher = PlanRecord(state: "preparing", detail: "training the teacher", progress: 0.25)
        let ready = PlanRecord(state: "ready", progress: 1)
        var file = ProgressDisplay(width: nil)
        #expect(file.update(teacher) == "preparing: training the teacher\n")
        #expect(file.update(teacher) == "")
        #expect(file.update(ready) == "ready\n")
        var terminal = ProgressDisplay(width: 80)
        #expect(terminal.update(teacher) == clear + "preparing: training the teacher 25 %")
        #expect(terminal.update(ready) == clear)
    }

    @Test("the summary says what the privacy cost and how many agents would make it good")
    func summary() {
        #expect(
            job(state: "finished", [published]).summary == """
                job 1 of fashion: 1 of 15 rounds, finished
                model version 1, accuracy 0.8412
                epsilon 123.5 at delta 1e-05, noise multiplier 0.05; about 1100 agents would \
                bring it to 4 at the same noise per parameter

                """)
        let open = JobRecord(job: 2, plan: "p", roundsWanted: 1, state: "finished", epsilon: -1)
        #expect(
            open.summary
                == "job 2 of p: 0 of 1 round, finished\n"
                + "no noise: this plan gives no privacy guarantee\n")
    }
}
