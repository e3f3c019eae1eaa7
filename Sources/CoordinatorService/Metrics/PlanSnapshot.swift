import Federation
import Telemetry

/// How a plan is at one moment, as the metrics tell it.
struct PlanSnapshot: Sendable {
    /// Its round in flight.
    struct Round: Sendable, Equatable {
        let phase: String
        /// How long this process has driven it, in seconds.
        let age: Double
        let selected: Int
        let reported: Int
    }

    struct Privacy: Sendable, Equatable {
        let epsilon: Double
        /// Nil: it may spend what it wants.
        let limit: Double?
        let charges: Int
    }

    let name: String
    let isPrivate: Bool
    let state: String
    let isPaused: Bool
    /// Its schedule's period in seconds; nil: rounds start when somebody asks.
    let everySeconds: Double?
    /// Agents that are here, take work and have data for it.
    let ready: Int
    /// The newest version, how accurate it is and when it was made, Unix time; nil before version 0.
    let model: (version: UInt64, accuracy: Double?, createdUnix: UInt64)?
    let round: Round?
    let privacy: Privacy?
    /// With the bytes of the round in flight.
    let counts: PlanCounts

    /// The metrics of all plans.
    ///
    /// - Parameter tellsCounts: as in `FleetSnapshot.families`.
    static func families(of plans: [PlanSnapshot], tellsCounts: Bool) -> [MetricFamily] {
        let told = plans.filter { tellsCounts || !$0.isPrivate }
        return standing(of: plans) + rounds(of: plans) + inFlight(told, all: plans)
            + updates(of: told) + models(of: plans) + privacy(of: plans)
    }

    private static func gauge(
        _ name: String, _ help: String, _ plans: [PlanSnapshot], _ value: (PlanSnapshot) -> Double?
    ) -> MetricFamily {
        .gauge(
            name, help, by: "plan",
            plans.compactMap { plan in value(plan).map { (plan.name, $0) } })
    }

    private static func counter(
        _ name: String, _ help: String, _ plans: [PlanSnapshot], _ value: (PlanCounts) -> UInt64
    ) -> MetricFamily {
        .counter(name, help, by: "plan", plans.map { ($0.name, value($0.counts)) })
    }

    private static func standing(of plans: [PlanSnapshot]) -> [MetricFamily] {
        var states = MetricFamily(
            .gauge, "tributary_plan_state",
            "1 at the state that the plan is in; its rounds start only when it is ready.")
        for plan in plans {
            for state in ["preparing", "ready", "failed"] {
                states.add(
                    state == plan.state ? 1 : 0, [("plan", plan.name), ("state", state)])
            }
        }
        return [
            states,
            gauge("tributary_plan_paused", "1 while none of its rounds starts.", plans) {
                $0.isPaused ? 1 : 0
            },
            gauge(
                "tributary_plan_schedule_seconds",
                "The period of its schedule; absent: rounds start on request.", plans
            ) { $0.everySeconds },
            gauge(
                "tributary_plan_agents_ready",
                "Agents that are here, take work and have data for the plan.", plans
            ) { Double($0.ready) },
        ]
    }

    private static func rounds(of plans: [PlanSnapshot]) -> [MetricFamily] {
        var ended = MetricFamily(
            .counter, "tributary_rounds_total", "Rounds that ended, by outcome.")
        var seconds = MetricFamily(
            .histogram, "tributary_round_duration_seconds",
            "How long rounds took that published a version.")
        for plan in plans {
            for outcome in PlanCounts.Outcome.allCases {
                ended.add(
                    Double(plan.counts.rounds[outcome] ?? 0),
                    [("plan", plan.name), ("outcome", outcome.rawValue)])
            }
            seconds.add(plan.counts.seconds, [("plan", plan.name)])
        }
        return [ended, seconds]
    }

    private static func inFlight(
        _ told: [PlanSnapshot], all: [PlanSnapshot]
    ) -> [MetricFamily] {
        var phases = MetricFamily(
            .gauge, "tributary_round_phase", "1 at the phase of the plan's round in flight.")
        for plan in all {
            guard let round = plan.round else { continue }
            phases.add(1, [("plan", plan.name), ("phase", round.phase)])
        }
        return [
            phases,
            gauge(
                "tributary_round_age_seconds",
                "How long the plan's round in flight has been driven; absent: there is none.", all
            ) { $0.round?.age },
            gauge(
                "tributary_round_selected", "Agents selected for the plan's round in flight.", told
            ) { $0.round.map { Double($0.selected) } },
            gauge(
                "tributary_round_reported",
                "Updates counted in the plan's round in flight.", told
            ) { $0.round.map { Double($0.reported) } },
        ]
    }

    private static func updates(of plans: [PlanSnapshot]) -> [MetricFamily] {
        var rejected = MetricFamily(
            .counter, "tributary_updates_rejected_total", "Updates that were refused, by reason.")
        for plan in plans {
            for reason in UpdateRejection.allCases {
                rejected.add(
                    Double(plan.counts.rejected[reason] ?? 0),
                    [("plan", plan.name), ("reason", reason.label)])
            }
        }
        return [
            counter(
                "tributary_assignments_total", "Places in rounds that were given to agents.", plans
            ) { $0.assigned },
            counter(
                "tributary_assignments_declined_total",
                "Places that agents gave back, by their owner's rules or after an error.", plans
            ) { $0.declined },
            counter(
                "tributary_assignments_lost_total",
                "Places of agents that were not heard of again before the round ended.", plans
            ) { $0.lost },
            counter("tributary_updates_accepted_total", "Updates that were counted.", plans) {
                $0.accepted
            }, rejected,
            counter(
                "tributary_received_bytes_total", "Bytes of updates received.", plans
            ) { $0.bytesIn },
            counter(
                "tributary_sent_bytes_total",
                "Bytes of plans, models and signatures sent to agents.",
                plans
            ) { $0.bytesOut },
        ]
    }

    private static func models(of plans: [PlanSnapshot]) -> [MetricFamily] {
        [
            counter("tributary_models_published_total", "Model versions published.", plans) {
                $0.models
            },
            gauge("tributary_model_version", "The newest version of the plan's model.", plans) {
                $0.model.map { Double($0.version) }
            },
            gauge(
                "tributary_model_accuracy_ratio",
                "What the newest version reaches on the coordinator's test examples.", plans
            ) { $0.model?.accuracy },
            gauge(
                "tributary_model_published_timestamp_seconds",
                "When the newest version was made, Unix time.", plans
            ) { $0.model.map { Double($0.createdUnix) } },
        ]
    }

    private static func privacy(of plans: [PlanSnapshot]) -> [MetricFamily] {
        [
            gauge(
                "tributary_privacy_spent_epsilon",
                "Epsilon that the plan's population has spent, at the plan's delta.", plans
            ) { $0.privacy?.epsilon },
            gauge(
                "tributary_privacy_limit_epsilon",
                "Epsilon beyond which no round of the plan starts (max_epsilon).", plans
            ) { $0.privacy?.limit },
            gauge(
                "tributary_privacy_charges", "Rounds charged against the plan's population.", plans
            ) { ($0.privacy?.charges).map(Double.init) },
        ]
    }
}
