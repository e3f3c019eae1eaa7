import Wire

// The queue of jobs and the coordinator's state as JSON.

extension JobSummary {
    var json: JSONValue {
        .object([
            ("job", .number(job)), ("plan", .string(plan)), ("state", .string(state)),
            ("detail", .string(detail)), ("rounds_wanted", .number(UInt64(roundsWanted))),
            ("rounds_done", .number(UInt64(roundsDone))), ("created_unix", .number(createdUnix)),
            ("scheduled", .bool(scheduled)),
        ])
    }
}

extension StatusRecord {
    var json: JSONValue {
        .object([
            ("state", .string(state)), ("detail", .string(detail)), ("remedy", .string(remedy)),
            ("version", .string(version)), ("up_seconds", .decimal(upSeconds)),
            ("connections", .number(UInt64(connections))),
            ("connection_limit", limit(UInt64(connectionLimit))),
            ("uploads", .number(UInt64(uploads))), ("upload_bytes", .number(uploadBytes)),
            ("upload_byte_limit", limit(uploadByteLimit)), ("shed", .number(shed)),
            ("agents", .number(UInt64(agents))), ("agents_here", .number(UInt64(agentsHere))),
            ("agents_unavailable", .number(UInt64(agentsUnavailable))),
            ("jobs_running", .number(UInt64(jobsRunning))),
            ("jobs_queued", .number(UInt64(jobsQueued))), ("rounds", .array(rounds.map(\.json))),
        ])
    }

    private func limit(_ number: UInt64) -> JSONValue { number > 0 ? .number(number) : .null }
}
