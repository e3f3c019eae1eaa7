import Federation
import Foundation
import Mustache

/// One of the pages that every page links to.
enum PageArea: String, CaseIterable {
    case overview = "Overview"
    case fleet = "Fleet"
    case rounds = "Rounds"
    case models = "Models"
    case privacy = "Privacy"
    case runs = "Runs"
    case log = "Log"

    var address: String {
        switch self {
        case .overview: "/"
        case .fleet: "/agents"
        case .rounds: "/rounds"
        case .models: "/models"
        case .privacy: "/privacy"
        case .runs: "/runs"
        case .log: "/log"
        }
    }
}

/// A link.
struct PageLink {
    let label: String
    let href: String
    var isCurrent = false
}

/// What a page says, and the template that writes it.
struct Page {
    var title: String
    /// Nil on pages for those who have not signed in.
    var area: PageArea?
    var template: Template
    /// A structure whose members the template names.
    var content: Any
    /// The pages above it.
    var crumbs: [PageLink] = []
    /// Where its live part is told from; nil: it has none.
    var liveAddress: String?
    /// What is said to a reader who does not see the live part change.
    var announcement = ""
    var status = 200
}

/// The files of Pages/, by name.
enum Template: String, CaseIterable {
    case layout, overview, rounds, round, agents, agent, models, plan, model, verification
    case privacy, ledger, runs, comparison, log, leaf, problem, login
    case liveRounds = "live-rounds"
    case roundsTable = "rounds-table"
    case pager

    var text: [UInt8] {
        switch self {
        case .layout: PackageResources.layout_mustache
        case .overview: PackageResources.overview_mustache
        case .rounds: PackageResources.rounds_mustache
        case .round: PackageResources.round_mustache
        case .agents: PackageResources.agents_mustache
        case .agent: PackageResources.agent_mustache
        case .models: PackageResources.models_mustache
        case .plan: PackageResources.plan_mustache
        case .model: PackageResources.model_mustache
        case .verification: PackageResources.verification_mustache
        case .privacy: PackageResources.privacy_mustache
        case .ledger: PackageResources.ledger_mustache
        case .runs: PackageResources.runs_mustache
        case .comparison: PackageResources.comparison_mustache
        case .log: PackageResources.log_mustache
        case .leaf: PackageResources.leaf_mustache
        case .problem: PackageResources.problem_mustache
        case .login: PackageResources.login_mustache
        case .liveRounds: PackageResources.live_rounds_mustache
        case .roundsTable: PackageResources.rounds_table_mustache
        case .pager: PackageResources.pager_mustache
        }
    }
}

/// Writes pages as HTML.
struct PageWriter: Sendable {
    private let library: MustacheLibrary
    private let fleet: String
    /// Whether readers sign in, and so can sign out.
    private let asksForToken: Bool

    /// How often a page with a live part loads itself anew where no script runs.
    private static let refreshSeconds = 15

    /// - Throws: `internal` when a template does not parse, which a test would have shown.
    init(fleet: String, asksForToken: Bool) throws(Fault) {
        self.fleet = fleet
        self.asksForToken = asksForToken
        var library = MustacheLibrary()
        for template in Template.allCases {
            do {
                try library.register(
                    String(decoding: template.text, as: UTF8.self), named: template.rawValue)
            } catch {
                throw Fault(.internal, "the template \(template.rawValue) does not parse: \(error)")
            }
        }
        self.library = library
    }

    /// What stands in the frame that all pages share.
    private struct Frame {
        let title: String
        let fleet: String
        let assets = Asset.version
        let version = softwareVersion
        let asOf: String
        let refreshSeconds: Int?
        let liveAddress: String?
        let hasNavigation: Bool
        let navigation: [PageLink]
        let canLeave: Bool
        let hasCrumbs: Bool
        let crumbs: [PageLink]
        let body: String
    }

    /// The whole page.
    func html(_ page: Page, nowUnix: UInt64) -> String {
        let frame = Frame(
            title: page.title, fleet: fleet, asOf: Moment(unix: nowUnix).text,
            refreshSeconds: page.liveAddress.map { _ in Self.refreshSeconds },
            liveAddress: page.liveAddress, hasNavigation: page.area != nil,
            navigation: PageArea.allCases.map {
                PageLink(label: $0.rawValue, href: $0.address, isCurrent: $0 == page.area)
            }, canLeave: asksForToken && page.area != nil, hasCrumbs: !page.crumbs.isEmpty,
            crumbs: page.crumbs, body: body(page))
        return write(frame, .layout)
    }

    /// What stands between the page's heading and its foot.
    func body(_ page: Page) -> String { write(page.content, page.template) }

    private func write(_ content: Any, _ template: Template) -> String {
        library.render(content, withTemplate: template.rawValue) ?? ""
    }
}
