import Federation
import Foundation

/// The loads, each with what it must not exceed.
struct Load {
    let coordinator: CoordinatorProcess

    /// Devices that are connected and wait; then a round among them, with an admin beside it.
    func idle(devices: Int) async throws -> Bool {
        let plan = LoadPlan.small(agents: min(500, devices))
        let crowd = try await crowd(devices, plan: plan, restarts: true)
        let start = ContinuousClock.now
        try await crowd.connect(rate: CoordinatorProcess.handshakesPerSecond)
        try await wait(seconds: 300, for: "all have checked in") {
            crowd[.checkedIn] == devices && crowd.present == devices
        }
        say("connected", crowd.present, "in", seconds(since: start), "s")
        try await Task.sleep(for: .seconds(20))
        let idle = try coordinator.memory
        say("idle: memory", idle.now, "MiB, peak", idle.peak)
        let quiet = try latency(commands: 20)
        let scrapes = try (0..<20).map { _ in try coordinator.scrape() }
        say("a scrape of the metrics:", scrapes[0].bytes, "bytes")
        let (round, busy) = try await run(plan, crowd)
        let after = try coordinator.memory
        say("after the round: memory", after.now, "MiB, peak", after.peak)
        report(crowd)
        try await crowd.disperse()
        var findings = Findings()
        findings.note("idle memory, MiB", idle.now, atMost: 600)
        findings.note("memory peak, MiB", after.peak, atMost: 600)
        findings.note("admin command while idle, slowest, s", quiet, atMost: 0.2)
        findings.note(
            "scrape of the metrics while idle, slowest, s", scrapes.map(\.seconds).max() ?? 0,
            atMost: 0.2)
        findings.note("admin command during the round, slowest, s", busy, atMost: 0.2)
        findings.note("round of \(plan.agents), s", round, atMost: 300)
        return findings.passed
    }

    /// A hundred devices fetch a wide model and submit updates as large.
    func models(megabytes: Int) async throws -> Bool {
        let plan = LoadPlan.wide(parameters: megabytes * 1_000_000, agents: 100)
        let crowd = try await crowd(100, plan: plan, downloads: true, restarts: true)
        try await crowd.connect(rate: 100)
        try await wait(seconds: 60, for: "all have checked in") { crowd[.checkedIn] == 100 }
        let start = try coordinator.memory
        say("before: memory", start.now, "MiB, peak", start.peak)
        let (round, busy) = try await run(plan, crowd)
        let after = try coordinator.memory
        report(crowd)
        try await crowd.disperse()
        var findings = Findings()
        findings.note("memory peak, MiB", after.peak, atMost: 400)
        findings.note("admin command, slowest, s", busy, atMost: 0.2)
        findings.note("round of 100, s", round, atMost: 1800)
        return findings.passed
    }

    /// The coordinator is killed and started again.
    func restart(devices: Int) async throws -> Bool {
        let plan = LoadPlan.small(agents: min(500, devices))
        let crowd = try await crowd(devices, plan: plan, restarts: false)
        try await crowd.connect(rate: 500)
        try await wait(seconds: 60, for: "all have checked in") { crowd[.checkedIn] == devices }
        crowd.forgetFailures()
        coordinator.kill()
        try await wait(seconds: 10, for: "all have noticed") { crowd.present == 0 }
        let restart = ContinuousClock.now
        try await coordinator.serve()
        try await wait(seconds: 180, for: "all are back") { crowd.present == devices }
        let back = seconds(since: restart)
        report(crowd)
        let busiest = crowd.busiestSecond(since: restart)
        try await crowd.disperse()
        var findings = Findings()
        findings.note("all \(devices) back, s", back, atMost: 60)
        // A handshake ends some time after the coordinator began it, so a few more may end in one second.
        findings.note(
            "handshakes in the busiest second", Double(busiest),
            atMost: Double(CoordinatorProcess.handshakesPerSecond) * 1.25)
        return findings.passed
    }

    // MARK: Steps

    private func crowd(
        _ count: Int, plan: LoadPlan, downloads: Bool = false, restarts: Bool
    ) async throws -> Crowd {
        try Crowd(
            try await prepare(plan, devices: count, restarts: restarts),
            authorities: coordinator.authorities, address: coordinator.address, plan: plan.name,
            downloads: downloads)
    }

    /// Has the coordinator serve `plan`, and enrols as many devices.
    func prepare(
        _ plan: LoadPlan, devices count: Int, restarts: Bool
    ) async throws -> [KeptIdentity] {
        try coordinator.initialise([plan])
        try await coordinator.serve()
        // What an earlier run left open would go on.
        for round in try coordinator.rounds(of: nil) where !round.isOver {
            try coordinator.administer(["round", "cancel", "\(round.number)"])
        }
        try await coordinator.apply(plan)
        let start = ContinuousClock.now
        let identities = try await KeptIdentity.kept(count, in: coordinator.identities) {
            say("enrolling", $0, "devices")
            return try coordinator.token(uses: $0)
        }
        say("enrolled in", seconds(since: start), "s")
        if restarts {
            // What making the first model took is no part of the measurement.
            coordinator.stop()
            try await coordinator.serve()
        }
        return identities
    }

    /// Runs one round to its end.
    ///
    /// - Returns: how long it took, and how long the slowest admin command beside it took, in seconds.
    private func run(_ plan: LoadPlan, _ crowd: Crowd) async throws -> (Double, Double) {
        let start = ContinuousClock.now
        let earlier = try coordinator.rounds(of: plan).map(\.number).max() ?? 0
        try coordinator.administer(["round", "start", plan.name])
        var slowest = 0.0
        var most = 0.0
        while true {
            try await Task.sleep(for: .milliseconds(100))
            let asked = ContinuousClock.now
            let rounds = try coordinator.rounds(of: plan)
            slowest = max(slowest, seconds(since: asked))
            most = max(most, try coordinator.memory.now)
            switch rounds.first(where: { $0.number > earlier })?.phase {
            case "published":
                say("round: published, most memory", most, "MiB")
                return (seconds(since: start), slowest)
            case "abandoned":
                report(crowd)
                throw Fault(.conflict, "the round was abandoned")
            default: break
            }
        }
    }

    private func latency(commands: Int) throws -> Double {
        try (0..<commands).map { _ in try coordinator.administer(["plan", "list"]).seconds }.max()
            ?? 0
    }

    private func report(_ crowd: Crowd) {
        say(
            Crowd.Happening.allCases.map { "\($0) \(crowd[$0])" }.joined(separator: ", "))
        for (note, count) in crowd.notes.sorted(by: { $0.value > $1.value }).prefix(10) {
            say("  \(count) x \(note)")
        }
    }

    private func wait(
        seconds limit: Double, for what: String, until condition: () -> Bool
    ) async throws {
        let start = ContinuousClock.now
        while !condition() {
            guard seconds(since: start) < limit else {
                throw Fault(.unavailable, "it took longer than \(Int(limit)) s until \(what)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    func seconds(since start: ContinuousClock.Instant) -> Double {
        Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000
    }
}

/// What was measured, beside what is allowed.
struct Findings {
    private(set) var passed = true

    mutating func note(_ what: String, _ value: Double, atMost limit: Double) {
        note(what, value, holds: value <= limit, "at most \(limit)")
    }

    mutating func note(_ what: String, _ value: Double, atLeast limit: Double) {
        note(what, value, holds: value >= limit, "at least \(limit)")
    }

    private mutating func note(_ what: String, _ value: Double, holds: Bool, _ limit: String) {
        passed = passed && holds
        say("\(holds ? "ok  " : "FAIL") \(what): \(String(format: "%.3f", value)) (\(limit))")
    }
}

/// Prints a line at once, also where the output is a file.
func say(_ words: Any...) {
    print(words.map { "\($0)" }.joined(separator: " "))
    fflush(nil)
}
