/// How long files and functions may be. C kernels and generated code are not Swift, so they are not measured.
enum LengthRules {
    static let fileLines = 400
    static let functionLines = 60

    static func longFiles(_ files: [ProjectFile]) -> [Violation] {
        files.filter(\.isSwift).compactMap { file in
            let lines = file.bytes.count { $0 == UInt8(ascii: "\n") }
            guard lines > fileLines else { return nil }
            return Violation(
                file, line: fileLines + 1,
                "a Swift file has at most \(fileLines) lines, this one \(lines): split it by what it decides"
            )
        }
    }

    static func longFunctions(_ files: [ProjectFile]) -> [Violation] {
        files.flatMap { file in
            FunctionSpan.spans(in: file.tokens).filter { $0.lines > functionLines }.map {
                Violation(
                    file, line: $0.firstLine,
                    "a function has at most \(functionLines) lines, '\($0.name)' has \($0.lines)")
            }
        }
    }
}

/// A function, initialiser, subscript or computed property, from its keyword to its closing brace.
struct FunctionSpan: Equatable {
    let name: String
    let firstLine: Int
    let lines: Int

    private static let keywords: Set = ["func", "init", "deinit", "subscript", "var"]
    /// What cannot stand inside a signature: the declaration before it had no body, as in a protocol.
    private static let declarations = keywords.union([
        "let", "case", "struct", "class", "enum", "protocol", "extension", "typealias", "import",
        "actor", "associatedtype",
    ])
    /// What a line of a signature may begin with.
    private static let continuations: Set = [
        "->", "{", "where", "throws", "rethrows", "async", "(", "<", ":", "=", "&", ".", "?", ",",
    ]

    static func spans(in tokens: [SwiftToken]) -> [FunctionSpan] {
        tokens.indices.compactMap { start in
            guard keywords.contains(tokens[start].text),
                start == 0 || ![".", "`"].contains(tokens[start - 1].text),
                let open = bodyStart(after: start, in: tokens)
            else { return nil }
            let last = tokens[closingBrace(of: open, in: tokens)].line
            let isNamed = ["func", "var"].contains(tokens[start].text) && start + 1 < tokens.count
            return FunctionSpan(
                name: tokens[isNamed ? start + 1 : start].text, firstLine: tokens[start].line,
                lines: last - tokens[start].line + 1)
        }
    }

    /// The index of the brace that opens the body; nil when the declaration has none.
    private static func bodyStart(after start: Int, in tokens: [SwiftToken]) -> Int? {
        var depth = 0
        for index in (start + 1)..<max(start + 1, tokens.count) {
            let token = tokens[index]
            if depth == 0 {
                if token.text == "{" { return index }
                if token.text == "}" || declarations.contains(token.text) && index > start + 1 {
                    return nil
                }
                let before = tokens[index - 1]
                let carriesOn =
                    continuations.contains(token.text) || continuations.contains(before.text)
                if token.line > before.line, !carriesOn { return nil }
            }
            if token.text == "(" || token.text == "[" { depth += 1 }
            if token.text == ")" || token.text == "]" { depth -= 1 }
            if depth < 0 { return nil }
        }
        return nil
    }

    private static func closingBrace(of open: Int, in tokens: [SwiftToken]) -> Int {
        var depth = 0
        for index in open..<tokens.count {
            if tokens[index].text == "{" { depth += 1 }
            if tokens[index].text == "}" { depth -= 1 }
            if depth == 0 { return index }
        }
        return tokens.count - 1
    }
}
