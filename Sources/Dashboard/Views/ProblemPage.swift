import Federation

extension Site {
    /// What went wrong, and what to do next.
    ///
    /// - Parameter isKnown: whether its reader may see the other pages.
    func problem(_ fault: Fault, isKnown: Bool = true) -> Page {
        let status =
            switch fault.code {
            case .invalid: 400
            case .unauthenticated: 401
            case .forbidden: 403
            case .notFound, .gone: 404
            case .conflict: 409
            case .exhausted: 429
            case .unavailable, .storage: 503
            case .untrusted, .internal: 500
            }
        let title =
            switch status {
            case 400: "That is not an address of this dashboard"
            case 401, 403: "Not for you yet"
            case 404: "There is no such page"
            case 409: "Not now"
            case 429, 503: "Not just now"
            default: "Something is wrong"
            }
        return problem(
            title, fault.message, remedy: fault.remedy.nonEmpty, status: status, isKnown: isKnown)
    }

    /// A page that says why there is no other.
    func problem(
        _ title: String, _ message: String, remedy: String?, status: Int, isKnown: Bool
    ) -> Page {
        Page(
            title: title, area: isKnown ? .overview : nil, template: .problem,
            content: ProblemView(message: message, remedy: remedy, hasNavigation: isKnown),
            status: status)
    }

    /// The form that asks for the token.
    ///
    /// - Parameters:
    ///   - refused: why it is asked for again; nil at first.
    ///   - to: the page that was wanted.
    func login(to: String, refused: String? = nil, status: Int = 401) -> Page {
        Page(
            title: "Sign in", area: nil, template: .login,
            content: LoginView(refused: refused, to: to), status: status)
    }
}

private struct ProblemView {
    let message: String
    let remedy: String?
    let hasNavigation: Bool
}

private struct LoginView {
    let refused: String?
    let to: String
}
