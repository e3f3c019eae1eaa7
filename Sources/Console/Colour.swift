import Glibc

/// The colours that words may have on a terminal; they say nothing that the words do not.
package enum Colour: String, Sendable {
    case green = "32"
    case yellow = "33"
    case red = "31"
    case bold = "1"
    case dim = "2"

    /// `text` in this colour.
    package func paint(_ text: String) -> String {
        text.isEmpty ? text : "\u{1B}[\(rawValue)m\(text)\u{1B}[0m"
    }

    /// Whether colours are wanted at a terminal: https://no-color.org says how people refuse them.
    ///
    /// - Parameter environment: reads a variable of the environment.
    package static func areWanted(
        environment: (String) -> String? = { name in getenv(name).map { String(cString: $0) } }
    ) -> Bool {
        (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
    }

    /// What a word of state is painted with: good, waiting and bad ones are told apart at a glance.
    package static func of(state word: String) -> Colour? {
        switch word.prefix(while: { $0.isLetter }).lowercased() {
        case "ok", "active", "ready", "published", "finished", "serving", "verified", "complete",
            "yes":
            .green
        case "failed", "fail", "revoked", "abandoned", "cancelled", "interrupted", "unreadable":
            .red
        case "preparing", "queued", "paused", "running", "skipped", "retired": .yellow
        default: nil
        }
    }
}
