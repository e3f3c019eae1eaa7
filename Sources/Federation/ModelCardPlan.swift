/// `[model_card]`: what a plan's owner says of its models, beside the facts that a model card tells anyway.
package struct ModelCardPlan: Sendable, Equatable {
    /// The most bytes of one of the texts.
    package static let largestText = 4000

    /// What the models are for; empty when the plan does not say. Plain text, blank lines between paragraphs.
    package var intendedUse: String
    /// What the models are not for, and where they are known to do badly; likewise.
    package var limitations: String

    package init(intendedUse: String = "", limitations: String = "") {
        self.intendedUse = intendedUse
        self.limitations = limitations
    }

    /// Whether `text` holds nothing that would hide or reorder what people read: line feeds are the only control
    /// characters, and there are no marks of writing direction.
    package static func isPlain(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.value {
            case 0x0a: true
            case 0..<0x20, 0x7f..<0xa0: false
            case 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x2069, 0xfeff: false
            default: true
            }
        }
    }
}
