/// How runs differ: what was chosen, and what came of it.
package struct RunComparison: Sendable, Equatable {
    /// One thing, and what it is in each run; nil where a run has none.
    package struct Row: Sendable, Equatable {
        package let name: String
        package let values: [Setting?]

        package init(name: String, values: [Setting?]) {
            self.name = name
            self.values = values
        }
    }

    /// What is not the same in all runs: values of plan and options, data, code and machine.
    package let differences: [Row]
    /// What all of them came to.
    package let results: [Row]

    package init(_ records: [RunRecord]) {
        let chosen = records.map(RunComparison.choices)
        let names = Set(chosen.flatMap(\.keys)).sorted()
        differences = names.compactMap { name in
            let values = chosen.map { $0[name] }
            return values.dropFirst().allSatisfy { $0 == values[0] }
                ? nil : Row(name: name, values: values)
        }
        let results = records.map(RunComparison.results)
        self.results = (results.first ?? []).indices.map { index in
            Row(name: results[0][index].0, values: results.map { $0[index].1 })
        }
    }

    private static func choices(_ record: RunRecord) -> [String: Setting] {
        var choices = record.parameters
        let options = record.options
        choices["plan.name"] = .text(record.plan.name)
        choices["plan.sha256"] = .text(String(record.plan.sha256.prefix(12)))
        choices["agents"] = .number(Double(record.population.agents))
        choices["rounds"] = .number(Double(options.rounds))
        choices["partition"] = .text(options.partition)
        choices["client"] = options.client.map { .text($0) }
        choices["sum"] = options.floatSum.map { .text($0 ? "float" : "lattice") }
        choices["examples_drawn"] = record.population.examplesDrawn.map { .number(Double($0)) }
        choices["seed"] = .text("\(options.seed)")
        choices["arithmetic"] = .text(options.float32 ? "float32" : "int8")
        choices["first_model"] = .text(record.firstModel.origin)
        choices["measure_every"] = .number(Double(options.measureEvery))
        for part in record.data {
            let digests = part.files.map { $0.sha256.prefix(12) }
            choices["data.\(part.name)"] = .text(
                digests.prefix(2).joined(separator: " ")
                    + (digests.count > 2 ? " and \(digests.count - 2) more" : ""))
        }
        choices["code.version"] = .text(record.code.version)
        choices["code.build"] = record.code.build.map { .text(String($0.prefix(12))) }
        choices["machine.processor"] = .text(record.machine.processor)
        choices["machine.instruction_set"] = .text(record.machine.instructionSet)
        choices["machine.threads"] = .number(Double(record.machine.threads))
        return choices
    }

    private static func results(_ record: RunRecord) -> [(String, Setting?)] {
        func number(_ value: Double?) -> Setting? { value.map { .number($0) } }
        return [
            ("state", .text(record.state.rawValue)),
            ("rounds_run", number(Double(record.rounds.count))),
            ("accuracy_first", number(record.firstModel.accuracy)),
            ("accuracy_last", number(record.summary.accuracyLast)),
            ("accuracy_best", number(record.summary.accuracyBest)),
            ("epsilon", number(record.summary.epsilon)),
            ("client_rounds", number(Double(record.summary.clientRounds))),
            ("wall_seconds", number(record.spent.wallSeconds)),
            ("peak_memory_mib", number(record.spent.peakMemoryMiB)),
        ]
    }
}
