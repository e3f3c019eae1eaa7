package import Federation
import Registry
package import RunRecords

/// The dashboard's pages, without the server that sends them.
package struct Site: Sendable {
    let fleet: any FleetReader
    let writer: PageWriter
    /// Where simulations leave their records; nil for a user without a home.
    let runs: RunDirectory?
    /// For what reads files or computes for long.
    let work: BlockingWork
    let forecasts: PrivacyForecasts
    let verifications: ModelVerifications
    /// The present time, in Unix seconds.
    let now: @Sendable () -> UInt64

    /// Rows of one page of a list.
    static let pageRows = 50

    /// - Parameters:
    ///   - runs: where simulations leave their records; nil for a user without a home.
    ///   - asksForToken: whether readers sign in.
    ///   - now: the present time, in Unix seconds.
    /// - Throws: `internal` when a template does not parse.
    package init(
        fleet: any FleetReader, runs: RunDirectory?, asksForToken: Bool = false,
        now: @escaping @Sendable () -> UInt64
    ) throws(Fault) {
        self.fleet = fleet
        self.runs = runs
        self.now = now
        writer = try PageWriter(fleet: fleet.name, asksForToken: asksForToken)
        work = BlockingWork(label: "tributary.dashboard")
        forecasts = PrivacyForecasts(work: work)
        verifications = ModelVerifications(work: work)
    }
}

/// What a page is asked for, besides its address.
struct PageQuery: Sendable {
    private let values: [(name: String, value: String)]

    init(_ values: [(name: String, value: String)] = []) { self.values = values }

    /// The first value of that name; empty like none.
    func text(_ name: String) -> String? {
        values.first { $0.name == name }?.value.nonEmpty
    }

    func texts(_ name: String) -> [String] {
        values.filter { $0.name == name }.map(\.value)
    }

    /// - Throws: `invalid` for what is no number.
    func number(_ name: String) throws(Fault) -> UInt64? {
        try text(name).map { text throws(Fault) in try parsedNumber(text) }
    }
}

/// A number in an address.
///
/// - Throws: `invalid`.
func parsedNumber(_ text: String) throws(Fault) -> UInt64 {
    guard let number = UInt64(text), number <= UInt64(Int64.max) else {
        throw Fault(
            .invalid, "'\(text.prefix(40))' is not a number",
            remedy: "follow a link to get here, or write a whole number")
    }
    return number
}

extension String {
    var nonEmpty: String? { isEmpty ? nil : self }

    /// As a value in the query of an address.
    var asQuery: String {
        var text = ""
        for byte in utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain = scalar.properties.isAlphabetic && byte < 128 || "0"..."9" ~= scalar
            if isPlain || "-._~".unicodeScalars.contains(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                let hex = String(byte, radix: 16, uppercase: true)
                text += "%" + (hex.count == 1 ? "0" : "") + hex
            }
        }
        return text
    }
}

/// A name and a value, one line of a list of facts.
struct FactLine {
    let name: String
    let value: String
    var href: String?
}

/// A number that leads to a page.
struct Tile {
    let label: String
    let value: String
    let note: String
    let href: String
}

/// A choice of a form.
struct FormChoice {
    let value: String
    let label: String
    let isChosen: Bool
}

/// Links to the pages before and after one of a list.
struct PagerLinks {
    let hasPager: Bool
    let newer: String?
    let older: String?

    init(newer: String?, older: String?) {
        self.newer = newer
        self.older = older
        hasPager = newer != nil || older != nil
    }
}

/// How good news is; the name of a style, which words always stand beside.
enum Tone: String {
    case good, warn, bad, calm, plain
}
