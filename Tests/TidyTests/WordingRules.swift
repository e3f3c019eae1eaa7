/// What may not be written: escape hatches in code, unfinished work, paths of one machine.
enum WordingRules {
    /// Owners of C objects, or of a store that locks by itself; nobody else may promise what the compiler cannot check.
    static let uncheckedOwners: Set = ["Cryptography", "Registry", "TLSClient"]

    static func escapeHatches(_ files: [ProjectFile]) -> [Violation] {
        files.flatMap { file in
            file.tokens.indices.compactMap { index in
                escapeHatch(in: file, at: index).map {
                    Violation(file, line: file.tokens[index].line, $0)
                }
            }
        }
    }

    private static func escapeHatch(in file: ProjectFile, at index: Int) -> String? {
        let words = file.tokens[index...].prefix(3).map(\.text)
        if words.first == "try!" { return "'try!' hides an error: throw it" }
        if words.prefix(2) == ["@", "unchecked"], !uncheckedOwners.contains(file.target ?? "") {
            return "'@unchecked Sendable' belongs to the owners of C objects in "
                + uncheckedOwners.sorted().joined(separator: ", ")
        }
        let before = index > file.tokens.startIndex ? file.tokens[index - 1].text : ""
        if file.isSource, words.count > 1, ["public", "open"].contains(words[0]),
            before != ".", declarationWords.contains(words[1])
        {
            return "declarations that cross targets are 'package', never '\(words[0])'"
        }
        return nil
    }

    private static let declarationWords: Set = [
        "struct", "class", "enum", "protocol", "actor", "extension", "func", "var", "let", "init",
        "typealias", "static", "final", "import", "subscript", "indirect", "mutating", "override",
        "private", "convenience", "required", "lazy", "nonisolated", "macro",
    ]

    /// The marks are written in two parts, so that this file does not name them.
    private static let unfinishedMarks = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "XX" + "X"]

    static func unfinishedWork(_ files: [ProjectFile]) -> [Violation] {
        // The bytes of a picture may be anything.
        files.filter { !$0.name.hasSuffix(".png") }.flatMap { file in
            unfinishedMarks.flatMap { mark in
                file.lines(where: { $0.containsWord(mark) }).map {
                    Violation(
                        file, line: $0,
                        "'\(mark)' marks unfinished work: finish it or file an issue")
                }
            }
        }
    }

    private static let machinePaths = ["work", "root", "home", "Users", "tmp/mini"]

    static func machinePaths(_ files: [ProjectFile]) -> [Violation] {
        files.flatMap { file in
            machinePaths.flatMap { folder in
                let path = "/" + folder + (folder.contains("/") ? "" : "/")
                return file.lines(where: { $0.containsAbsolute(path) }).map {
                    Violation(
                        file, line: $0,
                        "'\(path)' is a path of one machine: derive it, or ask for it")
                }
            }
        }
    }
}

extension ProjectFile {
    /// The numbers, from 1, of the lines that `matches`.
    fileprivate func lines(where matches: (ArraySlice<UInt8>) -> Bool) -> [Int] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated().filter { matches($0.element) }.map { $0.offset + 1 }
    }
}

extension ArraySlice<UInt8> {
    /// Whether `word` stands in the line with no letter, digit or `_` at either side.
    fileprivate func containsWord(_ word: String) -> Bool {
        ranges(of: Array(word.utf8)).contains {
            !isWordByte(at: $0.lowerBound - 1) && !isWordByte(at: $0.upperBound)
        }
    }

    /// Whether `path` stands in the line at the beginning of a path.
    fileprivate func containsAbsolute(_ path: String) -> Bool {
        ranges(of: Array(path.utf8)).contains { range in
            let before = range.lowerBound - 1
            return !isWordByte(at: before)
                && !(indices.contains(before)
                    && [UInt8(ascii: "."), UInt8(ascii: "}")].contains(self[before]))
        }
    }

    private func isWordByte(at index: Int) -> Bool {
        guard indices.contains(index) else { return false }
        let scalar = Unicode.Scalar(self[index])
        return scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
    }
}
