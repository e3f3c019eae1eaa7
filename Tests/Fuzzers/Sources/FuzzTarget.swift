/// A parser of what a stranger may have written.
struct FuzzTarget: Sendable {
    /// Takes any bytes.
    let parse: @Sendable ([UInt8]) -> Void
    /// Inputs that parse, to start from.
    let seeds: @Sendable () throws -> [[UInt8]]

    init(
        _ parse: @escaping @Sendable ([UInt8]) -> Void,
        seeds: @escaping @Sendable () throws -> [[UInt8]]
    ) {
        self.parse = parse
        self.seeds = seeds
    }
}

/// Every target by its name.
let targets: [String: FuzzTarget] = [
    trustTargets, wireTargets, chunkTargets, formatTargets, dataTargets, configurationTargets,
].reduce([:]) { $0.merging($1) { first, _ in first } }

/// Ends the process as a finding does when what must hold of every input does not.
func demand(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError(what()) }
}
