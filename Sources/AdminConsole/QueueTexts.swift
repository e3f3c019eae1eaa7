import Federation
import Wire

// The queue of jobs and the coordinator's state as a person reads them.

func jobTable(_ jobs: [JobSummary], on screen: Screen) -> String {
    var table = Table([
        ("JOB", .right), ("PLAN", .left), ("STATE", .state), ("ROUNDS", .right), ("BY", .left),
        ("CREATED", .left), ("DETAIL", .left),
    ])
    for job in jobs {
        table.add([
            String(job.job), job.plan, job.state, "\(job.roundsDone)/\(job.roundsWanted)",
            job.scheduled ? "schedule" : "request", date(job.createdUnix), job.detail,
        ])
    }
    return jobs.isEmpty ? "no jobs\n" : table.text(on: screen)
}

extension PlanRecord {
    /// Its schedule, its queue, and what it waits for.
    var workFacts: [(String, String)] {
        var facts = [("schedule", schedule), ("agents ready", String(agentsReady))]
        if jobsOpen > 0 { facts.append(("jobs open", String(jobsOpen))) }
        if pausedUnix > 0 {
            let why = pausedReason.isEmpty ? "" : ": \(pausedReason)"
            facts.append(("paused", "since \(date(pausedUnix))\(why)"))
        }
        if nextRoundSeconds > 0 {
            facts.append(("next round", "in \(duration(nextRoundSeconds)) at the earliest"))
        }
        if !waitsFor.isEmpty { facts.append(("waits", waitsFor)) }
        return facts
    }

    private var schedule: String {
        let every = everySeconds > 0 ? ["every \(duration(everySeconds))"] : []
        let agents = "\(counted(readyAgents, "agent")) \(readyAgents == 1 ? "is" : "are")"
        let ready = readyAgents > 0 ? ["when \(agents) ready"] : []
        return everySeconds > 0 || readyAgents > 0
            ? (every + ready).joined(separator: ", ") : "on request"
    }
}

extension StatusRecord {
    func text(on screen: Screen) -> String {
        var facts = [("state", detail.isEmpty ? state : "\(state): \(detail)")]
        if !remedy.isEmpty { facts.append(("remedy", remedy)) }
        facts += [
            ("version", version), ("up", duration(upSeconds)),
            (
                "connections",
                connectionLimit > 0 ? "\(connections) of \(connectionLimit)" : "\(connections)"
            ), ("turned away", String(shed)), ("uploads", uploadFacts),
            (
                "agents",
                "\(agents) active, \(agentsHere) here, \(agentsUnavailable) of them take no work"
            ), ("jobs", "\(jobsRunning) running, \(jobsQueued) queued"),
        ]
        let list = rounds.isEmpty ? "no round is running\n" : roundTable(rounds, on: screen)
        return keyValues(facts) + "\n" + list
    }

    private var uploadFacts: String {
        let bytes = byteCount(uploadBytes)
        return uploadByteLimit > 0
            ? "\(uploads), \(bytes) of \(byteCount(uploadByteLimit))" : "\(uploads), \(bytes)"
    }
}
