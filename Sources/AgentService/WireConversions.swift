package import AgentSession
import Cryptography
package import Federation
package import Wire

// Between what the wire carries and what the session's machine decides on; every field is checked on the way in.

/// What an answer is missing or has wrong, so that it cannot be acted on.
private func malformed(_ what: String) -> Fault {
    Fault(
        .invalid, "the coordinator's answer has no proper \(what)",
        remedy: "update the older of agent and coordinator")
}

private func planID(_ name: String) throws(Fault) -> PlanID {
    guard let plan = PlanID(name) else { throw malformed("plan name") }
    return plan
}

private func digest(_ bytes: [UInt8], of what: String) throws(Fault) -> Digest {
    guard let digest = Digest(bytes: bytes) else { throw malformed("digest of the \(what)") }
    return digest
}

extension ModelReference {
    init(_ model: ModelRef) throws(Fault) {
        self.init(
            plan: try planID(model.plan), version: model.version,
            model: BlobReference(
                digest: try AgentService.digest(model.modelDigest, of: "model"),
                size: model.modelSize),
            signature: BlobReference(
                digest: try AgentService.digest(model.signatureDigest, of: "model's signature"),
                size: model.signatureSize))
    }
}

extension PlanStanding {
    init(_ state: PlanState) throws(Fault) {
        let plan = try planID(state.plan)
        var serving: ModelReference?
        if let model = state.serving {
            serving = try ModelReference(model)
            guard serving?.plan == plan else { throw malformed("serving model") }
        }
        self.init(
            plan: plan,
            text: BlobReference(
                digest: try AgentService.digest(state.planDigest, of: "plan"),
                size: state.planSize),
            serving: serving)
    }
}

extension RoundAssignment {
    init(_ assignment: Assignment) throws(Fault) {
        guard let base = assignment.baseModel, let spec = assignment.lattice else {
            throw malformed("assignment")
        }
        let lattice = try Lattice(spec)
        let latticeID = try AgentService.digest(spec.id, of: "lattice")
        guard SHA256.digest(of: lattice.canonicalBytes) == latticeID else {
            throw malformed("lattice: its id is not the digest of its fields")
        }
        self.init(
            plan: try planID(assignment.plan),
            planText: BlobReference(
                digest: try AgentService.digest(assignment.planDigest, of: "plan")),
            at: RoundAttempt(round: RoundID(assignment.round), attempt: assignment.attempt),
            base: try ModelReference(base), lattice: lattice, latticeID: latticeID,
            reportSeconds: Double(assignment.reportSeconds),
            leaseSeconds: Double(assignment.leaseSeconds), submitToken: assignment.submitToken)
    }
}

extension CheckInAnswer {
    /// - Throws: `Fault.invalid` naming the part that is missing or makes no sense.
    package init(_ response: CheckInResponse) throws(Fault) {
        var plans: [PlanStanding] = []
        for state in response.plans { plans.append(try PlanStanding(state)) }
        let next: Next
        switch response.next {
        case .assignment(let assignment): next = .work(try RoundAssignment(assignment))
        case .comeBackSeconds(let seconds): next = .comeBack(seconds: Double(seconds))
        case nil: throw malformed("next step")
        }
        self.init(plans: plans, trustSetVersion: response.trustSetVersion, next: next)
    }
}

extension SubmitProbe {
    package init(_ update: PendingUpdate) {
        self.init(
            round: update.at.round.number, attempt: update.at.attempt,
            submitToken: update.submitToken, updateDigest: update.digest.bytes)
    }
}

extension SubmitHeader {
    package init(_ update: PendingUpdate) {
        self.init(
            round: update.at.round.number, attempt: update.at.attempt,
            submitToken: update.submitToken, latticeId: update.latticeID.bytes,
            baseVersion: update.baseVersion, examples: update.examples, updatesSummed: 1,
            withinClip: update.withinClip, size: update.size, updateDigest: update.digest.bytes)
    }
}
