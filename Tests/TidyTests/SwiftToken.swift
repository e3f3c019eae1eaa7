/// A piece of Swift code: a word, or one punctuation character (`->` counts as one, and `try!` as a word).
///
/// Comments and the contents of strings are not code; what a string interpolates is. Bare regex literals are not known:
/// a quote inside one hides the rest of its line.
struct SwiftToken: Equatable, Sendable {
    let text: String
    /// From 1.
    let line: Int

    static func tokens(of source: [UInt8]) -> [SwiftToken] {
        var lexer = SwiftLexer(source: source)
        lexer.readCode(untilParenthesis: false)
        return lexer.tokens
    }
}

private struct SwiftLexer {
    let source: [UInt8]
    var index = 0
    var line = 1
    var tokens: [SwiftToken] = []

    init(source: [UInt8]) { self.source = source }

    private func peek(_ ahead: Int = 0) -> UInt8 {
        index + ahead < source.count ? source[index + ahead] : 0
    }

    private func isNext(_ text: StaticString, after ahead: Int = 0) -> Bool {
        (0..<text.utf8CodeUnitCount).allSatisfy { peek(ahead + $0) == text.utf8Start[$0] }
    }

    private mutating func step(_ count: Int = 1) {
        for _ in 0..<count where index < source.count {
            if source[index] == UInt8(ascii: "\n") { line += 1 }
            index += 1
        }
    }

    /// Reads to the end, or behind the parenthesis that closes an interpolation.
    mutating func readCode(untilParenthesis: Bool) {
        var depth = 0
        while index < source.count {
            if isNext("//") {
                while index < source.count, peek() != UInt8(ascii: "\n") { step() }
            } else if isNext("/*") {
                skipBlockComment()
            } else if let hashes = stringOpening() {
                readString(hashes: hashes)
            } else if isWordByte(peek()) {
                readWord()
            } else if peek() <= UInt8(ascii: " ") {
                step()
            } else {
                if peek() == UInt8(ascii: "(") { depth += 1 }
                if peek() == UInt8(ascii: ")") { depth -= 1 }
                if untilParenthesis, depth < 0 { return step() }
                readPunctuation()
            }
        }
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...:
            true
        default: false
        }
    }

    private mutating func readWord() {
        let start = index
        while isWordByte(peek()) { step() }
        // Not the same as `try !condition`.
        if isNext("!"), source[start..<index].elementsEqual("try".utf8) { step() }
        append(source[start..<index])
    }

    private mutating func readPunctuation() {
        let length = isNext("->") ? 2 : 1
        append(source[index..<index + length])
        step(length)
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) {
        tokens.append(SwiftToken(text: String(decoding: bytes, as: UTF8.self), line: line))
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if isNext("/*") {
                depth += 1
                step(2)
            } else if isNext("*/") {
                depth -= 1
                step(2)
            } else {
                step()
            }
        } while depth > 0 && index < source.count
    }

    /// The number of `#` before a string's quote; nil when no string begins here.
    private func stringOpening() -> Int? {
        var hashes = 0
        while peek(hashes) == UInt8(ascii: "#") { hashes += 1 }
        return peek(hashes) == UInt8(ascii: "\"") ? hashes : nil
    }

    private mutating func readString(hashes: Int) {
        step(hashes)
        let quotes = isNext("\"\"\"") ? 3 : 1
        step(quotes)
        while index < source.count {
            if isRun("\"", quotes), isRun("#", hashes, after: quotes) {
                return step(quotes + hashes)
            }
            // A string of one line ends with it, so that a stray quote does not swallow the file.
            if quotes == 1, peek() == UInt8(ascii: "\n") { return }
            if peek() == UInt8(ascii: "\\"), isRun("#", hashes, after: 1) {
                step(1 + hashes)
                let interpolates = peek() == UInt8(ascii: "(")
                step()
                if interpolates { readCode(untilParenthesis: true) }
            } else {
                step()
            }
        }
    }

    private func isRun(_ character: Unicode.Scalar, _ count: Int, after ahead: Int = 0) -> Bool {
        (0..<count).allSatisfy { peek(ahead + $0) == UInt8(ascii: character) }
    }
}
