package import AgentSession
package import Federation
import Glibc

/// The owner's rules on this device as it is now.
package struct WorkConditions: Sendable {
    private let rules: ParticipationRules
    private let probe: DeviceProbe
    var recent: RecentRounds
    /// What the owner has said beyond the rules.
    package var pause: OwnerPause?
    private let clock = SystemClock()
    /// When training is to look again; reading a dozen files at every step would slow it.
    private var nextLook: MonotonicInstant?
    /// When training last went on, as far as is known.
    private var trainedAt: MonotonicInstant?
    private static let lookSeconds = 2.0
    /// How fast the load average over a minute forgets, and how often it is taken.
    private static let (loadSeconds, loadSampleSeconds) = (60.0, 5.0)
    private static let leastOwnLoad = 0.05

    package init(_ rules: ParticipationRules, probe: DeviceProbe, recent: RecentRounds) {
        self.rules = rules
        self.probe = probe
        self.recent = recent
    }

    /// As they are in an agent's state directory; a daemon that was at work on a round when it ended, or is now, has been part of
    /// the load until this moment.
    package init(
        _ rules: ParticipationRules, of directory: StateDirectory,
        probe: DeviceProbe = DeviceProbe()
    ) {
        self.init(rules, probe: probe, recent: RecentRounds(file: directory.roundsFile))
        pause = OwnerPause.read(directory, unixSeconds: clock.unixSeconds)
        if WorkMarker(file: directory.assignmentFile).assignment != nil { trainedAt = clock.now }
    }

    /// Each rule, as it stands now; before them the owner's pause, while there is one.
    package func examine() -> [Eligibility] {
        let paused = pause.map { Eligibility.paused($0.words) }
        return (paused.map { [$0] } ?? []) + Eligibility.examine(conditions(), rules)
    }

    /// Why the device takes no work now; nil when it does.
    ///
    /// - Parameters:
    ///   - assignment: the one at hand, whose round is not counted against the limit.
    ///   - plannedMiB: what training would allocate, 0 when that is not known.
    package func refusal(with assignment: RoundAssignment?, plannedMiB: Int) -> Fault? {
        pause?.fault
            ?? Eligibility.refusal(conditions(with: assignment, plannedMiB: plannedMiB), rules)
    }

    /// Why models and updates may not go over the network now.
    package func networkRefusal() -> Fault? {
        if let pause { return pause.fault }
        guard rules.refusesMetered else { return nil }
        return Eligibility.networkRefusal(probe.conditions(), rules)
    }

    /// Why training, which has allocated `plannedMiB`, must not go on; looks every few seconds.
    package mutating func refusalWhileTraining(plannedMiB: Int) -> Fault? {
        if let pause { return pause.fault }
        let now = clock.now
        if let nextLook, now < nextLook { return nil }
        nextLook = now.advanced(bySeconds: Self.lookSeconds)
        trainedAt = now
        return Eligibility.refusal(conditions(plannedMiB: plannedMiB), rules, isTraining: true)
    }

    private func conditions(
        with assignment: RoundAssignment? = nil, plannedMiB: Int = 0
    ) -> DeviceConditions {
        var conditions = probe.conditions()
        conditions.plannedMemoryMiB = plannedMiB
        if let trainedAt {
            let past = clock.now.seconds(since: trainedAt) - Self.lookSeconds
            let own = min(1, exp((Self.loadSampleSeconds - past) / Self.loadSeconds))
            conditions.ownLoad = own < Self.leastOwnLoad ? 0 : own
        }
        conditions.roundsInLastDay = recent.count(
            besides: assignment.map { ($0.plan, $0.at.round) })
        return conditions
    }
}
