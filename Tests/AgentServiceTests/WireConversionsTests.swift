import AgentService
import AgentSession
import Cryptography
import Federation
import Testing
import Wire

@Suite("What the coordinator's answers mean")
struct WireConversionsTests {
    private static let digest = SHA256.digest(of: [1]).bytes

    private var model: ModelRef {
        ModelRef(
            plan: "pumps", version: 3, modelDigest: Self.digest, modelSize: 10,
            signatureDigest: Self.digest, signatureSize: 20)
    }

    private var state: PlanState {
        PlanState(plan: "pumps", planDigest: Self.digest, planSize: 5, serving: model)
    }

    private var assignment: Assignment {
        let lattice = Lattice(
            parameters: 30, clippingNorm: 1, step: 0.01, kappa: 6, rotationSeed: 8)
        return Assignment(
            plan: "pumps", planDigest: Self.digest, round: 4, attempt: 2, baseModel: model,
            lattice: LatticeSpec(lattice, id: SHA256.digest(of: lattice.canonicalBytes)),
            reportSeconds: 60, leaseSeconds: 10, submitToken: [1])
    }

    private func answer(_ assignment: Assignment) -> CheckInResponse {
        CheckInResponse(next: .assignment(assignment))
    }

    private func refusal(_ response: CheckInResponse) -> Fault? {
        fault { () throws(Fault) in _ = try CheckInAnswer(response) }
    }

    @Test("a whole answer keeps every field")
    func whole() throws {
        var response = answer(assignment)
        response.plans = [state]
        response.trustSetVersion = 2
        let converted = try CheckInAnswer(response)
        #expect(converted.trustSetVersion == 2)
        #expect(converted.plans.first?.serving?.version == 3)
        #expect(converted.plans.first?.text.size == 5)
        guard case .work(let work) = converted.next else {
            Issue.record("the assignment is lost")
            return
        }
        #expect(work.at == RoundAttempt(round: RoundID(4), attempt: 2))
        #expect(work.lattice.rotationSeed == 8)
        #expect(work.base.signature.size == 20)
        #expect(work.reportSeconds == 60 && work.leaseSeconds == 10)
    }

    @Test("an answer without a next step is refused")
    func noNext() {
        #expect(refusal(CheckInResponse())?.code == .invalid)
    }

    @Test("plans with impossible names, digests or models are refused")
    func badPlans() {
        var name = state
        name.plan = "../etc"
        var digest = state
        digest.planDigest = [1]
        var model = state
        model.serving?.plan = "valves"
        for bad in [name, digest, model] {
            let response = CheckInResponse(plans: [bad], next: .comeBackSeconds(1))
            #expect(refusal(response)?.code == .invalid)
        }
    }

    @Test("assignments without a model or lattice, or with an impossible one, are refused")
    func badAssignments() {
        var noModel = assignment
        noModel.baseModel = nil
        var noLattice = assignment
        noLattice.lattice = nil
        var badStep = assignment
        badStep.lattice?.step = -1
        var badDigest = assignment
        badDigest.baseModel?.modelDigest = []
        for bad in [noModel, noLattice, badStep, badDigest] {
            #expect(refusal(answer(bad))?.code == .invalid)
        }
    }

    @Test("a lattice whose id is not the digest of its fields is refused")
    func wrongLatticeID() {
        var bad = assignment
        bad.lattice?.rotationSeed = 9
        #expect(refusal(answer(bad))?.code == .invalid)
    }
}
