/// Lengths beside names, and one bar of several parts. All numbers stand beside or below them as text.
enum BarChart {
    private static let width = 640.0

    /// A bar for each of `items`, as long as its number.
    static func rows(id: String, title: String, _ items: [(name: String, count: Int)]) -> String {
        guard let most = items.map(\.count).max(), most > 0 else { return "" }
        let rowHeight = 26.0
        let (labels, numbers) = (170.0, 70.0)
        var body = ""
        for (index, item) in items.enumerated() {
            let y = Double(index) * rowHeight
            let length = max(2, Double(item.count) / Double(most) * (width - labels - numbers))
            body += "<text x=\"0\" y=\"\(number(y + 17))\">\(escaped(short(item.name)))</text>"
            body += "<rect class=\"p1\" x=\"\(number(labels))\" y=\"\(number(y + 5))\""
            body += " width=\"\(number(length))\" height=\"16\" rx=\"3\"/>"
            body += "<text x=\"\(number(labels + length + 8))\" y=\"\(number(y + 17))\">"
            body += "\(grouped(item.count))</text>"
        }
        let said = items.map { "\($0.name): \(grouped($0.count))" }.joined(separator: ", ")
        return frame(id, title, said, height: Double(items.count) * rowHeight, body)
    }

    /// One bar whose parts are as long as their shares.
    static func parts(
        id: String, title: String, _ items: [(name: String, seconds: Double)]
    ) -> String {
        let total = items.map(\.seconds).reduce(0, +)
        guard total > 0 else { return "" }
        var x = 0.0
        var body = ""
        for (index, item) in items.enumerated() {
            let length = item.seconds / total * width
            body += "<rect class=\"p\(index % LineChart.styles + 1)\" x=\"\(number(x))\" y=\"2\""
            body += " width=\"\(number(max(1, length)))\" height=\"22\"/>"
            x += length
        }
        let said = items.map { "\($0.name) \(durationText($0.seconds))" }
            .joined(separator: ", ")
        return frame(id, title, said, height: 26, body)
    }

    /// The patch of colour that a part has in `parts`.
    static func key(_ index: Int) -> String {
        "<svg class=\"key\" width=\"12\" height=\"12\" viewBox=\"0 0 12 12\" aria-hidden=\"true\">"
            + "<rect class=\"p\(index % LineChart.styles + 1)\" width=\"12\" height=\"12\" rx=\"2\"/>"
            + "</svg> "
    }

    private static func frame(
        _ id: String, _ title: String, _ said: String, height: Double, _ body: String
    ) -> String {
        """
        <figure><div class="chart" tabindex="0" role="region" aria-label="\(escaped(title))">\
        <svg viewBox="0 0 \(number(width)) \(number(height))" role="img" \
        aria-labelledby="\(id)-t \(id)-d"><title id="\(id)-t">\(escaped(title))</title>\
        <desc id="\(id)-d">\(escaped(said))</desc>\(body)</svg></div></figure>
        """
    }

    private static func short(_ name: String) -> String {
        name.count > 22 ? name.prefix(21) + "…" : name
    }
}

/// A dot for each agent of a cohort: those whose update is in first, then those that send it, then those that train.
func cohortDots(selected: Int, reported: Int, sending: Int) -> String {
    let most = 600
    guard selected > 0, selected <= most else { return "" }
    let columns = min(selected, 40)
    let pitch = 16.0
    let dots = (0..<selected).map { index in
        let kind = index < reported ? "in" : index < reported + sending ? "sends" : "trains"
        let x = pitch * (Double(index % columns) + 0.5)
        let y = pitch * (Double(index / columns) + 0.5)
        return "<circle class=\"\(kind)\" cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"5.2\"/>"
    }
    let width = number(Double(columns) * pitch)
    let height = number(Double((selected + columns - 1) / columns) * pitch)
    return """
        <svg class="dots" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
        aria-hidden="true">\(dots.joined())</svg>
        """
}
