/// Curves over a number, as SVG of its own with a title and a description; what they show stands in a table too.
struct LineChart {
    struct Curve {
        let name: String
        let points: [(x: Double, y: Double)]
        /// Whether it is what would be, not what was.
        var isForecast = false
    }

    /// Names the parts for a screen reader; unique on a page.
    let id: String
    let title: String
    let description: String
    let xLabel: String
    let yLabel: String
    let curves: [Curve]
    /// A level to compare with: one that must not be passed, or one that is hoped for.
    var limit: (value: Double, label: String)?
    var limitIsGood = false
    var yText: (Double) -> String

    private static let width = 640.0
    private static let height = 250.0
    private static let left = 62.0
    private static let right = 16.0
    private static let top = 30.0
    private static let bottom = 38.0
    /// Points of a curve beyond which it is thinned out: more than there are places on a screen.
    private static let mostPoints = 600
    /// Curves that look different from each other.
    static let styles = 5

    /// The chart; empty without a point.
    var svg: String {
        let points = curves.flatMap(\.points).filter { $0.y.isFinite }
        guard !points.isEmpty else { return "" }
        let xAxis = Axis(holding: points.map(\.x), count: 8, isWhole: true)
        let yAxis = Axis(holding: points.map(\.y) + [limit?.value].compactMap(\.self), count: 4)
        var body = grid(xAxis, yAxis)
        for (index, curve) in curves.enumerated() {
            body += line(curve, style: style(index), xAxis, yAxis)
        }
        return """
            <figure><div class="chart" tabindex="0" role="region" aria-label="\(escaped(title))">\
            <svg viewBox="0 0 \(number(Self.width)) \(number(Self.height))" role="img" \
            aria-labelledby="\(id)-t \(id)-d"><title id="\(id)-t">\(escaped(title))</title>\
            <desc id="\(id)-d">\(escaped(description))</desc>\(body)</svg></div>\(legend)</figure>
            """
    }

    /// A forecast looks like the curve before it, but for its dots.
    private func style(_ index: Int) -> Int {
        (curves[index].isForecast ? max(0, index - 1) : index) % Self.styles + 1
    }

    private func x(_ value: Double, _ axis: Axis) -> Double {
        Self.left + axis.share(of: value) * (Self.width - Self.left - Self.right)
    }

    private func y(_ value: Double, _ axis: Axis) -> Double {
        Self.height - Self.bottom - axis.share(of: value)
            * (Self.height - Self.bottom - Self.top)
    }

    private func grid(_ xAxis: Axis, _ yAxis: Axis) -> String {
        let (low, high) = (number(Self.left), number(Self.width - Self.right))
        let base = Self.height - Self.bottom
        var text = ""
        for tick in yAxis.ticks {
            let y = number(y(tick, yAxis))
            text += "<line class=\"grid\" x1=\"\(low)\" x2=\"\(high)\" y1=\"\(y)\" y2=\"\(y)\"/>"
            text += label(yText(tick), x: Self.left - 8, y: self.y(tick, yAxis) + 4, "end")
        }
        for tick in xAxis.ticks {
            text += label(plain(tick), x: x(tick, xAxis), y: base + 17, "middle")
        }
        text += "<line class=\"axis\" x1=\"\(low)\" x2=\"\(high)\" y1=\"\(number(base))\""
        text += " y2=\"\(number(base))\"/>"
        text += label(xLabel, x: Self.width - Self.right, y: Self.height - 4, "end")
        text += label(yLabel, x: 2, y: 13, "start")
        guard let limit else { return text }
        let level = number(y(limit.value, yAxis))
        let kind = limitIsGood ? "limit hoped" : "limit"
        text += "<line class=\"\(kind)\" x1=\"\(low)\" x2=\"\(high)\""
        text += " y1=\"\(level)\" y2=\"\(level)\"/>"
        return text
            + label(
                limit.label, x: Self.left + 6, y: y(limit.value, yAxis) + 15, "start",
                limitIsGood ? "" : "limit-label")
    }

    private func label(
        _ text: String, x: Double, y: Double, _ anchor: String, _ style: String = ""
    ) -> String {
        let kind = style.isEmpty ? "" : " class=\"\(style)\""
        return "<text\(kind) x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">"
            + "\(escaped(text))</text>"
    }

    private func line(_ curve: Curve, style: Int, _ xAxis: Axis, _ yAxis: Axis) -> String {
        let points = thinned(curve.points.filter { $0.y.isFinite }, to: Self.mostPoints)
        let places = points.map { "\(number(x($0.x, xAxis))),\(number(y($0.y, yAxis)))" }
        let kind = curve.isForecast ? "curve ahead s\(style)" : "curve s\(style)"
        var text =
            "<polyline class=\"\(kind)\" points=\"\(places.joined(separator: " "))\"/>"
        guard points.count <= 60, !curve.isForecast else { return text }
        for point in points {
            text += "<circle class=\"p\(style)\" cx=\"\(number(x(point.x, xAxis)))\""
            text += " cy=\"\(number(y(point.y, yAxis)))\" r=\"3\"><title>"
            text += escaped("\(xLabel) \(plain(point.x)): \(yText(point.y))") + "</title></circle>"
        }
        return text
    }

    private var legend: String {
        guard curves.count > 1 else { return "" }
        let items = curves.enumerated().map { index, curve in
            let style = style(index)
            let kind = curve.isForecast ? "curve ahead s\(style)" : "curve s\(style)"
            return "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><line class=\"\(kind)\""
                + " x1=\"2\" x2=\"24\" y1=\"5\" y2=\"5\"/></svg>\(escaped(curve.name))</li>"
        }
        return "<ul class=\"legend\">\(items.joined())</ul>"
    }
}

/// A curve without axes, as wide as a word, for a cell of a table. What it shows is said beside it.
package func sparkline(_ values: [Double], saying title: String) -> String {
    let finite = thinned(values.filter(\.isFinite), to: 120)
    guard let least = finite.min(), let most = finite.max(), finite.count > 1 else { return "" }
    let span = most > least ? most - least : 1
    let places = finite.enumerated().map { index, value in
        let x = 2 + 116 * Double(index) / Double(finite.count - 1)
        let y = 22 - 20 * (value - least) / span
        return "\(number(x)),\(number(y))"
    }
    return """
        <svg class="spark" viewBox="0 0 120 24" role="img" aria-label="\(escaped(title))">\
        <polyline class="curve s1" points="\(places.joined(separator: " "))"/></svg>
        """
}

/// Every so-many-th of `items`, with the last.
private func thinned<Item>(_ items: [Item], to most: Int) -> [Item] {
    guard items.count > most else { return items }
    return (0..<most).map { items[$0 * (items.count - 1) / (most - 1)] }
}

/// A coordinate, to a tenth.
func number(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
}
