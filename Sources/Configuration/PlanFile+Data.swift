import Federation

// [data]
extension PlanFile {
    enum DataKey: String, SectionKey {
        case format
        case featuresFile = "features_file"
        case labelsFile = "labels_file"
        case file
        case labelColumn = "label_column"
        case featureColumns = "feature_columns"
        case classNames = "class_names"
        case missing, window
        case features, classes, shape, offset, scale
        case targetColumns = "target_columns"
        case targetOffset = "target_offset"
        case targetScale = "target_scale"
        case heldOut = "held_out"
    }

    /// Features and classes.
    private static let widths = 1...65536

    static func dataPlan(
        _ section: Section<DataKey>, _ objective: TrainingPlan.Objective
    ) throws(Fault) -> DataPlan {
        let targets = try targets(section, objective)
        let format = try dataFormat(section, objective)
        let features = try section.integer(.features, widths)
        if case .table(let table) = format { try checkWidth(section, table, features) }
        let shape = try shape(section, features)
        return DataPlan(
            format: format, features: features, classes: try classes(section, format, targets),
            shape: shape,
            offset: try normalisation(section, .offset, shape, offsets, default: 0),
            scale: try normalisation(section, .scale, shape, scales, default: 1), targets: targets,
            heldOut: try section.number(.heldOut, .from(0, to: 0.5), default: 0))
    }

    private static func classes(
        _ section: Section<DataKey>, _ format: DataPlan.Format, _ targets: TargetPlan?
    ) throws(Fault) -> Int {
        if targets != nil { return 0 }
        // Without labels every example is a normal one, of class 0.
        if case .table(let table) = format, table.label == nil { return 1 }
        return try section.integer(.classes, 2...widths.upperBound)
    }

    static let offsets = Bounds.from(-1e9, to: 1e9)
    static let scales = Bounds.from(1e-9, to: 1e9)

    /// [channels, height, width].
    private static func shape(
        _ section: Section<DataKey>, _ features: Int
    ) throws(Fault) -> [Int] {
        guard section.has(.shape) else { return [features, 1, 1] }
        let allowed = "[channels, height, width], whose product is \(features)"
        var shape: [Int] = []
        for item in try section.items(.shape, 3...3, allowed) {
            shape.append(try section.integer(item, .shape, 1...features, allowed))
        }
        // Below 2^48: no factor is above 65536.
        guard shape.reduce(1, *) == features else {
            throw section.fault(
                .shape, "is \(shape), \(shape.reduce(1, *)) features", "write \(allowed)")
        }
        return shape
    }

    private static func dataFormat(
        _ section: Section<DataKey>, _ objective: TrainingPlan.Objective
    ) throws(Fault) -> DataPlan.Format {
        if try section.word(.format, ["idx", "csv"]) == "idx" {
            try section.refuse([.file, .labelColumn] + tableKeys, in: #"format "idx""#)
            return .idx(
                features: try fileName(section, .featuresFile),
                labels: try fileName(section, .labelsFile))
        }
        try section.refuse([.featuresFile, .labelsFile], in: #"format "csv""#)
        let file = try fileName(section, .file)
        guard !section.has(.targetColumns) else {
            return .table(try tableFormat(section, file: file, label: nil))
        }
        guard section.has(.labelColumn) || objective != .reconstruction else {
            try section.refuse([.classNames, .classes], in: "a table without label_column")
            return .table(try tableFormat(section, file: file, label: nil))
        }
        let label = try section.text(.labelColumn, "the name of a column") { !$0.isEmpty }
        let isPlain = !tableKeys.contains(where: section.has) && !file.contains("*")
        return isPlain
            ? .csv(file: file, label: label)
            : .table(try tableFormat(section, file: file, label: label))
    }

    /// A name and not a path: a plan comes over the network and must not name files outside the
    /// data directory.
    private static func fileName(
        _ section: Section<DataKey>, _ key: DataKey
    ) throws(Fault) -> String {
        try section.text(key, "the name of a file in the data directory, without '/'") {
            !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255
                && !$0.utf8.contains(UInt8(ascii: "/")) && !$0.utf8.contains(0)
        }
    }

    /// One number, or an array with one a feature, or with one a channel, which is then that of all its features.
    private static func normalisation(
        _ section: Section<DataKey>, _ key: DataKey, _ shape: [Int], _ bounds: Bounds,
        default standard: Float
    ) throws(Fault) -> [Float] {
        guard let value = section.value(key) else { return [standard] }
        guard case .array(let written) = value.content else {
            return [try section.float(key, bounds)]
        }
        let features = shape.reduce(1, *)
        let count = written.count == shape[0] ? shape[0] : features
        let items = try section.items(
            key, count...count,
            "one number, or an array of \(features), one a feature"
                + (shape[0] == features ? "" : ", or of \(shape[0]), one a channel"))
        var numbers: [Float] = []
        for item in items {
            let number = try section.float(item, key, bounds)
            numbers += [Float](repeating: number, count: features / count)
        }
        return numbers
    }
}
