import Foundation

/// One line of the table and one entry of the file.
struct BenchmarkResult: Codable {
    var value: Double
    var unit: String
    /// What `value` is compared with, in the same unit.
    var limit: Double
    /// value / limit.
    var ratio: Double

    init(value: Double, unit: String, limit: Double) {
        self.value = value
        self.unit = unit
        self.limit = limit
        ratio = value / limit
    }
}

/// All results, in the order in which they were measured.
struct Results {
    private var entries: [(name: String, result: BenchmarkResult)] = []

    /// Prints the line, with what the limit is and the ratio that is asked for, and keeps it.
    mutating func add(_ name: String, _ result: BenchmarkResult, limit: String, target: Double) {
        add(name, result, limit: limit, asked: target, isMet: result.ratio >= target)
    }

    /// The same of a value of which less is better.
    mutating func add(_ name: String, _ result: BenchmarkResult, limit: String, atMost: Double) {
        add(name, result, limit: limit, asked: atMost, isMet: result.ratio <= atMost)
    }

    /// Prints and keeps what the machine can do, which others are compared with.
    mutating func add(limit name: String, _ value: Double, _ unit: String) {
        add(
            "limit_\(name)", BenchmarkResult(value: value, unit: unit, limit: value),
            limit: "what this core can do", target: 1)
    }

    private mutating func add(
        _ name: String, _ result: BenchmarkResult, limit: String, asked: Double, isMet: Bool
    ) {
        entries.append((name, result))
        let columns = [
            name.padding(toLength: 28, withPad: " ", startingAt: 0),
            String(format: "%8.1f %@", result.value, result.unit),
            String(format: "%8.1f", result.limit),
            String(format: "%6.3f", result.ratio),
            String(format: "%6.3f", asked),
            isMet ? "met   " : "MISSED",
            limit,
        ]
        print(columns.joined(separator: "  "))
    }

    static func printHeader() {
        print("benchmark                        value           limit   ratio  target")
    }

    /// Writes name -> {value, unit, limit, ratio}. Entries of the file that were not measured now
    /// stay.
    func write(to file: String) throws {
        let url = URL(filePath: file)
        var all: [String: BenchmarkResult] = [:]
        if let before = try? Data(contentsOf: url) {
            all = try JSONDecoder().decode([String: BenchmarkResult].self, from: before)
        }
        for (name, result) in entries { all[name] = result }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try (encoder.encode(all) + Data("\n".utf8)).write(to: url)
    }
}
