/// What went wrong, in words a person can act on.
///
/// Every error that crosses a module's edge is one of these: what happened, where, and what to do next.
package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is; the wire carries it, so that a peer can decide without reading the message.
    package enum Code: String, Sendable, CaseIterable {
        /// The input does not parse or breaks a stated rule.
        case invalid
        /// No valid certificate or token.
        case unauthenticated
        /// The identity is known and may not do this.
        case forbidden
        /// The named thing does not exist.
        case notFound
        /// The thing exists in a state that does not allow this.
        case conflict
        /// It was wanted once and no longer is.
        case gone
        /// A limit on size, count or rate is reached.
        case exhausted
        /// The peer cannot be reached, or cannot serve now; trying later may help.
        case unavailable
        /// A signature, digest or log entry does not verify.
        case untrusted
        /// A file or directory cannot be read or written.
        case storage
        /// A defect of this program.
        case `internal`
    }

    package let code: Code
    /// What happened and where, one sentence without a final full stop.
    package let message: String
    /// What to do next; empty when nothing can be done.
    package let remedy: String

    package init(_ code: Code, _ message: String, remedy: String = "") {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    package var description: String { remedy.isEmpty ? message : "\(message); \(remedy)" }
}
