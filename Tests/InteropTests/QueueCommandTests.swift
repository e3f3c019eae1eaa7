import Foundation
import Glibc
import Testing

/// `job list --json`.
private struct JobsAnswer: Decodable {
    struct Job: Decodable, Equatable {
        let job: UInt64
        let state: String
        let detail: String
    }

    let jobs: [Job]
}

/// What the coordinator's `status --json` says.
private struct CoordinatorAnswer: Decodable {
    let state: String
    let jobsRunning: Int
    let jobsQueued: Int
    let rounds: [RoundAnswer]
}

/// What of `plan show --json` concerns its queue.
private struct QueueAnswer: Decodable {
    let pausedReason: String
    let jobsOpen: Int
    let waitsFor: String
}

extension InteropTests {
    @Suite("The commands for a plan's queue")
    struct QueueCommandTests {
        @Test(
            "pause it, list it, cancel from it and show its state, across a kill of the coordinator"
        )
        func queue() async throws {
            try await ExampleFleet.withFleet([.beads]) { fleet in
                let plan = ExamplePlan.beads.name
                let running: JobAnswer = try await fleet.administer(["round", "start", plan])
                #expect(running.state == "running")
                let paused: QueueAnswer = try await fleet.administer(
                    ["plan", "pause", plan, "--reason", "holidays"])
                #expect(paused.pausedReason == "holidays")
                let queued: JobAnswer = try await fleet.administer(
                    ["round", "start", plan, "--rounds", "3", "--idempotency-key", "k"])
                #expect(queued.state == "queued")

                try await fleet.process().signal(SIGKILL)
                #expect(try await fleet.process().end(within: 10) == -SIGKILL)
                try await fleet.serve()
                let again: JobAnswer = try await fleet.administer(
                    ["round", "start", plan, "--rounds", "3", "--idempotency-key", "k"])
                #expect(again.job == queued.job)

                // Nobody is there for its round, which went on although the plan is paused.
                let status: CoordinatorAnswer = try await fleet.administer(["status"])
                #expect(status.state == "serving")
                #expect(status.jobsRunning == 1 && status.jobsQueued == 1)
                #expect(status.rounds.count == 1)
                let ended: JobAnswer = try await fleet.administer(
                    ["job", "cancel", "\(running.job)", "--reason", "enough"])
                #expect(ended.state == "cancelled")
                #expect(ended.rounds.map(\.reason) == ["cancelled by admin: enough"])
                let jobs: JobsAnswer = try await fleet.administer(["job", "list", plan, "--open"])
                #expect(
                    jobs.jobs == [
                        JobsAnswer.Job(
                            job: queued.job, state: "queued", detail: "the plan is paused: holidays"
                        )
                    ])
                let waiting: QueueAnswer = try await fleet.administer(["plan", "show", plan])
                #expect(waiting.jobsOpen == 1 && waiting.waitsFor == "the plan is paused: holidays")
                let resumed: QueueAnswer = try await fleet.administer(["plan", "resume", plan])
                #expect(resumed.pausedReason == "")
                let shown: JobAnswer = try await fleet.administer(["job", "show", "\(queued.job)"])
                #expect(shown.state == "running")
            }
        }
    }
}
