/// The lines of a text document, one after another, each ended by a newline.
struct TextLines {
    /// What has not been read yet.
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

    /// The next line without its newline; nil when there is none that a newline ends.
    mutating func next() -> String? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")),
            let line = String(validating: rest[..<end], as: UTF8.self)
        else { return nil }
        rest = rest[(end + 1)...]
        return line
    }

    /// What follows `prefix` on the next line; nil, with nothing read, when it does not begin so.
    mutating func next(after prefix: String) -> String? {
        guard rest.starts(with: prefix.utf8) else { return nil }
        return next().map { String(decoding: $0.utf8.dropFirst(prefix.utf8.count), as: UTF8.self) }
    }
}

/// The number of leaves, or position of one, that `text` spells in decimal without leading zeros;
/// nil for anything else, and for more leaves than a log can have.
package func logPosition(_ text: String) -> UInt64? {
    guard let value = UInt64(text), value <= LogTree.largestSize, String(value) == text else {
        return nil
    }
    return value
}
