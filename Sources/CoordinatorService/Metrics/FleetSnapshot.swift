import Federation
import Telemetry

/// How the fleet is at one moment, as its metrics tell it.
struct FleetSnapshot: Sendable {
    /// Agents that are enrolled, each in one of these.
    struct Agents: Sendable, Equatable {
        /// Waits for work. Who trains for a private round is not told from them.
        var ready = 0
        /// Trains or sends an update for a round that is not private.
        var working = 0
        /// Takes no work now, by its owner's rules.
        var unavailable = 0
        /// Was not heard from when it was due.
        var absent = 0
        var revoked = 0
    }

    var agents = Agents()
    var counts = FleetCounts()
    var load = LoadReport()
    var storage = StorageState.serving
    /// Bytes that are free on the state directory's disk, and its size.
    var disk: (free: UInt64, size: UInt64)?
    /// Bytes of it that are to stay free.
    var leastFree: UInt64 = 0
    var isSetBack = false
    var jobs = (running: 0, queued: 0)
    var logEntries: UInt64?
    /// The last second of a certificate, Unix time, by what it is for.
    var certificateEnds: [(String, Int64)] = []
    var plans: [PlanSnapshot] = []

    /// Every metric of the fleet.
    ///
    /// - Parameter tellsCounts: whether what counts a private round's cohort is told: to its curator, on this machine.
    func families(tellsCounts: Bool) -> [MetricFamily] {
        agentFamilies + connectionFamilies + stateFamilies
            + uploadFamilies(tellsCounts: tellsCounts)
            + PlanSnapshot.families(of: plans, tellsCounts: tellsCounts)
    }

    private var agentFamilies: [MetricFamily] {
        [
            .gauge(
                "tributary_agents",
                "Agents ever enrolled: ready for work, working for a round that is not private,"
                    + " unavailable by their owner's rules, absent when they were due, revoked.",
                by: "state",
                [
                    ("ready", Double(agents.ready)), ("working", Double(agents.working)),
                    ("unavailable", Double(agents.unavailable)),
                    ("absent", Double(agents.absent)), ("revoked", Double(agents.revoked)),
                ]),
            .counter(
                "tributary_check_ins_total", "Check-ins that were answered, by answer.",
                by: "answer",
                FleetCounts.CheckIn.allCases.map { ($0.rawValue, counts.checkIns[$0] ?? 0) }),
            .counter("tributary_enrolments_total", "Devices that enrolled.", counts.enrolled),
            .counter(
                "tributary_certificate_renewals_total", "Certificates renewed for devices.",
                counts.renewed),
            .counter(
                "tributary_model_refusals_total",
                "Models that an agent refused: their signature, proof or key did not verify there.",
                counts.modelsRefused),
        ]
    }

    private var connectionFamilies: [MetricFamily] {
        [
            .gauge(
                "tributary_connections", "Connections open now, of agents and people.",
                Double(load.connections)),
            .gauge(
                "tributary_connections_limit", "Connections of agents that may be open.",
                Double(load.connectionLimit)),
            .counter(
                "tributary_connections_refused_total",
                "Connections turned away by what [limits] of coordinator.toml says.", load.shed),
            .counter(
                "tributary_handshakes_total", "TLS handshakes that ended, by result.",
                by: "result",
                [("completed", load.handshakes), ("failed", load.handshakesFailed)]),
        ]
    }

    private var stateFamilies: [MetricFamily] {
        var families: [MetricFamily] = [
            .gauge(
                "tributary_storage_state",
                "1 at the state that the storage is in; it begins nothing new unless it serves.",
                by: "state",
                ["serving", "storage full", "read only"].map {
                    ($0.replacing(" ", with: "_"), $0 == storage.name ? 1 : 0)
                }),
            .gauge(
                "tributary_storage_min_free_bytes",
                "Bytes that are to stay free on the state directory's disk (min_free_mib).",
                Double(leastFree)),
            .gauge(
                "tributary_state_set_back",
                "1 when an agent has shown that this state is not the newest; no round starts.",
                isSetBack ? 1 : 0),
            .gauge(
                "tributary_jobs", "Jobs that have not ended, by state.", by: "state",
                [("running", Double(jobs.running)), ("queued", Double(jobs.queued))]),
            .gauge(
                "tributary_certificate_expiry_timestamp_seconds",
                "The last second of the certificate, Unix time.", by: "certificate",
                certificateEnds.map { ($0.0, Double($0.1)) }),
        ]
        if let disk {
            families += [
                .gauge(
                    "tributary_storage_free_bytes", "Bytes free on the state directory's disk.",
                    Double(disk.free)),
                .gauge(
                    "tributary_storage_size_bytes", "Size of the state directory's disk.",
                    Double(disk.size)),
            ]
        }
        if let logEntries {
            families.append(
                .gauge(
                    "tributary_log_entries", "Entries of the transparency log.", Double(logEntries))
            )
        }
        return families
    }

    /// Withheld while a private round may be what the uploads are for.
    private func uploadFamilies(tellsCounts: Bool) -> [MetricFamily] {
        let limit = MetricFamily.gauge(
            "tributary_uploads_in_flight_limit_bytes",
            "Memory for updates that are being received (uploads_in_flight_mib).",
            Double(load.uploadByteLimit))
        guard tellsCounts || !plans.contains(where: { $0.isPrivate && $0.round != nil }) else {
            return [limit]
        }
        return [
            limit,
            .gauge(
                "tributary_uploads_in_flight", "Updates that are being received.",
                Double(load.uploads)),
            .gauge(
                "tributary_uploads_in_flight_bytes", "Bytes of updates that are being received.",
                Double(load.uploadBytes)),
        ]
    }
}
