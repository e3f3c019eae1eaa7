import CoordinatorService
import Federation
import HTTPTypes
import HummingbirdTesting
import Testing
import Wire

@Suite("The pages")
struct PageTests {
    private static func agents(_ count: Int) -> [AgentRecord] {
        (0..<count).map { number in
            let digits = String(number)
            let name = "agent-" + String(repeating: "0", count: 5 - digits.count) + digits
            return AgentRecord(
                agent: name, state: number % 1000 == 7 ? "revoked" : "active",
                enrolledUnix: FakeFleet.now - 1000, lastSeenUnix: FakeFleet.now - 5,
                version: "0.1.0", unavailable: number % 100 == 3 ? "on battery" : "")
        }
    }

    @Test("ten thousand agents come page by page, each of them once")
    func manyAgents() async throws {
        let fleet = FakeFleet(
            agentRecords: Self.agents(10_000), count: AgentCensus(active: 9_990, revoked: 10))
        try await fleet.serve { client in
            var address: String? = "/agents"
            var seen: [String] = []
            while let next = address {
                let page = text(try await client.execute(uri: next, method: .get))
                seen += page.matches(of: /href="\/agents\/(agent-[0-9]+)"/).map { String($0.1) }
                let older = page.firstMatch(of: /href="(\/agents\?[^"]*after=[^"]*)" rel="next"/)
                address = older.map { String($0.1).replacing("&amp;", with: "&") }
            }
            #expect(seen.count == 10_000)
            #expect(Set(seen).count == 10_000)
        }
    }

    @Test("a filter finds its agents wherever they are, and a name begins as asked")
    func filteredAgents() async throws {
        let fleet = FakeFleet(agentRecords: Self.agents(10_000))
        try await fleet.serve { client in
            let revoked = text(try await client.execute(uri: "/agents?state=revoked", method: .get))
            #expect(revoked.matches(of: /href="\/agents\/agent-/).count == 10)
            #expect(revoked.contains("agent-09007"))
            let named = text(
                try await client.execute(uri: "/agents?name=agent-0123", method: .get))
            #expect(named.matches(of: /href="\/agents\/agent-0123/).count == 10)
            #expect(!named.contains("agent-01240"))
            let exact = text(
                try await client.execute(uri: "/agents?name=agent-01234", method: .get))
            #expect(exact.matches(of: /href="\/agents\/agent-/).count == 1)
        }
    }

    @Test("whatever an agent says stays text")
    func escaping() async throws {
        let evil = "<script>alert('x')</script>\"&"
        let fleet = FakeFleet(
            planRecords: [
                PlanRecord(
                    plan: "tiny", title: evil, state: "failed", detail: evil, accuracyTeacher: -1,
                    accuracyFirst: -1, accuracyLast: -1, epsilon: -1, text: Array(evil.utf8),
                    population: "devices")
            ],
            agentRecords: [
                AgentRecord(
                    agent: "a-1", state: "active", version: evil, cpuFeatures: evil,
                    refusal: evil, unavailable: evil)
            ],
            roundRecords: [
                RoundRecord(
                    round: 1, attempt: 1, plan: "tiny", phase: "abandoned", reason: evil,
                    accuracy: -1, epsilon: -1)
            ],
            count: AgentCensus(
                active: 1, versions: [AgentCensus.Version(version: evil, agents: 1)]))
        try await fleet.serve { client in
            let addresses = [
                "/", "/agents", "/agents/a-1", "/agents?name=%3Cscript%3E", "/models",
                "/models/tiny", "/rounds", "/rounds/1", "/%3Cscript%3E", "/runs/%3Cscript%3E",
            ]
            for address in addresses {
                let page = text(try await client.execute(uri: address, method: .get))
                #expect(!page.contains("<script>"), "\(address)")
                #expect(!page.contains("alert('x')"), "\(address)")
            }
            let page = text(try await client.execute(uri: "/agents/a-1", method: .get))
            #expect(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"))
        }
    }

    @Test("a round in flight shows its cohort, and a withheld one does not")
    func liveRounds() async throws {
        let counted = LiveRound(
            record: RoundRecord(
                round: 7, attempt: 2, plan: "tiny", phase: "training", seconds: 4, selected: 12,
                reported: 9, accuracy: -1, epsilon: -1, bytesIn: 2048), target: 10, uploading: 2,
            refused: 1, secondsLeft: 30)
        var secret = counted
        secret.record.round = 8
        secret.record.withheld = true
        secret.record.selected = 0
        try await FakeFleet(live: [counted, secret]).serve { client in
            let page = text(try await client.execute(uri: "/", method: .get))
            #expect(page.contains("9 of 12 agents that were selected have reported"))
            #expect(page.contains("it closes with 10"))
            #expect(page.contains("attempt 2"))
            #expect(page.matches(of: /aria-current="step"/).count == 2)
            #expect(page.matches(of: /<progress/).count == 1)
            #expect(page.matches(of: /<circle class="in"/).count == 9)
            #expect(page.matches(of: /<circle class="sends"/).count == 2)
            #expect(page.matches(of: /<circle class="trains"/).count == 1)
            #expect(page.contains("stays secret"))
            #expect(page.contains("data-live=\"/live\""))
            #expect(page.contains("<noscript><meta http-equiv=\"refresh\""))
        }
    }

    @Test("a list of rounds tells drop-outs, and of private rounds neither them nor updates")
    func rounds() async throws {
        let open = RoundRecord(
            round: 1, attempt: 1, plan: "open", phase: "published", seconds: 75, selected: 12,
            reported: 10, modelVersion: 1, published: true, accuracy: 0.8819, epsilon: -1)
        let secret = RoundRecord(
            round: 2, attempt: 1, plan: "secret", phase: "published", seconds: 1, modelVersion: 1,
            published: true, accuracy: 0.5, epsilon: 3.141, withheld: true)
        try await FakeFleet(roundRecords: [open, secret]).serve { client in
            let page = text(try await client.execute(uri: "/rounds", method: .get))
            #expect(page.contains("<td class=\"num\">88.19 %</td><td class=\"num\">10</td>"))
            #expect(page.contains("<td class=\"num\">2</td><td class=\"num\">1 min 15 s</td>"))
            #expect(page.matches(of: /not told/).count == 2)
            #expect(page.contains("ε 3.15"))
            #expect(page.contains("part of what it protects"))
            let one = text(try await client.execute(uri: "/rounds/2", method: .get))
            #expect(one.contains("not told: the plan is private"))
        }
    }

    @Test("a version that was republished does not pass for the coordinator's own")
    func republished() async throws {
        let records = [false, true].enumerated().map { version, hasParent in
            ModelRecord(
                model: ModelRef(plan: "tiny", version: UInt64(version)), accuracy: 0.5,
                hasParent: hasParent)
        }
        let plan = PlanRecord(
            plan: "tiny", state: "ready", hasModel: true, modelVersion: 1, epsilon: -1)
        try await FakeFleet(planRecords: [plan], modelRecords: records).serve { client in
            let page = text(try await client.execute(uri: "/models/tiny", method: .get))
            #expect(page.matches(of: /<td>an older version, republished<\/td>/).count == 1)
            #expect(page.matches(of: /<td>the coordinator(&#39;|')s data<\/td>/).count == 1)
        }
    }

    @Test("how many examples a device has is only told where the plan is not private")
    func examples() async throws {
        let agent = AgentRecord(
            agent: "a-1", state: "active",
            plans: [
                AgentPlanRecord(plan: "open", examples: 1, unreadable: 2),
                AgentPlanRecord(plan: "secret", examples: 1, withheld: true),
            ])
        try await FakeFleet(agentRecords: [agent]).serve { client in
            let page = text(try await client.execute(uri: "/agents/a-1", method: .get))
            #expect(page.contains("<td class=\"num\">1</td><td class=\"num\">2</td>"))
            #expect(page.contains("<td class=\"num\">some</td><td class=\"num\">–</td>"))
        }
    }

    @Test("older rounds are a page further")
    func pagedRounds() async throws {
        let records = (1...120).map {
            RoundRecord(
                round: $0, plan: "open", phase: "published", published: true, accuracy: 0.5,
                epsilon: -1)
        }
        try await FakeFleet(roundRecords: records).serve { client in
            let first = text(try await client.execute(uri: "/rounds", method: .get))
            #expect(first.contains("href=\"/rounds?before=71\" rel=\"next\""))
            let last = text(try await client.execute(uri: "/rounds?before=21", method: .get))
            #expect(last.matches(of: /scope="row"><a href="\/rounds\//).count == 20)
            #expect(!last.contains("rel=\"next\""))
            #expect(!last.contains("data-live"))
        }
    }

    @Test("a fleet without anything says on each page what to do next")
    func empty() async throws {
        try await FakeFleet().serve { client in
            for (address, hint) in [
                ("/", "plan apply"), ("/agents", "agent token"), ("/models", "plan apply"),
                ("/privacy", "privacy calibrate"), ("/runs", "tributary-coordinator simulate"),
                ("/rounds", "No round has run yet"),
            ] {
                let response = try await client.execute(uri: address, method: .get)
                #expect(response.status == .ok, "\(address)")
                #expect(text(response).contains(hint), "\(address)")
            }
        }
    }

    @Test("what is not there is told with a way on, in the right status")
    func problems() async throws {
        try await FakeFleet().serve { client in
            for (address, status) in [
                ("/rounds/99", 404), ("/rounds/x", 400), ("/models/none", 404),
                ("/agents/none", 404), ("/nothing", 404), ("/rounds?before=-1", 400),
                ("/log", 503), ("/runs/compare", 400), ("/runs/none", 404),
            ] {
                let response = try await client.execute(uri: address, method: .get)
                #expect(response.status.code == status, "\(address)")
                #expect(text(response).contains("href=\"/\">Back to the overview"), "\(address)")
                #expect(text(response).contains("<h1>"), "\(address)")
            }
        }
    }

    @Test("when the coordinator does not serve, the first page says so and what helps")
    func trouble() async throws {
        let fleet = FakeFleet(
            state: StatusRecord(
                state: "storage full", detail: "the storage is full", remedy: "free space"))
        try await fleet.serve { client in
            let page = text(try await client.execute(uri: "/", method: .get))
            #expect(page.contains("role=\"alert\""))
            #expect(page.contains("storage full") && page.contains("free space"))
        }
    }

    @Test("privacy tells what is spent, what is left and what more would cost")
    func privacy() async throws {
        let charge = ChargeRecord(
            plan: "tiny", round: 1, attempt: 1, noiseMultiplier: 1, samplingRate: 0.01,
            delta: 1e-5, epsilonAfter: 0.5, chargedUnix: FakeFleet.now)
        let fleet = FakeFleet(
            planRecords: [
                PlanRecord(plan: "tiny", state: "ready", epsilon: 0.5, population: "devices")
            ],
            ledger: LedgerRecord(
                plan: "tiny", population: "devices", noiseMultiplier: 1, samplingRate: 0.01,
                delta: 1e-5, maxEpsilon: 2, total: 1, charges: [charge]))
        try await fleet.serve { client in
            let page = text(try await client.execute(uri: "/privacy", method: .get))
            #expect(page.contains("Population devices"))
            #expect(page.contains("δ 10⁻⁵"))
            #expect(page.contains("limit 2.00"))
            #expect(page.contains("class=\"curve ahead s1\""))
            #expect(page.matches(of: /<th scope="row" class="num">/).count >= 8)
            let charges = text(try await client.execute(uri: "/privacy/tiny", method: .get))
            #expect(charges.contains("href=\"/rounds/1\""))
        }
    }
}
