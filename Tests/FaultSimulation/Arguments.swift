import CoordinatorService
import Federation

/// What the command line asks for.
struct Arguments {
    var seeds: ClosedRange<UInt64> = 1...2000
    /// Of `parts` equal parts of the seeds, the one to run.
    var part: UInt64 = 0
    var parts: UInt64 = 1
    /// How many processes share the seeds.
    var workers = 1
    var plantedBug: PlantedBug?
    /// Whether everything that happens is printed.
    var hasJournal = false
    /// What coordinators say on standard error; one of swift-log's levels.
    var logLevel = "critical"

    static let usage =
        "FaultSimulation [A-B] [--workers N] [--planted-bug] [--journal] [--log LEVEL]"

    /// - Throws: `Fault.invalid` when an argument makes no sense.
    init(_ arguments: [String]) throws(Fault) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--planted-bug": plantedBug = .countsUpdatesTwice
            case "--journal": hasJournal = true
            case "--log": logLevel = rest.popFirst() ?? logLevel
            case "--workers":
                guard let count = rest.popFirst().flatMap({ Int($0) }), count > 0 else {
                    throw Fault(.invalid, "--workers needs a number", remedy: Self.usage)
                }
                workers = count
            case "--part": (part, parts) = try Self.part(rest.popFirst() ?? "")
            default: seeds = try Self.seeds(argument)
            }
        }
    }

    /// The seeds of this part.
    var ownSeeds: [UInt64] { seeds.filter { $0 % parts == part } }

    private static func seeds(_ text: String) throws(Fault) -> ClosedRange<UInt64> {
        let ends = numbers(text, separator: "-")
        guard let first = ends?.first, let last = ends?.last, first <= last else {
            throw Fault(
                .invalid, "'\(text)' names no seeds",
                remedy: "write A-B, such as 1-2000, or one number: \(usage)")
        }
        return first...last
    }

    private static func part(_ text: String) throws(Fault) -> (UInt64, UInt64) {
        guard let numbers = numbers(text, separator: "/"), numbers.count == 2, numbers[1] > 0 else {
            throw Fault(.invalid, "'\(text)' is no part of anything", remedy: "write 0/2 or 1/2")
        }
        return (numbers[0], numbers[1])
    }

    private static func numbers(_ text: String, separator: Character) -> [UInt64]? {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt64($0) }
        return (1...2).contains(parts.count) && numbers.count == parts.count ? numbers : nil
    }
}
