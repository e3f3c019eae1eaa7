package import Console

/// What a text is shown on.
package struct Screen: Sendable, Equatable {
    /// Columns of the terminal; nil when the text goes elsewhere.
    package let width: Int?
    /// Whether words may have colours.
    package let isColoured: Bool

    package init(width: Int?, isColoured: Bool = false) {
        self.width = width
        self.isColoured = isColoured
    }

    /// `text` in `colour`, where there are colours.
    package func paint(_ text: String, _ colour: Colour) -> String {
        isColoured ? colour.paint(text) : text
    }

    /// A text that begins with a word of state, in the colour of that word.
    package func paint(state text: String) -> String {
        Colour.of(state: text).map { paint(text, $0) } ?? text
    }
}

extension OutputStream {
    /// The stream as a screen: colours only on a terminal, and not where NO_COLOR is set.
    package var screen: Screen {
        let width = width
        return Screen(width: width, isColoured: width != nil && Colour.areWanted())
    }
}
