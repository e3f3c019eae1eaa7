import Privacy
import Testing

/// One row of epsilons.csv.
struct EpsilonRow: CustomStringConvertible {
    let charge: PrivacyCharge
    let rounds: Int
    let delta: Double
    let rdp: Double
    /// Whether dp-accounting's own RDP is looser here than it could be.
    let hasLooseRDP: Bool
    /// nil where it took too much memory.
    let pld: Double?
    /// For a round that everyone takes part in.
    let exact: Double?
    let description: String

    init(_ cells: [String]) throws {
        charge = PrivacyCharge(
            noiseMultiplier: try #require(Double(cells[0])),
            samplingRate: try #require(Double(cells[1])))
        rounds = try #require(Int(cells[2]))
        delta = try #require(Double(cells[3]))
        rdp = try #require(Double(cells[4]))
        pld = Double(cells[6])
        exact = Double(cells[9])
        hasLooseRDP = !cells[11].isEmpty
        description = cells.prefix(4).joined(separator: ", ")
    }

    static func all() throws -> [EpsilonRow] {
        let rows = try fixtureRows("epsilons.csv").map(EpsilonRow.init)
        try #require(rows.count == 630)
        return rows
    }
}
