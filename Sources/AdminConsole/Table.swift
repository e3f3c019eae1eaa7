import Console

/// Rows under headings, in columns as wide as their widest cell.
package struct Table: Sendable {
    /// On which side of its column a cell stands; a word of state stands at the left, and may be painted.
    package enum Side: Sendable { case left, right, state }

    private let headings: [String]
    private let sides: [Side]
    private var rows: [[String]] = []
    /// Between two columns.
    private static let gap = "  "
    /// A column is never shrunk below this.
    private static let narrowest = 8

    /// A table with these columns, numbers usually at the right.
    package init(_ columns: [(heading: String, side: Side)]) {
        headings = columns.map(\.heading)
        sides = columns.map(\.side)
    }

    /// Adds a row: one cell a column.
    package mutating func add(_ cells: [String]) {
        precondition(cells.count == headings.count, "a row needs one cell a column")
        rows.append(cells.map(printable))
    }

    /// The table without colours, a final newline included.
    ///
    /// - Parameter width: columns of the terminal; text that does not fit is cut with an ellipsis.
    ///   Nil: nothing is cut.
    package func text(width: Int?) -> String { text(on: Screen(width: width)) }

    /// The table, a final newline included; text that does not fit is cut with an ellipsis.
    package func text(on screen: Screen) -> String {
        var widths = headings.indices.map { column in
            ([headings] + rows).map { $0[column].count }.max() ?? 0
        }
        if let width = screen.width { shrink(&widths, to: width) }
        let heading = screen.paint(line(headings, widths) { $1 }, .bold)
        let lines = rows.map { row in
            line(row, widths) { column, cell in
                sides[column] == .state ? screen.paint(state: cell) : cell
            }
        }
        return ([heading] + lines).map { $0 + "\n" }.joined()
    }

    /// - Parameter painted: gives a cell its colour; it no longer counts then.
    private func line(
        _ cells: [String], _ widths: [Int], painted: (Int, String) -> String
    ) -> String {
        var line = ""
        var space = ""
        for (column, cell) in cells.enumerated() {
            let shown = cut(cell, to: widths[column])
            let rest = String(repeating: " ", count: widths[column] - shown.count)
            line += space
            if sides[column] == .right { line += rest }
            line += painted(column, shown)
            // No line ends with spaces.
            space = (sides[column] == .right ? "" : rest) + Table.gap
            if shown.isEmpty, column + 1 == cells.count {
                while line.last == " " { line.removeLast() }
            }
        }
        return line
    }

    /// Takes from the widest text column until the line fits or nothing can be taken.
    private func shrink(_ widths: inout [Int], to width: Int) {
        let gaps = Table.gap.count * (widths.count - 1)
        while widths.reduce(gaps, +) > width {
            let texts = widths.indices.filter { sides[$0] != .right }
            guard let widest = texts.max(by: { widths[$0] < widths[$1] }),
                widths[widest] > Table.narrowest
            else { return }
            widths[widest] -= 1
        }
    }
}

/// Lines of `name  value`, values in one column.
package func keyValues(_ pairs: [(String, String)]) -> String {
    let width = pairs.map(\.0.count).max() ?? 0
    return pairs.map { name, value in
        let space = String(repeating: " ", count: width - name.count)
        return name + space + "  " + printable(value) + "\n"
    }.joined()
}

/// `text`, or its beginning and an ellipsis when it is longer than `width` characters.
func cut(_ text: String, to width: Int) -> String {
    text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
}

/// `text` without control characters: what devices report must not move an admin's cursor.
package func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
}
