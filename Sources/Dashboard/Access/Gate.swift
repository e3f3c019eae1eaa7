import Federation
import Hummingbird

/// Who may read: looked at before any page is made.
package struct Gate: Sendable {
    let hosts: HostRule
    /// Nil: whoever reaches the port.
    let token: ReaderToken?
    let attempts = TokenAttempts()
    let now: @Sendable () -> UInt64

    /// - Parameters:
    ///   - token: nil: whoever reaches the port may read.
    ///   - now: the present time, in Unix seconds.
    package init(
        hosts: HostRule, token: ReaderToken?, now: @escaping @Sendable () -> UInt64
    ) {
        self.hosts = hosts
        self.token = token
        self.now = now
    }

    /// What becomes of a request.
    enum Decision: Equatable {
        case admitted
        /// It called this server by a name of somebody else.
        case misdirected
        /// It shows no token, or no longer.
        case mustSignIn
        /// It showed a wrong token, or too many were tried.
        case refused
        case exhausted
    }

    func decide(on request: Request) -> Decision {
        guard hosts.admits(request.head.authority ?? request.uri.host) else { return .misdirected }
        guard let token else { return .admitted }
        if let shown = request.headers[.authorization] {
            guard shown.lowercased().hasPrefix("bearer ") else { return .refused }
            return check(String(shown.dropFirst(7)), token)
        }
        let session = request.cookies[ReaderToken.cookie]?.value
        return session.map { token.isSession($0, nowUnix: now()) } == true
            ? .admitted : .mustSignIn
    }

    /// Whether `shown` is the token, unless too many wrong ones were tried.
    func check(_ shown: String, _ token: ReaderToken) -> Decision {
        guard attempts.isOpen(nowUnix: now()) else { return .exhausted }
        if token.isShown(in: shown) { return .admitted }
        attempts.wasWrong(nowUnix: now())
        return .refused
    }
}
