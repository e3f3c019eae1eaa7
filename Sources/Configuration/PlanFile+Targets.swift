import Federation

// The keys of [data] that say what a student of the regression objective learns
extension PlanFile {
    private static let targetKeys: [DataKey] = [.targetColumns, .targetOffset, .targetScale]

    /// Nil unless the objective is regression.
    static func targets(
        _ section: Section<DataKey>, _ objective: TrainingPlan.Objective
    ) throws(Fault) -> TargetPlan? {
        let place = #"objective "regression""#
        guard objective == .regression else {
            try section.refuse(targetKeys, in: "a plan without " + place)
            return nil
        }
        guard try section.word(.format, ["idx", "csv"]) == "csv" else {
            throw section.fault(
                .format, "is \"idx\" with " + place, #"write "csv": an IDX file has no targets"#)
        }
        try section.refuse([.labelColumn, .classNames, .classes], in: "a plan with " + place)
        let columns = try targetColumns(section)
        return TargetPlan(
            columns: columns,
            offset: try normalisation(section, .targetOffset, columns, offsets, default: 0),
            scale: try normalisation(section, .targetScale, columns, scales, default: 1))
    }

    private static func targetColumns(_ section: Section<DataKey>) throws(Fault) -> [String] {
        let allowed = "an array of 1 to 4096 columns' names"
        var columns: [String] = []
        for item in try section.items(.targetColumns, 1...4096, allowed) {
            columns.append(try section.text(item, .targetColumns, allowed) { !$0.isEmpty })
            guard Set(columns).count == columns.count else {
                throw section.fault(
                    .targetColumns, "names a column twice", "name every column once")
            }
        }
        return columns
    }

    /// One number for all targets, or an array with one a target.
    private static func normalisation(
        _ section: Section<DataKey>, _ key: DataKey, _ columns: [String], _ bounds: Bounds,
        default standard: Float
    ) throws(Fault) -> [Float] {
        let count = columns.count
        guard let value = section.value(key), case .array = value.content else {
            let number = try section.float(key, bounds, default: standard)
            return [Float](repeating: number, count: count)
        }
        let allowed = "one number, or an array of \(count), one a target"
        var numbers: [Float] = []
        for item in try section.items(key, count...count, allowed) {
            numbers.append(try section.float(item, key, bounds))
        }
        return numbers
    }
}
