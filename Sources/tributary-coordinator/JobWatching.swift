import AdminConsole
import Configuration
import Console
import Federation
import Wire

extension ConsoleCommand {
    /// Shows how a job goes until it has ended; Ctrl-C leaves it running.
    ///
    /// - Throws: `Fault.conflict` when it ends without all its rounds.
    func watch(_ job: JobRecord, _ client: inout AdminClient) throws(Fault) {
        let again = "tributary-coordinator job watch \(job.job) --dir \(common.directory)"
        WatchedWork.leave(
            with: "\njob \(job.job) goes on; watch it again with `\(again)`\n")
        let stream = progressStream
        var display = WatchDisplay(on: stream.screen, goal: goal(of: job.plan, &client))
        let last: JobRecord
        do throws(Fault) {
            last = try client.follow(job) { stream.write(display.update($0)) }
        } catch {
            // Whoever starts it once more would have it twice.
            throw Fault(
                error.code, error.message,
                remedy: "job \(job.job) goes on when the coordinator does; watch it with `\(again)`"
            )
        }
        guard last.state == "finished" else {
            throw Fault(
                .conflict,
                "the job ended after \(last.roundsDone) of \(counted(last.roundsWanted, "round")):"
                    + " \(last.standing)",
                remedy: "`tributary-coordinator round list \(last.plan)` shows every round")
        }
        show(last.json, last.summary)
    }

    /// What the plan aims at; what cannot be found out is left out of the display.
    private func goal(of plan: String, _ client: inout AdminClient) -> WatchDisplay.Goal {
        guard case .plan(let record)? = try? client.perform(.planShow(PlanShow(plan: plan))),
            let read = try? PlanFile.parse(record.text, file: plan)
        else { return WatchDisplay.Goal() }
        if case .poisson? = read.privacy?.sampling {
            return WatchDisplay.Goal(maxEpsilon: read.privacy?.maxEpsilon)
        }
        return WatchDisplay.Goal(
            agents: read.round.agents, maxEpsilon: read.privacy?.maxEpsilon)
    }
}
