import Federation

/// The keys that a section may have, as they are written.
protocol SectionKey: RawRepresentable<String>, CaseIterable, Hashable, Sendable {}

/// A table of a configuration file that refuses keys it does not know and values that cannot work.
///
/// Every fault names file, line, column and what may be written instead.
struct Section<Key: SectionKey> {
    let file: String
    /// As it is written: `[training]`; empty for the top level.
    let name: String
    let position: Position
    private let values: [Key: TOMLValue]

    /// - Throws: `Fault.invalid` when `table` is not a table or has a key outside `Key`.
    init(_ table: TOMLValue, name: String, file: String) throws(Fault) {
        guard case .table(let entries) = table.content else {
            throw Fault.at(file, table.position, "\(name) is \(table.kind)", "write it as a table")
        }
        var values: [Key: TOMLValue] = [:]
        for entry in entries.sorted(by: {
            ($0.position.line, $0.position.column) < ($1.position.line, $1.position.column)
        }) {
            guard let key = Key(rawValue: entry.key) else {
                throw unknownKey(
                    entry, in: name, file: file, known: Key.allCases.map { "\($0.rawValue)" })
            }
            values[key] = entry.value
        }
        self.file = file
        self.name = name
        self.position = table.position
        self.values = values
    }

    func value(_ key: Key) -> TOMLValue? { values[key] }

    func has(_ key: Key) -> Bool { values[key] != nil }

    /// The position of the value of `key`, or of the section when there is none.
    func position(of key: Key) -> Position { values[key]?.position ?? position }

    /// `key in [section]`, or `[key]` at the top level.
    func label(_ key: Key) -> String {
        name.isEmpty ? "[\(key.rawValue)]" : "\(key.rawValue) in \(name)"
    }

    /// A fault at the value of `key`: "batch_size in [training] " + `problem`.
    func fault(_ key: Key, _ problem: String, _ remedy: String) -> Fault {
        Fault.at(file, position(of: key), "\(label(key)) \(problem)", remedy)
    }

    /// The value of `key`.
    ///
    /// - Throws: `Fault.invalid` saying what may be written when there is none.
    func required(_ key: Key, _ allowed: String) throws(Fault) -> TOMLValue {
        guard let value = values[key] else {
            throw Fault.at(
                file, position,
                name.isEmpty ? "there is no [\(key.rawValue)]" : "\(name) has no \(key.rawValue)",
                "write \(allowed)")
        }
        return value
    }
}

// Reading values. `default` stands in for an absent key; without one the key is required.
extension Section {
    func integer(
        _ key: Key, _ range: ClosedRange<Int>, default standard: Int? = nil
    ) throws(Fault) -> Int {
        if let standard, !has(key) { return standard }
        let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return try integer(try required(key, allowed), key, range, allowed)
    }

    /// One integer of the array that `key` is, or the one that it is.
    func integer(
        _ value: TOMLValue, _ key: Key, _ range: ClosedRange<Int>, _ allowed: String
    ) throws(Fault) -> Int {
        guard case .integer(let integer) = value.content else {
            throw mismatch(value, key, allowed)
        }
        guard let number = Int(exactly: integer), range.contains(number) else {
            throw mismatch(value, key, "is \(integer)", allowed)
        }
        return number
    }

    func number(
        _ key: Key, _ bounds: Bounds, default standard: Double? = nil
    ) throws(Fault) -> Double {
        if let standard, !has(key) { return standard }
        return try number(try required(key, "\(bounds)"), key, bounds)
    }

    /// One number of the array that `key` is, or the one that it is.
    func number(_ value: TOMLValue, _ key: Key, _ bounds: Bounds) throws(Fault) -> Double {
        let number: Double
        switch value.content {
        case .decimal(let decimal): number = decimal
        case .integer(let integer): number = Double(integer)
        default: throw mismatch(value, key, "\(bounds)")
        }
        guard bounds.contains(number) else {
            throw mismatch(value, key, "is \(short(number))", "\(bounds)")
        }
        return number
    }

    /// A number that is within `bounds` as a float32 too.
    func float(_ key: Key, _ bounds: Bounds, default standard: Float? = nil) throws(Fault) -> Float
    {
        if let standard, !has(key) { return standard }
        return try float(try required(key, "\(bounds)"), key, bounds)
    }

    /// One number of the array that `key` is, or the one that it is.
    func float(_ value: TOMLValue, _ key: Key, _ bounds: Bounds) throws(Fault) -> Float {
        let wide = try number(value, key, bounds)
        let narrow = Float(wide)
        guard bounds.contains(Double(narrow)) else {
            throw mismatch(value, key, "is \(short(wide)), which float32 cannot hold", "\(bounds)")
        }
        return narrow
    }

    /// Text for which `accepts` holds; `allowed` describes it.
    func text(
        _ key: Key, _ allowed: String, default standard: String? = nil,
        where accepts: (String) -> Bool
    ) throws(Fault) -> String {
        if let standard, !has(key) { return standard }
        return try text(try required(key, allowed), key, allowed, where: accepts)
    }

    /// One text of the array that `key` is, or the one that it is.
    func text(
        _ value: TOMLValue, _ key: Key, _ allowed: String, where accepts: (String) -> Bool
    ) throws(Fault) -> String {
        guard case .text(let text) = value.content else { throw mismatch(value, key, allowed) }
        guard accepts(text) else { throw mismatch(value, key, "is \(quoted(text))", allowed) }
        return text
    }

    func truth(_ key: Key, default standard: Bool) throws(Fault) -> Bool {
        guard let value = value(key) else { return standard }
        guard case .truth(let truth) = value.content else {
            throw mismatch(value, key, "true or false")
        }
        return truth
    }

    /// Refuses those of `keys` that are there: they do not belong to what `place` says.
    func refuse(_ keys: some Sequence<Key>, in place: String) throws(Fault) {
        for key in Key.allCases where keys.contains(key) && has(key) {
            throw fault(key, "does not belong to \(place)", "remove \(key.rawValue)")
        }
    }

    /// One of `words`.
    func word(
        _ key: Key, _ words: [String], default standard: String? = nil
    ) throws(Fault) -> String {
        let allowed = "one of " + words.map { "\"\($0)\"" }.joined(separator: ", ")
        return try text(key, allowed, default: standard) { words.contains($0) }
    }

    /// The items of an array with as many items as `counts` allows.
    func items(
        _ key: Key, _ counts: ClosedRange<Int>, _ allowed: String
    ) throws(Fault) -> [TOMLValue] {
        let value = try required(key, allowed)
        guard case .array(let items) = value.content else { throw mismatch(value, key, allowed) }
        guard counts.contains(items.count) else {
            throw mismatch(value, key, "has \(items.count) items", allowed)
        }
        return items
    }

    /// The section under `key`, nil when there is none.
    func section<Inner: SectionKey>(
        _ key: Key, of _: Inner.Type
    ) throws(Fault) -> Section<Inner>? {
        guard let table = value(key) else { return nil }
        return try Section<Inner>(table, name: "[\(key.rawValue)]", file: file)
    }

    /// The section under `key`.
    ///
    /// - Throws: `Fault.invalid` when there is none.
    func requiredSection<Inner: SectionKey>(
        _ key: Key, of _: Inner.Type
    ) throws(Fault) -> Section<Inner> {
        let table = try required(key, "a table [\(key.rawValue)]")
        return try Section<Inner>(table, name: "[\(key.rawValue)]", file: file)
    }

    private func mismatch(_ value: TOMLValue, _ key: Key, _ allowed: String) -> Fault {
        mismatch(value, key, "is \(value.kind)", allowed)
    }

    private func mismatch(
        _ value: TOMLValue, _ key: Key, _ problem: String, _ allowed: String
    ) -> Fault {
        Fault.at(file, value.position, "\(label(key)) \(problem)", "write \(allowed)")
    }
}

/// An interval of finite numbers; its description completes "write ...".
struct Bounds: CustomStringConvertible {
    enum End {
        case including(Double)
        case excluding(Double)
    }

    let lower: End
    let upper: End

    /// Above zero, at most `upper`.
    static func positive(_ upper: Double) -> Bounds {
        Bounds(lower: .excluding(0), upper: .including(upper))
    }

    /// From `lower` to `upper`, both included.
    static func from(_ lower: Double, to upper: Double) -> Bounds {
        Bounds(lower: .including(lower), upper: .including(upper))
    }

    /// From `lower`, included, to below `upper`.
    static func from(_ lower: Double, below upper: Double) -> Bounds {
        Bounds(lower: .including(lower), upper: .excluding(upper))
    }

    func contains(_ number: Double) -> Bool {
        let above =
            switch lower {
            case .including(let end): number >= end
            case .excluding(let end): number > end
            }
        let below =
            switch upper {
            case .including(let end): number <= end
            case .excluding(let end): number < end
            }
        return above && below
    }

    var description: String {
        switch (lower, upper) {
        case (.including(let lower), .including(let upper)):
            "a number from \(short(lower)) to \(short(upper))"
        case (.including(let lower), .excluding(let upper)):
            "a number from \(short(lower)) to below \(short(upper))"
        case (.excluding(let lower), .including(let upper)):
            "a number above \(short(lower)), at most \(short(upper))"
        case (.excluding(let lower), .excluding(let upper)):
            "a number above \(short(lower)) and below \(short(upper))"
        }
    }
}

/// `number` without a needless `.0`.
func short(_ number: Double) -> String {
    let text = "\(number)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// `text` in quotes for a fault, cut when it is long.
private func quoted(_ text: String) -> String {
    text.count <= 80 ? jsonString(text) : jsonString(text.prefix(80) + "...")
}

/// The fault for a key that nothing reads, with the nearest known one, or all of them.
func unknownKey(
    _ entry: TOMLEntry, in section: String, file: String, known: [String]
) -> Fault {
    let place = section.isEmpty ? "at the top level" : "in \(section)"
    let remedy =
        nearest(to: entry.key, among: known).map { "did you mean '\($0)'?" }
        ?? "known keys: \(known.joined(separator: ", "))"
    return Fault.at(file, entry.position, "unknown key '\(entry.key.prefix(80))' \(place)", remedy)
}
