package import Federation
import Foundation

/// A directory with the records of runs.
package struct RunDirectory: Sendable, Equatable {
    package let path: String

    package init(path: String) { self.path = path }

    /// Where records go when nobody says: `TRIBUTARY_RUNS`, else `tributary/runs` where the user's
    /// programs keep their state; nil for a user without a home.
    package static func standard(_ environment: [String: String]) -> RunDirectory? {
        func named(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        if let runs = named("TRIBUTARY_RUNS") { return RunDirectory(path: runs) }
        let state = named("XDG_STATE_HOME") ?? named("HOME").map { "\($0)/.local/state" }
        return state.map { RunDirectory(path: "\($0)/tributary/runs") }
    }

    /// The runs here, by name, numbers in their order.
    package func runs() -> [RunFile] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }
            .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
            .map { RunFile(path: "\(path)/\($0)") }
    }

    /// The run of that name, or the record in that file.
    package func run(_ name: String) -> RunFile {
        if name.contains("/") || name.hasSuffix(".json") { return RunFile(path: name) }
        return RunFile(path: "\(path)/\(name).json")
    }

    /// Begins the record of a new run of `plan`, named by the first number that is free.
    ///
    /// - Throws: `Fault.storage`.
    package func begin(_ record: RunRecord) throws(Fault) -> RunFile {
        let plan = record.plan.name
        let taken = runs().compactMap { run in
            run.name.hasPrefix("\(plan)-") ? Int(run.name.dropFirst(plan.count + 1)) : nil
        }
        var number = (taken.max() ?? 0) + 1
        while true {
            let run = run("\(plan)-\(number)")
            do {
                try run.create(record)
                return run
            } catch  where error.code == .conflict {
                // Another process was faster.
                number += 1
            }
        }
    }
}
