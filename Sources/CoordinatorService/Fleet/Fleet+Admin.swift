import Cryptography
import Federation
import Provenance
import Registry
import Rounds
import Wire

extension Fleet {
    /// Carries out an admin's command. Auditors may only read; operators may not change plans, tokens or agents, but pause a plan.
    func administer(
        _ request: AdminRequest, by identity: Identity
    ) async throws(Fault) -> AdminResponse {
        try permit(request, to: identity)
        // The curators, who run the rounds, may see who works; it is in no log or export.
        let isCurator = identity.role != .auditor
        switch request {
        case .planApply(let apply): return .plan(try await applyPlan(apply.text))
        case .planList:
            var records: [PlanRecord] = []
            for plan in sortedPlans {
                records.append(try await record(of: plan, tellsCounts: isCurator))
            }
            return .plans(PlanRecords(items: records))
        case .planShow(let show):
            return .plan(try await showPlan(show, tellsCounts: isCurator))
        case .tokenCreate(let create): return .token(try await createToken(create))
        case .planPause(let pause): return .plan(try await pausePlan(pause, by: identity.id))
        case .planResume(let resume): return .plan(try await resumePlan(resume, by: identity.id))
        case .agentList(let list):
            return .agents(try await agentPage(list, tellsPresence: isCurator))
        case .agentShow(let show):
            return .agent(try await agentRecord(show.agent, tellsPresence: isCurator))
        case .agentRevoke(let revocation):
            try await revoke(revocation.agent, reason: revocation.reason)
            return .agent(try await agentRecord(revocation.agent, tellsPresence: isCurator))
        case .roundStart(let start): return .job(try await startRounds(start))
        case .roundList(let list): return .rounds(try await roundPage(list))
        case .roundShow(let show):
            return .round(record(of: try await registry.round(RoundID(show.round))))
        case .roundCancel(let cancel):
            try await cancelRound(cancel, by: identity.id)
            return .round(record(of: try await registry.round(RoundID(cancel.round))))
        case .jobWatch(let watch):
            return .job(try await watchJob(watch, tellsCounts: isCurator))
        case .jobList(let list): return .jobs(try await jobPage(list))
        case .jobCancel(let cancel):
            try await cancelJob(cancel, by: identity.id)
            return .job(try await jobRecord(cancel.job, tellsCounts: true))
        case .modelList(let list): return .models(try await modelPage(list))
        case .modelShow(let show): return .model(try await showModel(show))
        case .doctorRun: return .doctor(await diagnose())
        case .statusShow: return .status(try await status(tellsCounts: isCurator))
        case .ledgerShow(let show): return .ledger(try await showLedger(show))
        case .auditLog(let show): return .log(try await showLog(show))
        case .auditProve(let request): return .logProof(try await prove(request))
        case .auditCheckpoint(let request):
            return .checkpoint(try await showCheckpoint(request))
        case .trustShow: return .trust(TrustRecord(document: keys.trustSet.document))
        case .modelRepublish(let request):
            let id = try plan(named: request.plan).plan.id
            return .model(record(of: try await republish(plan: id, version: request.version)))
        }
    }

    /// - Throws: `forbidden` unless the role may ask for that.
    func permit(_ request: AdminRequest, to identity: Identity) throws(Fault) {
        let allowed: [Role]
        switch request {
        case .planList, .planShow, .agentList, .agentShow, .roundList, .roundShow, .jobWatch,
            .jobList, .modelList, .modelShow, .doctorRun, .statusShow, .ledgerShow, .auditLog,
            .auditProve,
            .auditCheckpoint, .trustShow:
            allowed = [.admin, .operator, .auditor]
        case .roundStart, .roundCancel, .jobCancel, .planPause, .planResume:
            allowed = [.admin, .operator]
        case .planApply, .tokenCreate, .agentRevoke, .modelRepublish: allowed = [.admin]
        }
        guard allowed.contains(identity.role) else {
            throw Fault(
                .forbidden,
                "\(identity.role.rawValue) '\(identity.id)' may not do this",
                remedy: "use a credential with the role \(allowed[0].rawValue)")
        }
    }

    private var sortedPlans: [PlanRuntime] {
        plans.values.sorted { $0.plan.id.name < $1.plan.id.name }
    }

    /// Finds a plan by the name an admin gave.
    func plan(named name: String) throws(Fault) -> PlanRuntime {
        guard let id = PlanID(name), let plan = plans[id] else {
            throw Fault(
                .notFound, "there is no plan '\(name)'",
                remedy: "`tributary-coordinator plan list` shows them; `plan apply FILE` adds one")
        }
        return plan
    }

    /// - Parameter tellsCounts: as in `record(of:)`.
    private func showPlan(
        _ show: PlanShow, tellsCounts: Bool
    ) async throws(Fault) -> PlanRecord {
        if tellsCounts {
            try await waitForProgress(after: show.afterRevision, seconds: show.waitSeconds)
        }
        let plan = try plan(named: show.plan)
        var record = try await record(of: plan, tellsCounts: tellsCounts)
        record.text = try await registry.blob(plan.digest)
        return record
    }

    private func agentRecord(
        _ name: String, tellsPresence: Bool
    ) async throws(Fault) -> AgentRecord {
        let id = try agentID(name)
        let agent = try await registry.agent(id)
        let refusal = try await registry.lastRefusals()[id]
        return record(of: agent, refusal: refusal, tellsPresence: tellsPresence)
    }

    /// - Parameter tellsCounts: as in `record(of:)`.
    private func watchJob(
        _ watch: JobWatch, tellsCounts: Bool
    ) async throws(Fault) -> JobRecord {
        if tellsCounts {
            try await waitForProgress(after: watch.afterRevision, seconds: watch.waitSeconds)
        }
        return try await jobRecord(
            watch.job, afterRound: watch.afterRound, tellsCounts: tellsCounts)
    }

    /// Waits until something changed after `revision`, at most `seconds` and at most a minute. For curators alone: who is
    /// woken each time that a private round grows could count its cohort.
    private func waitForProgress(after revision: UInt64, seconds: UInt32) async throws(Fault) {
        guard revision > 0, seconds > 0 else { return }
        await progress.wait(after: revision, seconds: Double(min(seconds, 60)))
    }

    private func showModel(_ show: ModelShow) async throws(Fault) -> ModelRecord {
        let id = try plan(named: show.plan).plan.id
        let model: StoredModel
        if show.latest {
            guard let latest = try await registry.latestModel(id) else {
                throw Fault(
                    .notFound, "plan \(id) has no model yet",
                    remedy: "wait until `plan show \(id)` says ready")
            }
            model = latest
        } else {
            model = try await registry.model(id, version: show.version)
        }
        var record = record(of: model)
        record.files = model.files.map {
            Wire.ModelFile(name: $0.name, digest: $0.digest.bytes, size: $0.size)
        }
        record.publicKey = Array((try await signer(of: model))?.pem.utf8 ?? "".utf8)
        return record
    }

    /// What the running daemon can check of itself.
    private func diagnose() async -> DoctorReport {
        var lines: [DoctorLine] = []
        func note(_ check: String, _ found: Result<String, Fault>) {
            switch found {
            case .success(let detail):
                lines.append(DoctorLine(check: check, ok: true, detail: detail))
            case .failure(let fault):
                lines.append(DoctorLine(check: check, ok: false, detail: fault.description))
            }
        }
        do throws(Fault) {
            note("log", .success(try await describeLog()))
        } catch {
            note("log", .failure(error))
        }
        note("log's continuity", Result { () throws(Fault) in try describeContinuity() })
        do throws(Fault) {
            note("storage", .success(try await describeStorage()))
        } catch {
            note("storage", .failure(error))
        }
        note("log over HTTP", .success(logReading))
        note("dashboard", dashboard)
        note("arithmetic", Result { () throws(Fault) in try arithmetic() })
        for plan in sortedPlans {
            note("plan \(plan.plan.id)", Result { () throws(Fault) in try health(of: plan) })
        }
        return DoctorReport(items: lines)
    }

    private func health(of plan: PlanRuntime) throws(Fault) -> String {
        if case .failed(let why) = plan.state { throw Fault(.conflict, why) }
        _ = try data(of: plan.plan.id)
        let waitsFor = whatHolds(plan.plan.id)
        return waitsFor.isEmpty
            ? plan.state.name : "\(plan.state.name); no round starts: \(waitsFor)"
    }
}
