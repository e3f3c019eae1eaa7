import Federation
import Foundation
import NIOSSL

extension Load {
    /// Rounds that are measured, after one that is not.
    private static let rounds = 5
    /// Seconds for which TLS alone is measured beside each.
    private static let sinkSeconds = 1.0

    /// Updates of 100,000 parameters from devices that have them all ready, against what TLS alone takes in beside each
    /// round, on as many connections as submit at a time. What is timed is what a device says once it is trained: probe, header, update, finish, each answered.
    ///
    /// - Parameter file: of `make bench`, which gets the medians.
    func ingest(devices: Int, results file: String?) async throws -> Bool {
        let plan = LoadPlan(
            name: "updates", features: 784, hidden: 127, agents: devices, reportSeconds: 300)
        let identities = try await prepare(plan, devices: devices, restarts: true)
        let uploaders = Uploaders(plan: plan.name)
        let start = ContinuousClock.now
        try await uploaders.connect(
            identities, authorities: coordinator.authorities, to: coordinator.address)
        say("connected", devices, "in", seconds(since: start), "s")
        var intakes: [Intake] = []
        for round in 0...Self.rounds {
            try coordinator.administer(["round", "start", plan.name])
            try await wait(seconds: 120, for: "every device has work", uploaders) {
                uploaders.waiting == devices
            }
            let sink = try BareSink(
                writeBytes: uploaders.updateBytes, certificatesOf: coordinator,
                client: identities[0])
            let limit = try await sink.rate(
                connections: Uploaders.window, window: 1, seconds: Self.sinkSeconds)
            let single = try await sink.rate(
                connections: 1, window: 8, seconds: Self.sinkSeconds / 2)
            say("TLS alone on one connection:", single / 1e9, "GB/s")
            let intake = try await takeIn(uploaders, devices: devices, sinkRate: limit)
            say(intake.description)
            if round > 0 { intakes.append(intake) }
            try await wait(seconds: 60, for: "the round is over", uploaders) {
                try coordinator.rounds(of: plan).allSatisfy(\.isOver)
            }
            uploaders.checkIn()
        }
        say("updates of", uploaders.updateBytes, "bytes")
        say("memory", try coordinator.memory.now, "MiB, peak", try coordinator.memory.peak)
        try await uploaders.disperse()
        let rate = median(intakes.map(\.updatesPerSecond))
        let ratio = median(intakes.map(\.ratio))
        if let file {
            try record(
                [
                    "ingest_updates_per_second": Measured(
                        value: rate, unit: "updates/s", limit: rate / ratio),
                    "ingest_tls": Measured(
                        value: median(intakes.map(\.rate)) / 1e9, unit: "GB/s",
                        limit: median(intakes.map(\.sinkRate)) / 1e9),
                ], in: file)
        }
        var findings = Findings()
        findings.note("ingest_updates_per_second", rate, atLeast: 6000)
        findings.note("ingest_tls, of what TLS alone takes in", ratio, atLeast: 0.2)
        return findings.passed
    }

    private func takeIn(
        _ uploaders: Uploaders, devices: Int, sinkRate: Double
    ) async throws -> Intake {
        let before = (coordinator: try coordinator.processorSeconds, load: ownProcessorSeconds())
        let start = ContinuousClock.now
        uploaders.begin()
        // As many as can submit at a time, and no fewer towards the end.
        while uploaders.waiting > 0 { try await moment(uploaders, since: start) }
        let updates = uploaders.accepted
        let intake = Intake(
            updates: updates, bytes: uploaders.updateBytes, seconds: seconds(since: start),
            coordinatorSeconds: try coordinator.processorSeconds - before.coordinator,
            loadSeconds: ownProcessorSeconds() - before.load, sinkRate: sinkRate)
        while uploaders.accepted < devices { try await moment(uploaders, since: start) }
        return intake
    }

    private func moment(
        _ uploaders: Uploaders, since start: ContinuousClock.Instant
    ) async throws {
        try await Task.sleep(for: .milliseconds(1))
        guard seconds(since: start) < 120, uploaders.notes.isEmpty else {
            throw Fault(.unavailable, "\(uploaders.accepted) accepted: \(uploaders.notes)")
        }
    }

    private func wait(
        seconds limit: Double, for what: String, _ uploaders: Uploaders,
        until condition: () throws -> Bool
    ) async throws {
        let start = ContinuousClock.now
        while try !condition() {
            guard seconds(since: start) < limit, uploaders.notes.isEmpty else {
                throw Fault(
                    .unavailable, "not until \(what): \(uploaders.waiting) \(uploaders.notes)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// One round's updates, all ready when it began, until the last of them has begun to be sent.
private struct Intake {
    let updates: Int
    /// Of one update.
    let bytes: Int
    let seconds: Double
    /// Of the processors.
    let coordinatorSeconds: Double
    let loadSeconds: Double
    /// Bytes a second that TLS alone took in just before.
    let sinkRate: Double

    var updatesPerSecond: Double { Double(updates) / seconds }
    /// Bytes a second.
    var rate: Double { updatesPerSecond * Double(bytes) }
    var ratio: Double { rate / sinkRate }

    var description: String {
        let each = 1e6 / Double(updates)
        return String(
            format: "%.0f updates/s, %.3f GB/s, %.3f of %.3f GB/s; an update takes %.0f us of the"
                + " coordinator and %.0f us of the load, of both processors",
            updatesPerSecond, rate / 1e9, ratio, sinkRate / 1e9, coordinatorSeconds * each,
            loadSeconds * each)
    }
}

/// An entry of the results' file.
private struct Measured: Codable {
    let value: Double
    let unit: String
    let limit: Double
    let ratio: Double

    init(value: Double, unit: String, limit: Double) {
        self.value = value
        self.unit = unit
        self.limit = limit
        ratio = value / limit
    }
}

/// Adds `entries` to what `file` holds.
private func record(_ entries: [String: Measured], in file: String) throws {
    let url = URL(filePath: file)
    var all: [String: Measured] = [:]
    if let before = try? Data(contentsOf: url) {
        all = try JSONDecoder().decode([String: Measured].self, from: before)
    }
    all.merge(entries) { $1 }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try (encoder.encode(all) + Data("\n".utf8)).write(to: url)
}

private func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
}

private func ownProcessorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
