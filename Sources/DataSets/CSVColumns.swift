/// What a column of a file is for.
enum ColumnRole: Sendable, Equatable {
    /// One feature, at this place of the row's.
    case number(Int)
    /// Features one-hot: an index of `CSVColumns.categories`.
    case category(Int)
    case label
    /// One target, at this place of the row's.
    case target(Int)
    case group
    case ignored
}

/// One-hot features: one for each of `values`, from place `first` of the row's features on.
struct CSVCategory: Sendable, Equatable {
    var first: Int
    var values: [[UInt8]]
}

/// What a row holds besides its features.
struct CSVRow {
    /// 0 when no column is the label.
    var label: Int32 = 0
    /// In the order of the plan; empty when no column is a target.
    var targets: [Float] = []
    /// Fields that stand for a missing value; each of their features is NaN.
    var missing = 0
    /// The field of the group's column.
    var group: ArraySlice<UInt8>?
}

/// Which columns a file has, and how a row becomes numbers.
struct CSVColumns: Sendable, Equatable {
    var separator: UInt8
    /// The header's names; empty without a header.
    var names: [String] = []
    /// One a column.
    var roles: [ColumnRole]
    /// Features a row.
    var width: Int
    /// Labels are 0 ..< `classes`.
    var classes = 0
    /// Targets a row.
    var targets = 0
    /// What the label's column says for each class; nil when it holds the number.
    var classNames: [[UInt8]]?
    var categories: [CSVCategory] = []
    var missing = MissingMarkers([])

    /// Reads a row's features into `values` from `start` on.
    func parse(
        _ line: ArraySlice<UInt8>, into values: inout [Float], at start: Int
    ) throws(CSVProblem) -> CSVRow {
        var fields = CSVFields(line, separator: separator)
        var row = CSVRow()
        if targets > 0 { row.targets = [Float](repeating: 0, count: targets) }
        while let field = try fields.next() {
            guard fields.column <= roles.count else { break }
            switch roles[fields.column - 1] {
            case .number(let place):
                let value = try number(field, fields.column)
                if value == nil { row.missing += 1 }
                values[start + place] = value ?? .nan
            case .category(let index):
                let isMissing = try category(
                    field, fields.column, categories[index], into: &values, at: start)
                if isMissing { row.missing += 1 }
            case .label: row.label = try label(field, fields.column)
            case .target(let place):
                guard let value = try number(field, fields.column) else {
                    throw CSVProblem(column: fields.column, reason: "the target is missing")
                }
                row.targets[place] = value
            case .group: row.group = field
            case .ignored: break
            }
        }
        guard fields.column == roles.count else {
            let more = fields.column > roles.count
            throw CSVProblem(
                reason: more
                    ? "it has more than \(roles.count) columns"
                    : "it has \(fields.column) columns instead of \(roles.count)")
        }
        return row
    }

    /// Nil when the value is missing.
    private func number(_ field: ArraySlice<UInt8>, _ column: Int) throws(CSVProblem) -> Float? {
        guard let number = decimalNumber(field) else {
            if missing.contains(text: field) { return nil }
            throw CSVProblem(column: column, reason: "\(quoted(field)) is not a number")
        }
        if missing.contains(number: number) { return nil }
        let value = Float(number)
        guard value.isFinite else {
            throw CSVProblem(column: column, reason: "\(quoted(field)) is too large for float32")
        }
        return value
    }

    /// Whether the value is missing.
    private func category(
        _ field: ArraySlice<UInt8>, _ column: Int, _ category: CSVCategory,
        into values: inout [Float], at start: Int
    ) throws(CSVProblem) -> Bool {
        let content = csvContent(field)
        let found = category.values.firstIndex { content.elementsEqual($0) }
        let isMissing = found == nil && missing.contains(text: content)
        guard found != nil || isMissing else {
            throw CSVProblem(
                column: column, reason: "\(quoted(field)) is none of the column's categories")
        }
        for index in category.values.indices {
            values[start + category.first + index] = isMissing ? .nan : index == found ? 1 : 0
        }
        return isMissing
    }

    private func label(_ field: ArraySlice<UInt8>, _ column: Int) throws(CSVProblem) -> Int32 {
        if let classNames {
            let content = csvContent(field)
            guard let label = classNames.firstIndex(where: { content.elementsEqual($0) }) else {
                throw CSVProblem(
                    column: column, reason: "label \(quoted(field)) is the name of no class")
            }
            return Int32(label)
        }
        guard let number = decimalNumber(field), let label = Int32(exactly: number),
            label >= 0, label < classes
        else {
            throw CSVProblem(
                column: column,
                reason: "label \(quoted(field)) is not a whole number from 0 to \(classes - 1)")
        }
        return label
    }

    /// At most 40 bytes of `field` for a message.
    private func quoted(_ field: ArraySlice<UInt8>) -> String {
        "'\(String(decoding: field.prefix(40), as: UTF8.self))'\(field.count > 40 ? "..." : "")"
    }
}

/// The fields that stand for a missing value.
struct MissingMarkers: Sendable, Equatable {
    private var texts: [[UInt8]] = []
    /// Those that spell a number (-999) count however a file writes that number.
    private var numbers: [Double] = []

    init(_ markers: [String]) {
        texts = markers.map { Array($0.utf8) }
        numbers = texts.compactMap { decimalNumber($0[...]) }
    }

    func contains(text: ArraySlice<UInt8>) -> Bool {
        texts.contains { text.elementsEqual($0) }
    }

    func contains(number: Double) -> Bool { numbers.contains(number) }
}
