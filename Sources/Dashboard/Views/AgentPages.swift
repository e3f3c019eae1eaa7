import CoordinatorService
import Federation
import Wire

/// Which agents a list shows.
private enum AgentFilter: String, CaseIterable {
    case all, active, unavailable, silent, refusing, revoked

    var label: String {
        switch self {
        case .all: "every state"
        case .active: "active"
        case .unavailable: "taking no work"
        case .silent: "not heard for a day"
        case .refusing: "refused a model"
        case .revoked: "revoked"
        }
    }

    func selects(_ agent: AgentRecord, now: UInt64) -> Bool {
        let isActive = agent.state == "active"
        switch self {
        case .all: return true
        case .active: return isActive
        case .unavailable: return isActive && !agent.unavailable.isEmpty
        case .silent: return isActive && agent.lastSeenUnix + 86_400 < now
        case .refusing: return isActive && !agent.refusal.isEmpty
        case .revoked: return !isActive
        }
    }
}

extension Site {
    /// Names that one page looks through at most for those that a filter selects.
    private static let mostLookedAt = 20_000

    /// Agents by state and version, and a page of their list.
    func agents(_ query: PageQuery) async throws(Fault) -> Page {
        let census = try await fleet.census()
        let filter = query.text("state").flatMap(AgentFilter.init) ?? .all
        let prefix = query.text("name") ?? ""
        let after = query.text("after") ?? ""
        let found = try await agents(filter, prefix: prefix, after: after)
        let asked = [
            filter == .all ? "" : "state=\(filter.rawValue)",
            prefix.isEmpty ? "" : "name=\(prefix.asQuery)",
        ]
        let pager = PagerLinks(
            newer: after.isEmpty ? nil : address("/agents", asked[0], asked[1]),
            older: found.next.map {
                address("/agents", asked[0], asked[1], "after=\($0.asQuery)")
            })
        let isNew = census.active + census.revoked == 0
        let now = now()
        let view = AgentsView(
            tiles: tiles(census), hasVersions: !census.versions.isEmpty,
            versionBars: BarChart.rows(
                id: "versions-bars", title: "Active agents by version",
                census.versions.prefix(12).map {
                    ($0.version.isEmpty ? "not heard yet" : $0.version, $0.agents)
                }), heading: "Agents, by name", prefix: prefix,
            choices: AgentFilter.allCases.map {
                FormChoice(value: $0.rawValue, label: $0.label, isChosen: $0 == filter)
            }, hasAgents: !found.agents.isEmpty,
            agents: found.agents.map { AgentRow($0, now: now) },
            empty: isNew
                ? "No agent has enrolled yet. Each takes a token and its own data:"
                : "No agent is like that.", isNew: isNew, hasPager: pager.hasPager,
            newer: pager.newer, older: pager.older)
        return Page(title: "Fleet", area: .fleet, template: .agents, content: view)
    }

    /// A page of agents, and the name to go on after; nil when there are no more.
    private func agents(
        _ filter: AgentFilter, prefix: String, after: String
    ) async throws(Fault) -> (agents: [AgentRecord], next: String?) {
        var found: [AgentRecord] = []
        // The name that comes just before the first with the prefix is the prefix without its end; a list goes on after a
        // name, so the prefix itself is looked up besides.
        var last = max(after, prefix)
        if after.isEmpty, !prefix.isEmpty, let exact = try? await fleet.agent(prefix),
            filter.selects(exact, now: now())
        {
            found.append(exact)
        }
        var looked = 0
        while looked < Self.mostLookedAt {
            let page = try await fleet.agents(after: last, limit: 500)
            for agent in page.items {
                guard prefix.isEmpty || agent.agent.hasPrefix(prefix) else { return (found, nil) }
                last = agent.agent
                looked += 1
                guard filter.selects(agent, now: now()) else { continue }
                // One more than fits says that there is another page.
                if found.count == Self.pageRows { return (found, found.last?.agent) }
                found.append(agent)
            }
            guard page.more, !page.items.isEmpty else { return (found, nil) }
        }
        return (found, last)
    }

    private func tiles(_ census: AgentCensus) -> [Tile] {
        let away = max(0, census.active - census.waiting - census.unavailable)
        return [
            Tile(
                label: "Waiting for work", value: grouped(census.waiting),
                note: "of \(grouped(census.active)) active", href: "/agents?state=active"),
            Tile(
                label: "Taking no work", value: grouped(census.unavailable),
                note: "their owners' conditions", href: "/agents?state=unavailable"),
            Tile(
                label: "At work or away", value: grouped(away), note: "not in a check-in",
                href: "/agents?state=silent"),
            Tile(
                label: "Revoked", value: grouped(census.revoked), note: "refused from then on",
                href: "/agents?state=revoked"),
        ]
    }

    /// One agent.
    func agent(_ name: String) async throws(Fault) -> Page {
        let agent = try await fleet.agent(name)
        let now = now()
        let row = AgentRow(agent, now: now)
        let view = AgentView(
            refusal: agent.refusal.nonEmpty, state: row.state, tone: row.tone, why: row.why,
            facts: facts(of: agent, now: now), hasPlans: !agent.plans.isEmpty,
            plans: agent.plans.map {
                FollowedPlanRow(
                    name: $0.plan, examples: $0.exampleText,
                    unreadable: $0.withheld ? nothing : grouped($0.unreadable),
                    version: $0.hasModel ? "\($0.modelVersion)" : "none yet")
            })
        return Page(
            title: "Agent \(agent.agent)", area: .fleet, template: .agent, content: view,
            crumbs: [PageLink(label: "Fleet", href: "/agents")])
    }

    private func facts(of agent: AgentRecord, now: UInt64) -> [FactLine] {
        var facts = [
            FactLine(name: "Last seen", value: ago(agent.lastSeenUnix, now: now)),
            FactLine(name: "Enrolled", value: Moment(unix: agent.enrolledUnix).text),
            FactLine(name: "Version", value: agent.version.nonEmpty ?? "not heard yet"),
            FactLine(name: "Processor", value: agent.cpuFeatures.nonEmpty ?? nothing),
            FactLine(name: "Memory", value: AgentRow.memory(agent)),
            FactLine(
                name: "Certificate until",
                value: Moment(unix: agent.certificateExpiresUnix).text),
            FactLine(
                name: "Trust set",
                value: agent.trustSetVersion == 0
                    ? "not known yet" : "version \(agent.trustSetVersion)"),
        ]
        if !agent.revokedReason.isEmpty {
            facts.append(FactLine(name: "Revoked because", value: agent.revokedReason))
        }
        return facts
    }
}

extension AgentPlanRecord {
    /// How many examples there are, as far as that is told.
    fileprivate var exampleText: String {
        examples == 0 ? nothing : withheld ? "some" : grouped(examples)
    }
}

private struct AgentsView {
    let tiles: [Tile]
    let hasVersions: Bool
    let versionBars: String
    let heading: String
    let prefix: String
    let choices: [FormChoice]
    let hasAgents: Bool
    let agents: [AgentRow]
    let empty: String
    let isNew: Bool
    let hasPager: Bool
    let newer: String?
    let older: String?
    let newerLabel = "First agents"
    let olderLabel = "Next agents"
}

private struct AgentView {
    let refusal: String?
    let state: String
    let tone: String
    let why: String?
    let facts: [FactLine]
    let hasPlans: Bool
    let plans: [FollowedPlanRow]
}

private struct FollowedPlanRow {
    let name: String
    let examples: String
    let unreadable: String
    let version: String
}

/// A line of the table of agents.
private struct AgentRow {
    let name: String
    let state: String
    let tone: String
    let why: String?
    let seen: String
    let version: String
    let plans: String
    let memory: String
    let certificate: String

    init(_ agent: AgentRecord, now: UInt64) {
        name = agent.agent
        if agent.state != "active" {
            (state, tone, why) = ("revoked", Tone.bad.rawValue, agent.revokedReason.nonEmpty)
        } else if !agent.refusal.isEmpty {
            (state, tone, why) = ("refused a model", Tone.bad.rawValue, nil)
        } else if !agent.unavailable.isEmpty {
            (state, tone, why) = ("takes no work", Tone.warn.rawValue, agent.unavailable)
        } else if agent.lastSeenUnix + 86_400 < now {
            (state, tone, why) = ("silent", Tone.warn.rawValue, nil)
        } else {
            (state, tone, why) = ("active", Tone.good.rawValue, nil)
        }
        seen = ago(agent.lastSeenUnix, now: now)
        version = agent.version.nonEmpty ?? nothing
        plans = agent.plans.map { $0.hasModel ? "\($0.plan) \($0.modelVersion)" : $0.plan }
            .joined(separator: ", ")
        memory = AgentRow.memory(agent)
        certificate = String(Moment(unix: agent.certificateExpiresUnix).text.prefix(10))
    }

    static func memory(_ agent: AgentRecord) -> String {
        agent.memoryKib == 0 ? nothing : bytesText(agent.memoryKib << 10)
    }
}
