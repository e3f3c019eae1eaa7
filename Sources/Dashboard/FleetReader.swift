package import CoordinatorService
package import Federation
package import Wire

/// What the pages are made of.
package protocol FleetReader: Sendable {
    /// The fleet's name.
    var name: String { get }
    /// The directory of the log's public files.
    var logDirectory: String { get }
    /// Grows when anything changes that can be watched.
    var revision: UInt64 { get }

    /// Returns when something changed after `revision`, after `seconds`, or when the task is cancelled.
    func wait(after revision: UInt64, seconds: Double) async

    /// What the coordinator tells whoever may only read.
    func ask(_ request: AdminRequest) async throws(Fault) -> AdminResponse

    /// Every round in flight, by number.
    func roundsInFlight() async throws(Fault) -> [LiveRound]

    /// At most `limit` rounds with numbers below `before`, newest first.
    ///
    /// - Parameters:
    ///   - plan: empty: of every plan.
    ///   - before: nil: from the newest on.
    func rounds(
        plan: String, before: UInt64?, limit: Int
    ) async throws(Fault) -> RoundRecords

    /// How many agents are in which state.
    func census() async throws(Fault) -> AgentCensus

    /// A blob that an auditor may fetch.
    ///
    /// - Throws: `notFound`; `exhausted` when it is larger than `mostBytes`.
    func blob(_ digest: Digest, mostBytes: UInt64) async throws(Fault) -> [UInt8]

    /// Metrics in Prometheus' text format.
    func metrics() async -> String
}

extension FleetConsole: FleetReader {}

// The answers by their kinds. Another kind than was asked for is a defect of this program.
extension FleetReader {
    func status() async throws(Fault) -> StatusRecord {
        guard case .status(let record) = try await ask(.statusShow(StatusShow())) else {
            throw strangeAnswer
        }
        return record
    }

    /// Every plan, by name.
    func plans() async throws(Fault) -> [PlanRecord] {
        guard case .plans(let records) = try await ask(.planList(PlanList())) else {
            throw strangeAnswer
        }
        return records.items
    }

    /// One plan with its text.
    func plan(_ name: String) async throws(Fault) -> PlanRecord {
        guard case .plan(let record) = try await ask(.planShow(PlanShow(plan: name))) else {
            throw strangeAnswer
        }
        return record
    }

    /// Agents whose names come after `name`.
    func agents(after name: String, limit: Int) async throws(Fault) -> AgentRecords {
        let list = AgentList(after: name, limit: UInt32(clamping: limit))
        guard case .agents(let records) = try await ask(.agentList(list)) else {
            throw strangeAnswer
        }
        return records
    }

    func agent(_ name: String) async throws(Fault) -> AgentRecord {
        guard case .agent(let record) = try await ask(.agentShow(AgentShow(agent: name))) else {
            throw strangeAnswer
        }
        return record
    }

    func round(_ number: UInt64) async throws(Fault) -> RoundRecord {
        guard case .round(let record) = try await ask(.roundShow(RoundShow(round: number))) else {
            throw strangeAnswer
        }
        return record
    }

    /// At most `count` versions up to `version`, oldest first.
    func models(
        _ plan: String, upTo version: UInt64, count: UInt64
    ) async throws(Fault) -> [ModelRecord] {
        let first = version + 1 - min(version + 1, count)
        let list = ModelList(plan: plan, first: first, limit: UInt32(version + 1 - first))
        guard case .models(let records) = try await ask(.modelList(list)) else {
            throw strangeAnswer
        }
        return records.items
    }

    func model(_ plan: String, version: UInt64) async throws(Fault) -> ModelRecord {
        let show = ModelShow(plan: plan, version: version)
        guard case .model(let record) = try await ask(.modelShow(show)) else {
            throw strangeAnswer
        }
        return record
    }

    /// The charges against a plan's population, after the oldest `after`.
    func ledger(_ plan: String, after: UInt64) async throws(Fault) -> LedgerRecord {
        let show = LedgerShow(plan: plan, after: after)
        guard case .ledger(let record) = try await ask(.ledgerShow(show)) else {
            throw strangeAnswer
        }
        return record
    }

    /// Leaves of the log from `first` on, possibly fewer than `limit`.
    func leaves(from first: UInt64, limit: Int) async throws(Fault) -> LogEntries {
        let show = AuditLog(first: first, limit: UInt32(clamping: limit))
        guard case .log(let entries) = try await ask(.auditLog(show)) else { throw strangeAnswer }
        return entries
    }

    /// A C2SP tlog-proof.
    func proof(_ request: AuditProve) async throws(Fault) -> [UInt8] {
        guard case .logProof(let record) = try await ask(.auditProve(request)) else {
            throw strangeAnswer
        }
        return record.proof
    }

    /// The newest checkpoint's signed note.
    func checkpoint() async throws(Fault) -> [UInt8] {
        guard case .checkpoint(let record) = try await ask(.auditCheckpoint(AuditCheckpoint()))
        else { throw strangeAnswer }
        return record.note
    }

    /// The trust set's document.
    func trustSet() async throws(Fault) -> [UInt8] {
        guard case .trust(let record) = try await ask(.trustShow(TrustShow())) else {
            throw strangeAnswer
        }
        return record.document
    }

    private var strangeAnswer: Fault {
        Fault(.internal, "the coordinator answered something else than it was asked")
    }
}
