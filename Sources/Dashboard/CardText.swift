/// A model card, of the Markdown that this project writes, as HTML.
///
/// It knows headings, tables, lists, code and paragraphs; everything else stays text. A card holds words from a plan, so all
/// of it is escaped.
package struct CardText {
    private var body = ""
    private var paragraph: [String] = []
    private var list: [String] = []
    private var table: [[String]] = []
    private var code: [String]?

    /// - Parameter markdown: the card.
    package init(_ markdown: String) {
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            take(String(line))
        }
        end()
        endCode()
    }

    /// The card.
    package var html: String { body }

    private mutating func take(_ line: String) {
        if line.hasPrefix("```") {
            if code == nil {
                end()
                code = []
            } else {
                endCode()
            }
            return
        }
        guard code == nil else {
            code?.append(line)
            return
        }
        if line.hasPrefix("|") {
            let cells = Self.cells(line)
            if !cells.allSatisfy({ $0 == "---" }) { table.append(cells) }
        } else if line.hasPrefix("- ") {
            list.append(Self.inline(String(line.dropFirst(2))))
        } else if line.hasPrefix("#") {
            end()
            let level = line.prefix { $0 == "#" }.count
            // The page has a heading of the first level, and the card's own section one of the second.
            let text = Self.inline(String(line.drop { $0 == "#" || $0 == " " }))
            body += "<h\(min(level + 1, 4))>\(text)</h\(min(level + 1, 4))>\n"
        } else if line.isEmpty {
            end()
        } else {
            paragraph.append(Self.inline(line))
        }
    }

    private mutating func endCode() {
        guard let lines = code else { return }
        body += "<pre class=\"wrap\">\(escaped(lines.joined(separator: "\n")))</pre>\n"
        code = nil
    }

    /// Writes what is complete.
    private mutating func end() {
        if !paragraph.isEmpty { body += "<p>\(paragraph.joined(separator: "\n"))</p>\n" }
        if !list.isEmpty {
            body += "<ul>\(list.map { "<li>\($0)</li>" }.joined())</ul>\n"
        }
        if !table.isEmpty { body += Self.html(of: table) }
        paragraph = []
        list = []
        table = []
    }

    private static func html(of table: [[String]]) -> String {
        let head = table[0]
        let hasHead = head.contains { !$0.isEmpty }
        var text = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\">"
        text += "<table>"
        if hasHead {
            let cells = head.map { "<th scope=\"col\">\(inline($0))</th>" }
            text += "<thead><tr>\(cells.joined())</tr></thead>"
        }
        text += "<tbody>"
        for row in table.dropFirst() {
            let cells = row.enumerated().map { index, cell in
                index == 0 ? "<th scope=\"row\">\(inline(cell))</th>" : "<td>\(inline(cell))</td>"
            }
            text += "<tr>\(cells.joined())</tr>"
        }
        return text + "</tbody></table></div>\n"
    }

    /// The cells of a line between bars; a bar behind a backslash is text.
    private static func cells(_ line: String) -> [String] {
        var cells = [""]
        var isEscaped = false
        for character in line.dropFirst() {
            if character == "|", !isEscaped {
                cells.append("")
            } else {
                cells[cells.count - 1].append(character)
            }
            isEscaped = character == "\\" && !isEscaped
        }
        return cells.dropLast().map { cell in
            String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// Text with `code` and characters behind backslashes.
    private static func inline(_ text: String) -> String {
        var html = ""
        var isCode = false
        var isEscaped = false
        for character in text {
            if isEscaped {
                html += escaped(String(character))
                isEscaped = false
            } else if character == "\\", !isCode {
                isEscaped = true
            } else if character == "`" {
                html += isCode ? "</code>" : "<code>"
                isCode.toggle()
            } else {
                html += escaped(String(character))
            }
        }
        return html + (isCode ? "</code>" : "")
    }
}
