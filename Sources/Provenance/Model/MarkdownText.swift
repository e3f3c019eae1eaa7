import Federation

/// Text from a plan, made safe to stand in a Markdown document: it stays what it was to a reader and
/// cannot become a heading, a link, a table, HTML or an end of what it stands in.
enum MarkdownText {
    private static let anywhere = Set("\\`*_{}[]<>|~#&".unicodeScalars)
    /// What makes a list, a rule or an underlined heading where a line begins.
    private static let atStart = Set("-+=:".unicodeScalars)

    /// `text` on one line.
    static func line(_ text: String) -> String {
        let words = text.unicodeScalars.split { isSpace($0) }
        return escaped(words.map { String(String.UnicodeScalarView($0)) }.joined(separator: " "))
    }

    /// `text` as paragraphs, which blank lines keep apart.
    static func paragraphs(_ text: String) -> String {
        var paragraphs: [[String]] = [[]]
        for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line(String(part))
            if words.isEmpty {
                if paragraphs[paragraphs.count - 1] != [] { paragraphs.append([]) }
            } else {
                paragraphs[paragraphs.count - 1].append(words)
            }
        }
        return paragraphs.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
            .joined(separator: "\n\n")
    }

    private static func escaped(_ line: String) -> String {
        var text = ""
        var digits = true
        for (index, scalar) in line.unicodeScalars.enumerated() {
            let startsBlock = index == 0 && atStart.contains(scalar)
            let numbersItem = index > 0 && digits && (scalar == "." || scalar == ")")
            if anywhere.contains(scalar) || startsBlock || numbersItem { text += "\\" }
            digits = digits && ("0"..."9").contains(scalar)
            text.unicodeScalars.append(scalar)
        }
        return text
    }

    /// White space, and what no card shows: see `ModelCardPlan.isPlain`.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || !ModelCardPlan.isPlain(String(scalar))
    }
}
