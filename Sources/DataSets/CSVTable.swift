import Federation

/// What an example has besides its features.
struct ExampleAnswer {
    /// 0 when no column is the label.
    var label: Int32
    /// Empty when no column is a target.
    var targets: [Float]
}

/// A file of rows, opened and checked row by row; only where each example begins is kept.
///
/// Lines end with LF or CR LF; blank lines hold no row.
struct CSVTable: Sendable {
    let file: InputFile
    let columns: CSVColumns
    /// Nil when each row is an example.
    private let window: WindowFormat?
    private(set) var tally: RowTally
    /// Where each example's first row begins.
    private var offsets = RowOffsets()
    /// Bytes of the longest example.
    private var longest = 0

    var count: Int { offsets.count }

    /// Opens `file`; `layout` turns its first line into columns and says whether it is a header.
    ///
    /// - Parameters:
    ///   - part: which examples to take.
    ///   - isGrowing: whether a last line without an end is still being written, and so no row.
    /// - Throws: `Fault` when the file cannot be read or `layout` refuses the first line.
    init(
        file: InputFile, window: WindowFormat? = nil, part: DataPart = .all, isGrowing: Bool,
        layout: (ArraySlice<UInt8>) throws(Fault) -> (columns: CSVColumns, isHeader: Bool)
    ) throws(Fault) {
        self.file = file
        self.window = window
        var lines = LineReader(file: file)
        guard try lines.next() else {
            throw Fault(.invalid, "\(file.path) has no lines", remedy: "copy the data file again")
        }
        guard !lines.tooLong else {
            throw Fault(
                .invalid,
                "\(file.path): the first line is longer than \(LineReader.longestLine) bytes",
                remedy: "check that this is a CSV file")
        }
        let (columns, isHeader) = try layout(lines.line)
        self.columns = columns
        tally = RowTally(classes: columns.classes)
        var index = TableIndex(columns: columns, window: window, part: part)
        var isRow = !isHeader
        repeat {
            if isGrowing && !lines.isFinished {
                tally.unfinished = 1
            } else if isRow {
                add(lines, to: &index)
            }
            isRow = true
        } while try lines.next()
    }

    /// Reads example `number` (features at `start`) and returns what stands beside them; of a
    /// window, the targets of the last row.
    ///
    /// - Throws: `Fault` when the file has changed since it was opened.
    func read(
        _ number: Int, into values: inout [Float], at start: Int
    ) throws(Fault) -> ExampleAnswer {
        let offset = offsets[number]
        var lines = LineReader(file: file, from: offset, block: min(longest, 1 << 16))
        guard let window else {
            let row = try readRow(&lines, into: &values, at: start)
            return ExampleAnswer(label: row.label, targets: row.targets)
        }
        var row = [Float](repeating: 0, count: columns.width)
        var labels: [Int32] = []
        labels.reserveCapacity(window.length)
        var targets: [Float] = []
        for step in 0..<window.length {
            let answer = try readRow(&lines, into: &row, at: 0)
            labels.append(answer.label)
            targets = answer.targets
            for (column, value) in row.enumerated() {
                values[start + column * window.length + step] = value
            }
        }
        return ExampleAnswer(
            label: window.label(of: labels[...], classes: columns.classes), targets: targets)
    }

    private func readRow(
        _ lines: inout LineReader, into values: inout [Float], at start: Int
    ) throws(Fault) -> CSVRow {
        guard try lines.next() else { throw file.changed("its last rows are gone") }
        do throws(CSVProblem) {
            return try columns.parse(lines.line, into: &values, at: start)
        } catch {
            throw file.changed("the row at byte \(lines.offset) no longer parses, \(error.reason)")
        }
    }

    private mutating func add(_ lines: LineReader, to index: inout TableIndex) {
        do throws(CSVProblem) {
            guard !lines.tooLong else {
                throw CSVProblem(reason: "it is longer than \(LineReader.longestLine) bytes")
            }
            let found = try index.add(lines.line, at: lines.offset)
            tally.missing += found.missing
            guard let example = found.example else { return }
            offsets.append(example.offset)
            if tally.classes.indices.contains(Int(example.label)) {
                tally.classes[Int(example.label)] += 1
            }
            longest = max(longest, lines.offset + lines.length - example.offset)
        } catch {
            index.endRun()
            let column = error.column.map { ", column \($0)" } ?? ""
            tally.refuse("\(file.path): line \(lines.number)\(column): \(error.reason)")
        }
    }
}
