package import Federation

/// Values to try, one run each.
package struct Sweep: Sendable, Equatable {
    package let name: String
    package let values: [String]

    /// Reads `learning_rate=0.01,0.1`; a comma within brackets separates no values.
    ///
    /// - Throws: `Fault.invalid` when there is no name, no value, or one twice.
    package init(parsing text: String) throws(Fault) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw Fault(
                .invalid, "'\(text)' does not say what to try",
                remedy: "write, for example, learning_rate=0.01,0.1")
        }
        var values = [""]
        var depth = 0
        for character in parts[1] {
            depth += character == "[" ? 1 : character == "]" ? -1 : 0
            if character == ",", depth == 0 {
                values.append("")
            } else {
                values[values.count - 1].append(character)
            }
        }
        guard values.allSatisfy({ !$0.isEmpty }), Set(values).count == values.count else {
            throw Fault(
                .invalid, "'\(text)' has an empty value, or one twice",
                remedy: "separate different values with single commas")
        }
        name = String(parts[0])
        self.values = values
    }

    /// Every combination of the values of `sweeps`, those of the last one changing fastest; without any
    /// sweep, one combination of nothing.
    ///
    /// - Throws: `Fault.invalid` when two sweeps have the same name.
    package static func combinations(_ sweeps: [Sweep]) throws(Fault) -> [[(String, String)]] {
        guard Set(sweeps.map(\.name)).count == sweeps.count else {
            throw Fault(
                .invalid, "two sweeps are over the same key",
                remedy: "give all its values to one: learning_rate=0.01,0.1")
        }
        return sweeps.reduce([[]]) { combinations, sweep in
            combinations.flatMap { chosen in sweep.values.map { chosen + [(sweep.name, $0)] } }
        }
    }
}
