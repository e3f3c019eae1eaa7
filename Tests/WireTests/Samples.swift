import Wire

/// One message of every kind with every field set to something other than its default.
enum Samples {
    static let digest = [UInt8](repeating: 0xd1, count: 32)
    static let otherDigest = [UInt8](0..<32)

    static let modelRef = ModelRef(
        plan: "fashion", version: 7, modelDigest: digest, modelSize: 120_000,
        signatureDigest: otherDigest, signatureSize: 1500)
    static let lattice = LatticeSpec(
        id: digest, parameters: 101_774, clippingNorm: 1.5, step: 0.0625, kappa: 6,
        rotationSeed: 0xfedc_ba98_7654_3210, elementBits: 8, modulus: 1 << 40)
    static let assignment = Assignment(
        plan: "fashion", planDigest: digest, round: 12, attempt: 2, baseModel: modelRef,
        lattice: lattice, reportSeconds: 120, leaseSeconds: 30, submitToken: [1, 2, 3])
    static let planState = PlanState(
        plan: "fashion", planDigest: otherDigest, planSize: 4000, serving: modelRef)
    static let readiness = PlanReadiness(
        plan: "fashion", planDigest: digest, examples: 4583, unreadable: 2, hasModel: true,
        modelVersion: 6)

    static let planRecord = {
        var record = writtenPlan
        record.pausedUnix = 1_700_000_001
        record.pausedReason = "the sensors are being replaced"
        record.everySeconds = 86_400
        record.readyAgents = 30
        record.agentsReady = 12
        record.jobsOpen = 2
        record.waitsFor = "12 of 30 agents are ready"
        record.nextRoundSeconds = 12.5
        return record
    }()
    private static let writtenPlan = PlanRecord(
        plan: "fashion", digest: digest, title: "Fashion-MNIST: größer", state: "ready",
        detail: "distilling", progress: 0.25, revision: 3, parameters: 101_774, hasModel: true,
        modelVersion: 7, accuracyTeacher: 0.875, accuracyFirst: 0.84, accuracyLast: 0.86,
        epsilon: 3400.5, text: [0x23], population: "people", appliedUnix: 1_700_000_000,
        noiseMultiplier: 0.05, delta: 1e-5, clippingNorm: 0.75, localNoiseMultiplier: 1.5,
        localEpsilon: 12.25)
    static let agentRecord = AgentRecord(
        agent: "a-1", state: "active", enrolledUnix: 1, lastSeenUnix: 2, version: "0.1",
        cpuFeatures: "avx2", memoryKib: 3, certificateExpiresUnix: 4, revokedReason: "lost",
        plans: [
            AgentPlanRecord(
                plan: "fashion", examples: 5, unreadable: 6, modelVersion: 7, hasModel: true,
                withheld: true)
        ], trustSetVersion: 8, refusal: "fashion version 7: the log's proof is for another model",
        unavailable: "on battery")
    static let roundRecord = RoundRecord(
        round: 1, attempt: 2, plan: "fashion", phase: "published", reason: "none", startedUnix: 3,
        seconds: 4.5, selected: 5, reported: 6, modelVersion: 7, published: true, accuracy: 0.5,
        epsilon: -1, bytesIn: 8, bytesOut: 9, clippingNorm: 0.5, withheld: true,
        history: [
            PhaseRecord(phase: "selecting", unixMilliseconds: 10),
            PhaseRecord(phase: "training", unixMilliseconds: 11),
        ],
        distillation: DistillationRecord(
            accuracyBefore: 0.75, accuracyAfter: 0.8125, accepted: true))
    static let modelRecord = ModelRecord(
        model: modelRef, round: 1, accuracy: 0.5, createdUnix: 2, parentVersion: 3,
        hasParent: true, files: [ModelFile(name: "model.onnx", digest: digest, size: 4)],
        publicKey: [5],
        distillation: DistillationRecord(
            accuracyBefore: 0.875, accuracyAfter: 0.9375, accepted: true), collectedUnix: 6)
    static let jobRecord = JobRecord(
        job: 1, plan: "fashion", roundsWanted: 2, roundsDone: 1, state: "running", detail: "d",
        revision: 3, rounds: [roundRecord, roundRecord], agentsWaiting: 4, epsilon: 5, delta: 1e-5,
        noiseMultiplier: 0.05, agentsForEpsilon4: 1100, moreRounds: true, createdUnix: 6)

    static let ledgerRecord = LedgerRecord(
        plan: "fashion", population: "fashion-devices", noiseMultiplier: 0.05, samplingRate: 0.5,
        delta: 1e-5, maxEpsilon: 8, total: 2,
        charges: [
            ChargeRecord(
                plan: "fashion", round: 1, attempt: 2, noiseMultiplier: 0.05, samplingRate: 0.5,
                delta: 1e-5, epsilonAfter: 3, chargedUnix: 4),
            ChargeRecord(
                plan: "other", round: 2, attempt: 1, noiseMultiplier: 1, samplingRate: 1,
                delta: 1e-6, epsilonAfter: 4, chargedUnix: 5),
        ])

    static let adminRequests: [AdminRequest] = [
        .planApply(PlanApply(text: [0x5b, 0x00, 0xff])), .planList(PlanList()),
        .planShow(PlanShow(plan: "fashion", afterRevision: 1, waitSeconds: 2)),
        .tokenCreate(TokenCreate(uses: 1, validSeconds: 3600)),
        .agentList(AgentList(after: "a-1", limit: 9)),
        .agentShow(AgentShow(agent: "a-1")),
        .agentRevoke(AgentRevoke(agent: "a-1", reason: "stolen")),
        .roundStart(RoundStart(plan: "fashion", rounds: 15, idempotencyKey: "k")),
        .roundList(RoundList(plan: "fashion", after: 1 << 40, limit: 8)),
        .roundShow(RoundShow(round: 1)),
        .roundCancel(RoundCancel(round: 1, reason: "wrong plan")),
        .jobWatch(JobWatch(job: 1, afterRevision: 2, waitSeconds: 3, afterRound: 4)),
        .modelList(ModelList(plan: "fashion", first: 5, limit: 7)),
        .modelShow(ModelShow(plan: "fashion", version: 1, latest: true)), .doctorRun(DoctorRun()),
        .ledgerShow(LedgerShow(plan: "fashion", after: 5000)),
        .auditLog(AuditLog(first: 1 << 33, limit: 100)),
        .auditProve(AuditProve(byModel: true, plan: "fashion", version: 7, index: 8)),
        .auditCheckpoint(AuditCheckpoint(fromSize: 300)), .trustShow(TrustShow()),
        .modelRepublish(ModelRepublish(plan: "fashion", version: 3)),
        .planPause(PlanPause(plan: "fashion", reason: "maintenance")),
        .planResume(PlanResume(plan: "fashion")),
        .jobList(JobList(plan: "fashion", after: 3, limit: 6, open: true)),
        .jobCancel(JobCancel(job: 4, reason: "wrong plan")), .statusShow(StatusShow()),
    ]

    static let adminResponses: [AdminResponse] = [
        .plan(planRecord), .plans(PlanRecords(items: [planRecord, planRecord])),
        .token(TokenIssued(token: "tributary1;...", expiresUnix: 1, uses: 2)),
        .agent(agentRecord), .agents(AgentRecords(items: [agentRecord], more: true)),
        .job(jobRecord),
        .round(roundRecord), .rounds(RoundRecords(items: [roundRecord], more: true)),
        .model(modelRecord),
        .models(ModelRecords(items: [modelRecord, modelRecord], more: true)),
        .doctor(DoctorReport(items: [DoctorLine(check: "disk", ok: true, detail: "12 GiB free")])),
        .ledger(ledgerRecord),
        .log(
            LogEntries(
                size: 300,
                items: [
                    LogEntry(index: 298, loggedUnix: 1_700_000_000, leaf: [0x7b, 0x7d]),
                    LogEntry(index: 299, loggedUnix: 1_700_000_001, leaf: [0x7b, 0x00, 0x7d]),
                ])),
        .logProof(LogProofRecord(proof: [0x63, 0x32])),
        .checkpoint(CheckpointRecord(note: [0x6e], consistency: [digest, otherDigest])),
        .trust(TrustRecord(document: [0x7b, 0x7d])),
        .jobs(
            JobSummaries(
                items: [
                    JobSummary(
                        job: 1, plan: "fashion", roundsWanted: 5, roundsDone: 2, state: "queued",
                        detail: "after 1 other jobs", createdUnix: 3, scheduled: true)
                ], more: true)),
        .status(
            StatusRecord(
                state: "storage full", detail: "3 MiB are free", remedy: "free some", version: "1",
                upSeconds: 2.5, connections: 3, connectionLimit: 4, uploads: 5, uploadBytes: 6,
                uploadByteLimit: 7, shed: 8, agents: 9, agentsHere: 10, agentsUnavailable: 11,
                jobsRunning: 12, jobsQueued: 13, rounds: [roundRecord])),
    ]

    static let conversations: [Message] = [
        .failure(
            Failure(code: "gone", message: "too late", remedy: "wait for a round", closing: true)),
        .enrolRequest(
            EnrolRequest(
                secret: [9, 8, 7], certificateRequest: [0x30, 0x82], agentVersion: "0.1",
                unixSeconds: 1_700_000_000)),
        .enrolResponse(
            EnrolResponse(
                fleet: "lab", agent: "a-1", certificate: [0x30], authorities: [[0x31], [0x32, 0]],
                trustSet: [0x7b, 0x7d])),
        .checkInRequest(
            CheckInRequest(
                agentVersion: "0.1", cpuFeatures: "avx512vnni", memoryKib: 8_000_000,
                plans: [readiness, readiness], cached: [digest, otherDigest],
                logCheckpoint: [0x6c], trustSetVersion: 3, waitSeconds: 30,
                unavailable: "on battery")),
        .checkInResponse(
            CheckInResponse(
                plans: [planState], trustSetVersion: 4, logCheckpoint: [0x6d],
                next: .assignment(assignment))),
        .checkInResponse(
            CheckInResponse(
                plans: [planState, planState], trustSetVersion: 4, logCheckpoint: [0x6d],
                next: .comeBackSeconds(60))),
        .heartbeat(Heartbeat(round: 12, attempt: 2, submitToken: [1], progress: 0.5)),
        .heartbeatAck(HeartbeatAck(wanted: true, leaseSeconds: 30)),
        .decline(Decline(round: 12, attempt: 2, submitToken: [1], reason: "no memory")),
        .declineAck(DeclineAck()),
        .blobRequest(BlobRequest(digest: digest, offset: 1 << 40)),
        .blobChunk(BlobChunk(digest: digest, offset: 1, totalSize: 4, data: [1, 2, 3])),
        .submitProbe(
            SubmitProbe(round: 12, attempt: 2, submitToken: [1], updateDigest: digest)),
        .submitHeader(
            SubmitHeader(
                round: 12, attempt: 2, submitToken: [1], latticeId: digest, baseVersion: 6,
                examples: 4583, updatesSummed: 1, withinClip: true, size: 102_400,
                updateDigest: otherDigest,
                metrics: [Metric(name: "loss", sum: -65_536, count: 4583)])),
        .submitChunk(SubmitChunk(offset: 262_144, data: [0, 255, 128])),
        .submitFinish(SubmitFinish(round: 12, attempt: 2)),
        .submitStatus(
            SubmitStatus(verdict: .rejected, offset: 5, reason: "normBound", retrySeconds: 6)),
        .trustSetRequest(TrustSetRequest(afterVersion: 3)),
        .trustSetUpdate(TrustSetUpdate(sets: [[1], [2, 3]])),
        .renewRequest(RenewRequest(certificateRequest: [0x30, 0x83])),
        .renewResponse(RenewResponse(certificate: [0x30, 0x84])),
        .logProofRequest(LogProofRequest(plan: "fashion", version: 7, fromSize: 300)),
        .logProof(LogProof(proof: [0x63, 0x00], consistency: [digest, otherDigest])),
        .modelRefusal(
            ModelRefusal(plan: "fashion", version: 7, modelDigest: digest, reason: "no proof")),
        .modelRefusalAck(ModelRefusalAck()), .leaveRequest(LeaveRequest()), .leaveAck(LeaveAck()),
    ]

    static let all: [Message] =
        conversations + adminRequests.map(Message.adminRequest)
        + adminResponses.map(Message.adminResponse)
}
