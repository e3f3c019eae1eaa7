import Federation

/// Reads a file line by line through one buffer; blank lines are passed over.
struct LineReader {
    /// Bounds the memory a damaged file can claim; far above any row of numbers a device trains on.
    static let longestLine = 1 << 20

    private let file: InputFile
    private let block: Int
    private var buffer: [UInt8] = []
    /// Where in `buffer` the next line begins.
    private var consumed = 0
    /// The file offset after `buffer`.
    private var position: Int
    private var bytes: [UInt8] = []
    /// The offset, length in bytes with its end, and number (1 for the first) of the line last read.
    private(set) var offset: Int
    private(set) var length = 0
    private(set) var number = 0
    /// Whether the line last read has an end, which the file's last one may lack.
    private(set) var isFinished = false

    /// - Parameters:
    ///   - start: the offset of a line's first byte.
    ///   - block: bytes to read at once.
    init(file: InputFile, from start: Int = 0, block: Int = 1 << 16) {
        self.file = file
        self.block = block
        position = start
        offset = start
    }

    /// Whether the line last read is beyond the limit; then `line` holds only its beginning.
    var tooLong: Bool { bytes.count > LineReader.longestLine }

    /// The line last read, without its end.
    var line: ArraySlice<UInt8> {
        bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes[...]
    }

    /// Goes to the next line that is not blank; false at the file's end.
    mutating func next() throws(Fault) -> Bool {
        repeat {
            guard try readLine() else { return false }
            if offset == 0 { dropByteOrderMark() }
        } while !tooLong && line.allSatisfy { $0 == 0x20 || $0 == 0x09 }
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
        isFinished = false
        while true {
            if consumed == buffer.count {
                guard try refill() else { return length > 0 }
            }
            let rest = buffer[consumed...]
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let part = rest[..<(end ?? rest.endIndex)]
            // One byte more than the limit shows that the line is too long.
            bytes.append(contentsOf: part.prefix(LineReader.longestLine + 1 - bytes.count))
            length += part.count
            consumed += part.count
            guard end == nil else {
                length += 1
                consumed += 1
                isFinished = true
                return true
            }
        }
    }

    private mutating func refill() throws(Fault) -> Bool {
        let count = min(block, file.size - position)
        guard count > 0 else { return false }
        if buffer.count != count { buffer = [UInt8](repeating: 0, count: count) }
        try file.read(at: position, into: &buffer)
        position += count
        consumed = 0
        return true
    }
}
