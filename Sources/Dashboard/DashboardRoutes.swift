import Federation
import Foundation
package import Hummingbird
import Wire

/// Which address gets which answer.
package struct DashboardRoutes: Sendable {
    let site: Site
    let gate: Gate
    /// Whether it is served over TLS, so that a cookie never goes without.
    let isSecure: Bool

    package init(site: Site, gate: Gate, isSecure: Bool) {
        self.site = site
        self.gate = gate
        self.isSecure = isSecure
    }

    /// The largest form that is read, in bytes.
    static let mostFormBytes = 4096

    /// Makes a page of an address's parts and its query.
    typealias PageMaker =
        @Sendable (_ parts: Parameters, _ query: PageQuery) async throws(Fault) -> Page

    /// Everything that answers, behind the gate.
    package func router() -> Router<BasicRequestContext> {
        let router = Router(options: [.autoGenerateHeadEndpoints])
        router.add(middleware: Entrance(routes: self))
        add(to: router)
        router.get("metrics") { _, _ in
            Response(
                status: .ok,
                headers: [
                    .contentType: "text/plain; version=0.0.4; charset=utf-8",
                    .cacheControl: "no-store",
                ], body: ResponseBody(byteBuffer: ByteBuffer(string: await site.fleet.metrics())))
        }
        router.get("log/:index/proof") { _, context in
            do throws(Fault) {
                let index = try parsedNumber(context.parameters.get("index") ?? "")
                let proof = try await site.fleet.proof(AuditProve(index: index))
                return Response(
                    status: .ok,
                    headers: [
                        .contentType: "text/plain; charset=utf-8", .cacheControl: "no-store",
                    ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: proof)))
            } catch { return answer(site.problem(error)) }
        }
        for (path, asset) in [
            ("style.css", Asset.style), ("script.js", .script), ("favicon.svg", .icon),
        ] {
            router.get(RouterPath(path)) { _, _ in
                // Its address changes when it does.
                Response(
                    status: .ok,
                    headers: [.contentType: asset.type, .cacheControl: "max-age=86400"],
                    body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
            }
        }
        router.post("login") { request, _ in await signIn(request) }
        router.post("logout") { _, _ in
            redirect(to: "/login", headers: [.setCookie: cookie("", seconds: 0)])
        }
        router.get("login") { request, _ in
            guard gate.token != nil, gate.decide(on: request) != .admitted else {
                return redirect(to: "/")
            }
            return answer(site.login(to: "/", status: 200))
        }
        return router
    }

    private func add(to router: Router<BasicRequestContext>) {
        let site = site
        page(router, "", isLive: true) { _, _ async throws(Fault) in try await site.overview() }
        page(router, "rounds", isLive: true) { _, query async throws(Fault) in
            try await site.rounds(query)
        }
        page(router, "rounds/:number", isLive: true) { parts, _ async throws(Fault) in
            try await site.round(try parsedNumber(parts.get("number") ?? ""))
        }
        page(router, "agents") { _, query async throws(Fault) in try await site.agents(query) }
        page(router, "agents/:name") { parts, _ async throws(Fault) in
            try await site.agent(parts.get("name") ?? "")
        }
        page(router, "models") { _, _ async throws(Fault) in try await site.models() }
        page(router, "models/:plan") { parts, query async throws(Fault) in
            try await site.plan(parts.get("plan") ?? "", query)
        }
        page(router, "models/:plan/:version") { parts, _ async throws(Fault) in
            try await site.model(
                parts.get("plan") ?? "", version: try parsedNumber(parts.get("version") ?? ""))
        }
        page(router, "models/:plan/:version/verify") { parts, _ async throws(Fault) in
            try await site.verification(
                parts.get("plan") ?? "", version: try parsedNumber(parts.get("version") ?? ""))
        }
        page(router, "privacy") { _, _ async throws(Fault) in try await site.privacy() }
        page(router, "privacy/:plan") { parts, query async throws(Fault) in
            try await site.ledger(parts.get("plan") ?? "", query)
        }
        page(router, "runs") { _, query async throws(Fault) in try await site.runs(query) }
        page(router, "runs/compare") { _, query async throws(Fault) in
            try await site.compareRuns(query.texts("run"))
        }
        page(router, "runs/:name") { parts, _ async throws(Fault) in
            try await site.compareRuns([parts.get("name") ?? ""])
        }
        page(router, "log") { _, query async throws(Fault) in try await site.log(query) }
        page(router, "log/:index") { parts, _ async throws(Fault) in
            try await site.leaf(try parsedNumber(parts.get("index") ?? ""))
        }
    }

    /// Serves a page, and, when part of it changes by itself, that part as it does at `/live/PATH`.
    private func page(
        _ router: Router<BasicRequestContext>, _ path: String, isLive: Bool = false,
        _ make: @escaping PageMaker
    ) {
        router.get(RouterPath(path)) { request, context in
            do throws(Fault) {
                return answer(try await make(context.parameters, query(of: request)))
            } catch {
                return answer(site.problem(error))
            }
        }
        guard isLive else { return }
        let live = path.isEmpty ? "live" : "live/\(path)"
        router.get(RouterPath(live)) { request, context in
            let parameters = context.parameters
            let query = query(of: request)
            return LivePart(site: site) { () async throws(Fault) in
                try await make(parameters, query)
            }.response()
        }
    }

    // MARK: Answers

    /// A page as a response.
    func answer(_ page: Page, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "text/html; charset=utf-8"
        headers[.cacheControl] = "no-store"
        let html = site.writer.html(page, nowUnix: site.now())
        return Response(
            status: HTTPResponse.Status(code: page.status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }

    private func redirect(to address: String, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.location] = address
        headers[.cacheControl] = "no-store"
        return Response(status: .seeOther, headers: headers)
    }

    private func query(of request: Request) -> PageQuery {
        PageQuery(
            request.uri.queryParameters.map {
                (name: String($0.key), value: String($0.value.replacing("+", with: " ")))
            })
    }

    // MARK: Signing in

    private func signIn(_ request: Request) async -> Response {
        guard let token = gate.token else { return redirect(to: "/") }
        guard let body = try? await request.body.collect(upTo: Self.mostFormBytes) else {
            return answer(
                site.login(to: "/", refused: "That is longer than any token.", status: 400))
        }
        let form = FormFields(String(buffer: body))
        let to = Self.localPage(form["to"])
        switch gate.check(form["token"] ?? "", token) {
        case .admitted:
            let session = token.session(nowUnix: site.now())
            return redirect(
                to: to,
                headers: [
                    .setCookie: cookie(session, seconds: ReaderToken.sessionSeconds)
                ])
        case .exhausted:
            return answer(
                site.login(
                    to: to, refused: "Too many wrong tokens. Wait a minute.", status: 429))
        default:
            return answer(
                site.login(
                    to: to,
                    refused: "That is not the token. It is in the file that token_file in"
                        + " coordinator.toml names.", status: 401))
        }
    }

    private func cookie(_ value: String, seconds: UInt64) -> String {
        "\(ReaderToken.cookie)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict"
            + (isSecure ? "; Secure" : "")
    }

    /// The page of this dashboard that `text` names; the first one for anything else.
    static func localPage(_ text: String?) -> String {
        guard let text, text.hasPrefix("/"), !text.hasPrefix("//"), !text.contains("\\"),
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return "/" }
        return text
    }
}

/// The fields of a form that a browser sent.
struct FormFields {
    private let fields: [String: String]

    init(_ body: String) {
        var fields: [String: String] = [:]
        for pair in body.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let words = parts.map { part in
                part.replacing("+", with: " ").removingPercentEncoding ?? ""
            }
            fields[words[0]] = words.count > 1 ? words[1] : ""
        }
        self.fields = fields
    }

    subscript(_ name: String) -> String? { fields[name] }
}
