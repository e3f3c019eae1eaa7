import Federation
import Wire

/// A line of a table of rounds.
struct RoundRow {
    let number: UInt64
    let plan: String
    let outcome: String
    let tone: String
    let accuracy: String
    let updates: String
    let dropped: String
    let took: String
    let spent: String
    let started: Moment

    init(_ record: RoundRecord) {
        number = record.round
        plan = record.plan
        (outcome, tone) = RoundRow.outcome(of: record)
        accuracy = accuracyText(record.accuracy)
        let isOpen = RoundRow.isOpen(record)
        updates = record.withheld ? "not told" : grouped(record.reported)
        dropped =
            record.withheld
            ? "not told"
            : isOpen ? nothing : grouped(record.selected - min(record.selected, record.reported))
        took = durationText(record.seconds)
        // Of a private round 0 says that it was not charged: nothing was released.
        spent =
            record.epsilon < 0
            ? "not private" : record.epsilon == 0 ? nothing : "ε " + epsilonText(record.epsilon)
        started = Moment(unix: record.startedUnix)
    }

    /// Whether the round is still in flight.
    static func isOpen(_ record: RoundRecord) -> Bool {
        ![RoundPhase.published.rawValue, RoundPhase.abandoned.rawValue].contains(record.phase)
    }

    /// What became of a round, and how good that is.
    static func outcome(of record: RoundRecord) -> (words: String, tone: String) {
        if record.published { return ("version \(record.modelVersion)", Tone.good.rawValue) }
        let tone: Tone = isOpen(record) ? .calm : .warn
        return (record.phase, tone.rawValue)
    }
}

/// The part of a page that rounds-table fills.
struct RoundTable {
    let hasRounds: Bool
    let rounds: [RoundRow]
    let tellsNoCounts: Bool
    let emptyRounds: String

    init(_ records: [RoundRecord], empty: String) {
        hasRounds = !records.isEmpty
        rounds = records.map(RoundRow.init)
        tellsNoCounts = records.contains(where: \.withheld)
        emptyRounds = empty
    }
}
