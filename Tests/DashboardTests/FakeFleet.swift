import CoordinatorService
import Dashboard
import Federation
import Hummingbird
import HummingbirdTesting
import RunRecords
import Wire

/// A fleet that exists only in what it answers.
struct FakeFleet: FleetReader {
    var name = "lab"
    var logDirectory = "/nowhere"
    var revision: UInt64 = 1
    var state = StatusRecord(state: "serving")
    var planRecords: [PlanRecord] = []
    var agentRecords: [AgentRecord] = []
    var roundRecords: [RoundRecord] = []
    var live: [LiveRound] = []
    var modelRecords: [ModelRecord] = []
    var ledger = LedgerRecord()
    var count = AgentCensus()

    /// The present time in every test: 2026-01-01 00:00:00 UTC.
    static let now: UInt64 = 1_767_225_600

    func wait(after revision: UInt64, seconds: Double) async {
        try? await Task.sleep(for: .seconds(seconds))
    }

    func ask(_ request: AdminRequest) async throws(Fault) -> AdminResponse {
        switch request {
        case .statusShow: return .status(state)
        case .planList: return .plans(PlanRecords(items: planRecords))
        case .planShow(let show):
            guard let plan = planRecords.first(where: { $0.plan == show.plan }) else {
                throw Fault(.notFound, "there is no plan '\(show.plan)'", remedy: "apply one")
            }
            return .plan(plan)
        case .agentList(let list):
            let after = agentRecords.filter { $0.agent > list.after }
            let page = Array(after.prefix(min(500, Int(list.limit))))
            return .agents(AgentRecords(items: page, more: page.count < after.count))
        case .agentShow(let show):
            guard let agent = agentRecords.first(where: { $0.agent == show.agent }) else {
                throw Fault(.notFound, "there is no agent \(show.agent)")
            }
            return .agent(agent)
        case .roundShow(let show):
            guard let round = roundRecords.first(where: { $0.round == show.round }) else {
                throw Fault(.notFound, "there is no round \(show.round)")
            }
            return .round(round)
        case .modelList(let list):
            let from = modelRecords.filter { ($0.model?.version ?? 0) >= list.first }
            return .models(ModelRecords(items: Array(from.prefix(Int(list.limit)))))
        case .ledgerShow: return .ledger(ledger)
        default: throw Fault(.unavailable, "this fleet does not answer that")
        }
    }

    func roundsInFlight() async throws(Fault) -> [LiveRound] { live }

    func rounds(
        plan: String, before: UInt64?, limit: Int
    ) async throws(Fault) -> RoundRecords {
        let older = roundRecords.filter {
            $0.round < before ?? .max && (plan.isEmpty || $0.plan == plan)
        }.sorted { $0.round > $1.round }
        return RoundRecords(items: Array(older.prefix(limit)), more: older.count > limit)
    }

    func census() async throws(Fault) -> AgentCensus { count }

    func blob(_ digest: Digest, mostBytes: UInt64) async throws(Fault) -> [UInt8] {
        throw Fault(.notFound, "there is no such blob")
    }

    func metrics() async -> String { "tributary_up 1\n" }
}

extension FakeFleet {
    /// Serves its pages to `body`, as if on this machine.
    func serve(
        runs: RunDirectory? = nil, token: String? = nil, isSecure: Bool = false,
        _ body: @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        let reader = try token.map { text throws(Fault) in try ReaderToken(text) }
        let now: @Sendable () -> UInt64 = { Self.now }
        let routes = DashboardRoutes(
            site: try Site(fleet: self, runs: runs, asksForToken: reader != nil, now: now),
            gate: Gate(
                hosts: HostRule(listen: "127.0.0.1", addresses: ["example.org"]), token: reader,
                now: now), isSecure: isSecure)
        try await Application(router: routes.router()).test(.router, body)
    }
}

/// The text of a page.
func text(_ response: TestResponse) -> String { String(buffer: response.body) }
