/// One metric of this process in Prometheus's text format: its name, what it means, and a sample for each set of labels.
///
/// Labels name plans, states and reasons, of which there are few; never agents, of which there are many.
package struct MetricFamily: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// Only grows, from zero at the start of the process.
        case counter
        case gauge
        case histogram
    }

    package typealias Labels = [(name: String, value: String)]

    package let name: String
    package let kind: Kind
    private let help: String
    /// The lines of the samples.
    private var lines: [String] = []

    /// - Parameter name: in snake case, with its unit, and for a counter `_total`, at the end.
    package init(_ kind: Kind, _ name: String, _ help: String) {
        self.kind = kind
        self.name = name
        self.help = help
    }

    package static func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
        var family = MetricFamily(.gauge, name, help)
        family.add(value)
        return family
    }

    package static func counter(_ name: String, _ help: String, _ value: UInt64) -> MetricFamily {
        var family = MetricFamily(.counter, name, help)
        family.add(Double(value))
        return family
    }

    /// A gauge with a sample for each of `values`, whose one label is `label`.
    package static func gauge(
        _ name: String, _ help: String, by label: String, _ values: [(String, Double)]
    ) -> MetricFamily {
        var family = MetricFamily(.gauge, name, help)
        for (value, number) in values { family.add(number, [(label, value)]) }
        return family
    }

    /// A counter with a sample for each of `values`, whose one label is `label`.
    package static func counter(
        _ name: String, _ help: String, by label: String, _ values: [(String, UInt64)]
    ) -> MetricFamily {
        var family = MetricFamily(.counter, name, help)
        for (value, number) in values { family.add(Double(number), [(label, value)]) }
        return family
    }

    package mutating func add(_ value: Double, _ labels: Labels = []) {
        add(suffix: "", value, labels)
    }

    /// The samples of a histogram.
    package mutating func add(_ histogram: Histogram, _ labels: Labels = []) {
        var count: UInt64 = 0
        for (bound, inBucket) in zip(histogram.bounds, histogram.counts) {
            count += inBucket
            add(suffix: "_bucket", Double(count), labels + [("le", Self.text(bound))])
        }
        add(suffix: "_bucket", Double(histogram.count), labels + [("le", "+Inf")])
        add(suffix: "_sum", histogram.sum, labels)
        add(suffix: "_count", Double(histogram.count), labels)
    }

    private mutating func add(suffix: String, _ value: Double, _ labels: Labels) {
        let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value, quote: true))\"" }
        let braces = pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
        lines.append("\(name)\(suffix)\(braces) \(Self.text(value))\n")
    }

    /// HELP, TYPE and the samples. A family without a sample is described all the same.
    package var text: String {
        "# HELP \(name) \(Self.escaped(help, quote: false))\n# TYPE \(name) \(kind.rawValue)\n"
            + lines.joined()
    }

    /// What a scraper is told the text is.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Whole numbers without a fraction, others with all their digits.
    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    private static func escaped(_ text: String, quote: Bool) -> String {
        var escaped = ""
        // By scalars: to Swift a carriage return and a line feed are one character.
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quote: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension [MetricFamily] {
    /// What a scraper reads.
    package var text: String { map(\.text).joined() }
}

/// How often values fell between bounds.
package struct Histogram: Sendable, Equatable {
    /// Upper bounds of all buckets but the last, growing; a value that equals one falls below it.
    package let bounds: [Double]
    /// Of each bucket on its own; what is above every bound is only in `count`.
    package private(set) var counts: [UInt64]
    package private(set) var count: UInt64 = 0
    package private(set) var sum = 0.0

    package init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count)
    }

    package mutating func observe(_ value: Double) {
        count += 1
        sum += value
        if let bucket = bounds.firstIndex(where: { value <= $0 }) { counts[bucket] += 1 }
    }
}
