import Federation
import Hummingbird
import Logging

/// What every request passes and every answer carries.
struct Entrance: RouterMiddleware {
    let routes: DashboardRoutes

    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        var response = await answer(to: request, context: context, next: next)
        for (name, value) in Self.headers { response.headers[name] = value }
        return response
    }

    /// Nothing is taken from elsewhere, no page stands in another one, and nobody is told where a reader comes from.
    private static let headers: [(HTTPFields.Element.Name, String)] = {
        let policy = [
            "default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'",
            "connect-src 'self'", "form-action 'self'", "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
        return [
            ("Content-Security-Policy", policy.joined(separator: "; ")),
            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
            ("X-Frame-Options", "DENY"), ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ].compactMap { name, value in HTTPFields.Element.Name(name).map { ($0, value) } }
    }()

    /// Addresses that need no token: what the page that asks for it is made of.
    private static let open: Set = ["/login", "/style.css", "/script.js", "/favicon.svg"]

    private func answer(
        to request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async -> Response {
        let site = routes.site
        let decision = routes.gate.decide(on: request)
        guard decision != .misdirected else { return misdirected() }
        let isOpen = Self.open.contains(request.uri.path)
        guard decision == .admitted || isOpen else { return refusal(decision, request) }
        let isSigning = ["/login", "/logout"].contains(request.uri.path)
        guard
            request.method == .get || request.method == .head
                || request.method == .post && isSigning
        else {
            var response = routes.answer(
                site.problem(
                    "This only shows", "The dashboard can be read and changes nothing.",
                    remedy: "use the command line: tributary-coordinator --help", status: 405,
                    isKnown: true))
            response.headers[.allow] = "GET, HEAD"
            return response
        }
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            return routes.answer(
                site.problem(
                    "There is no such page", "Nothing is at \(request.uri.path.prefix(200)).",
                    remedy: "begin at the overview: every page is linked from there", status: 404,
                    isKnown: decision == .admitted))
        } catch {
            context.logger.warning("a page failed", metadata: ["why": "\(error)"])
            return routes.answer(
                site.problem(
                    Fault(
                        .internal, "this page cannot be made",
                        remedy: "the coordinator's log says why"),
                    isKnown: decision == .admitted))
        }
    }

    private func misdirected() -> Response {
        routes.answer(
            routes.site.problem(
                "Another name, please",
                "This dashboard is reached under another name than was used.",
                remedy: "open it as one of: \(routes.gate.hosts.words); names of your own belong"
                    + " to addresses in [server] of coordinator.toml", status: 421, isKnown: false))
    }

    /// A program gets told, a person gets the form.
    private func refusal(_ decision: Gate.Decision, _ request: Request) -> Response {
        let site = routes.site
        switch decision {
        case .exhausted:
            return routes.answer(
                site.login(
                    to: "/", refused: "Too many wrong tokens. Wait a minute.", status: 429))
        case .refused:
            return routes.answer(
                site.login(to: "/", refused: "That is not the token.", status: 401),
                headers: [.wwwAuthenticate: "Bearer realm=\"tributary\""])
        default:
            let to = request.method == .get ? DashboardRoutes.localPage(request.uri.string) : "/"
            return routes.answer(
                site.login(to: to), headers: [.wwwAuthenticate: "Bearer realm=\"tributary\""])
        }
    }
}
