import AgentSession
import Federation

// Values that the tests share: one plan, one assignment, and machines brought to each state.

enum Example {
    static let plan = name("vibration")
    static let other = name("heating")

    static func name(_ text: String) -> PlanID {
        guard let plan = PlanID(text) else { preconditionFailure("\(text) is no plan name") }
        return plan
    }

    static func digest(_ byte: UInt8) -> Digest {
        guard let digest = Digest(bytes: [UInt8](repeating: byte, count: Digest.byteCount)) else {
            preconditionFailure("a digest has \(Digest.byteCount) bytes")
        }
        return digest
    }

    static func time(_ seconds: Double) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000_000).advanced(bySeconds: seconds)
    }

    static let text = BlobReference(digest: digest(1), size: 900)

    /// Version 3 has digests 103 and 203.
    static func model(_ version: UInt8, of plan: PlanID = plan) -> ModelReference {
        ModelReference(
            plan: plan, version: UInt64(version),
            model: BlobReference(digest: digest(100 + version), size: 100_000),
            signature: BlobReference(digest: digest(200 + version), size: 1_000))
    }

    static func standing(serving version: UInt8?) -> PlanStanding {
        PlanStanding(plan: plan, text: text, serving: version.map { model($0) })
    }

    static func assignment(round: UInt64 = 7, attempt: UInt32 = 1) -> RoundAssignment {
        RoundAssignment(
            plan: plan, planText: text,
            at: RoundAttempt(round: RoundID(round), attempt: attempt), base: model(3),
            lattice: Lattice(
                parameters: 1_000, clippingNorm: 1, step: 0.001, kappa: 6, rotationSeed: 9),
            latticeID: digest(50), reportSeconds: 60, leaseSeconds: 10,
            submitToken: [UInt8(attempt), 2, 3])
    }

    static func update(
        _ assignment: RoundAssignment = assignment(), size: UInt64 = 600_000
    ) -> PendingUpdate {
        PendingUpdate(
            plan: assignment.plan, at: assignment.at, baseVersion: assignment.base.version,
            latticeID: assignment.latticeID, submitToken: assignment.submitToken, examples: 4_000,
            withinClip: true, size: size, digest: digest(60))
    }

    static func comeBack(
        _ seconds: Double, plans: [PlanStanding] = [], trustSet: UInt64 = 1
    ) -> CheckInAnswer {
        CheckInAnswer(
            plans: plans, trustSetVersion: trustSet, next: .comeBack(seconds: seconds))
    }

    static func work(
        _ assignment: RoundAssignment = assignment(), plans: [PlanStanding] = []
    ) -> CheckInAnswer {
        CheckInAnswer(plans: plans, trustSetVersion: 1, next: .work(assignment))
    }

    static let broken = Fault(.unavailable, "the connection broke")
    static let revoked = Fault(.forbidden, "this agent is revoked")
}

/// A machine that is connecting.
func newMachine(
    pending: [PendingUpdate] = [], follows: Set<PlanID> = [Example.plan], seed: UInt64 = 1
) -> AgentSessionMachine {
    AgentSessionMachine(
        follows: follows, trustSetVersion: 1, pending: pending, random: SeededRandom(seed: seed))
}

/// A machine that has sent its first check-in, at time 0, after any updates turned out to be there already.
func checkingIn(pending: [PendingUpdate] = []) -> AgentSessionMachine {
    var machine = newMachine(pending: pending)
    _ = machine.connected(now: Example.time(0))
    for _ in pending { _ = machine.answered(.duplicate, now: Example.time(0)) }
    return machine
}

/// A machine that was granted `Example.assignment()` at time 0 and now trains.
func training() -> AgentSessionMachine {
    var machine = checkingIn()
    _ = machine.checkedIn(Example.work(), now: Example.time(0))
    for _ in 0..<3 { _ = machine.obtained(now: Example.time(0)) }
    _ = machine.done(now: Example.time(0))
    return machine
}

/// A machine that has just persisted `Example.update(size:)` and probes.
func probing(size: UInt64 = 600_000) -> AgentSessionMachine {
    var machine = training()
    _ = machine.trained(now: Example.time(5))
    _ = machine.encoded(Example.update(size: size), now: Example.time(5))
    return machine
}

/// Seconds from `now` to the end of the pause that `action` asks for; nil when it asks for none.
func pause(
    _ action: AgentAction, from now: Double
) -> (seconds: Double, keepingConnection: Bool)? {
    guard case .wait(let until, let keepingConnection) = action else { return nil }
    return (until.seconds(since: Example.time(now)), keepingConnection)
}
