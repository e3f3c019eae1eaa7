import Federation

/// A CSV file of numbers, opened and checked row by row; only where each row begins is kept.
///
/// Lines end with LF or CR LF; blank lines hold no row.
struct CSVTable: Sendable {
    /// Bounds the memory a damaged file can claim; far above any row of numbers a device trains on.
    static let longestLine = 1 << 20

    let file: InputFile
    let columns: CSVColumns
    /// The offset of each readable row's first byte.
    private(set) var offsets: [Int] = []
    private(set) var unreadable = 0
    /// The first row that does not parse: file, line, column and reason.
    private(set) var firstUnreadable: String?
    /// Bytes of the longest readable row.
    private var longestRow = 0

    /// Opens `path`; `layout` turns its first line into columns and says whether that line is a
    /// header.
    ///
    /// - Throws: `Fault` when the file cannot be read or `layout` refuses the first line.
    init(
        path: String,
        layout: (ArraySlice<UInt8>) throws(Fault) -> (columns: CSVColumns, isHeader: Bool)
    ) throws(Fault) {
        file = try InputFile(path: path)
        var lines = LineReader(file: file)
        guard try lines.next() else {
            throw Fault(.invalid, "\(path) has no lines", remedy: "copy the data file again")
        }
        guard !lines.tooLong else {
            throw Fault(
                .invalid, "\(path): the first line is longer than \(CSVTable.longestLine) bytes",
                remedy: "check that this is a CSV file")
        }
        let (columns, isHeader) = try layout(lines.line)
        self.columns = columns
        var values = [Float](repeating: 0, count: columns.features)
        if !isHeader { index(lines, &values) }
        while try lines.next() { index(lines, &values) }
    }

    /// Reads row `row` (features at `start`) and returns its label, -1 without one.
    ///
    /// - Throws: `Fault` when the file has changed since it was opened.
    func read(row: Int, into values: inout [Float], at start: Int) throws(Fault) -> Int32 {
        let offset = offsets[row]
        var bytes = [UInt8](repeating: 0, count: min(longestRow, file.size - offset))
        try file.read(at: offset, into: &bytes)
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        do {
            return try columns.parse(withoutReturn(bytes[..<end]), into: &values, at: start)
        } catch {
            throw file.changed("the row at byte \(offset) no longer parses, \(error.reason)")
        }
    }

    private mutating func index(_ lines: LineReader, _ values: inout [Float]) {
        do throws(CSVProblem) {
            guard !lines.tooLong else {
                throw CSVProblem(reason: "it is longer than \(CSVTable.longestLine) bytes")
            }
            _ = try columns.parse(lines.line, into: &values, at: 0)
            offsets.append(lines.offset)
            longestRow = max(longestRow, lines.length)
        } catch {
            unreadable += 1
            guard firstUnreadable == nil else { return }
            let column = error.column.map { ", column \($0)" } ?? ""
            firstUnreadable = "\(file.path): line \(lines.number)\(column): \(error.reason)"
        }
    }
}

/// Reads a file line by line through one buffer; blank lines are passed over.

/// Reads a file line by line through one buffer; blank lines are passed over.
private struct LineReader {
    private let file: InputFile
    private var buffer: [UInt8] = []
    /// Where in `buffer` the next line begins.
    private var consumed = 0
    /// The file offset after `buffer`.
    private var position = 0
    private var bytes: [UInt8] = []
    /// The offset, length in bytes with its end, and number from 1 of the line last read.
    private(set) var offset = 0
    private(set) var length = 0
    private(set) var number = 0

    init(file: InputFile) { self.file = file }

    /// Whether the line last read is beyond the limit; then `line` holds only its beginning.
    var tooLong: Bool { bytes.count > CSVTable.longestLine }

    /// The line last read, without its end.
    var line: ArraySlice<UInt8> { withoutReturn(bytes[...]) }

    /// Goes to the next line that is not blank; false at the file's end.
    mutating func next() throws(Fault) -> Bool {
        repeat {
            guard try readLine() else { return false }
            if number == 1 { dropByteOrderMark() }
        } while line.allSatisfy { $0 == 0x20 || $0 == 0x09 }
        return true
    }

    private mutating func dropByteOrderMark() {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        guard bytes.starts(with: mark) else { return }
        bytes.removeFirst(mark.count)
        offset += mark.count
        length -= mark.count
    }

    private mutating func readLine() throws(Fault) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        offset += length
        length = 0
        number += 1
        while true {
            if consumed == buffer.count {
                guard try refill() else { return length > 0 }
            }
            let rest = buffer[consumed...]
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let part = rest[..<(end ?? rest.endIndex)]
            // One byte more than the limit shows that the line is too long.
            bytes.append(contentsOf: part.prefix(CSVTable.longestLine + 1 - bytes.count))
            length += part.count
            consumed += part.count
            guard end == nil else {
                length += 1
                consumed += 1
                return true
            }
        }
    }

    private mutating func refill() throws(Fault) -> Bool {
        let count = min(1 << 16, file.size - position)
        guard count > 0 else { return false }
        if buffer.count != count { buffer = [UInt8](repeating: 0, count: count) }
        try file.read(at: position, into: &buffer)
        position += count
        consumed = 0
        return true
    }
}

private func withoutReturn(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    line.last == UInt8(ascii: "\r") ? line.dropLast() : line
}
