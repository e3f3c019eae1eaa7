/// What became of the rows of a data set when it was opened.
package struct RowTally: Sendable, Equatable {
    /// Rows left out because they do not parse or their label is no class.
    package internal(set) var unreadable = 0
    /// The first of them: its file, line and column, and why; nil when there is none.
    package internal(set) var firstUnreadable: String?
    /// Files whose last line has no end yet: somebody is still writing it, so it is no row.
    package internal(set) var unfinished = 0
    /// Fields that stand for a missing value, in the rows of this part.
    package internal(set) var missing = 0
    /// Examples of each class.
    package internal(set) var classes: [Int]

    init(classes: Int) { self.classes = [Int](repeating: 0, count: classes) }

    mutating func refuse(_ reason: @autoclosure () -> String) {
        unreadable += 1
        if firstUnreadable == nil { firstUnreadable = reason() }
    }

    mutating func add(_ other: RowTally) {
        unreadable += other.unreadable
        firstUnreadable = firstUnreadable ?? other.firstUnreadable
        unfinished += other.unfinished
        missing += other.missing
        for (label, count) in other.classes.enumerated() { classes[label] += count }
    }
}
