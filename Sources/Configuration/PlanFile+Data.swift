import Federation

// [data] and [[model.layers]]
extension PlanFile {
    enum DataKey: String, SectionKey {
        case format
        case featuresFile = "features_file"
        case labelsFile = "labels_file"
        case file
        case labelColumn = "label_column"
        case features, classes, offset, scale
    }

    enum ModelKey: String, SectionKey { case layers }

    enum LayerKey: String, SectionKey { case units, activation }

    /// Features, classes and units of one layer: int8 products of so many inputs cannot overflow an
    /// int32 sum.
    private static let widths = 1...65536
    private static let layerCounts = 1...32

    static func dataPlan(_ section: Section<DataKey>) throws(Fault) -> DataPlan {
        let format = try dataFormat(section)
        let features = try section.integer(.features, widths)
        return DataPlan(
            format: format, features: features,
            classes: try section.integer(.classes, 2...widths.upperBound),
            offset: try normalisation(
                section, .offset, features, .from(-1e9, to: 1e9), default: 0),
            scale: try normalisation(section, .scale, features, .from(1e-9, to: 1e9), default: 1))
    }

    private static func dataFormat(_ section: Section<DataKey>) throws(Fault) -> DataPlan.Format {
        func refuse(_ keys: DataKey..., format: String) throws(Fault) {
            for key in keys where section.has(key) {
                throw section.fault(
                    key, "does not belong to format \"\(format)\"", "remove \(key.rawValue)")
            }
        }
        if try section.word(.format, ["idx", "csv"]) == "idx" {
            try refuse(.file, .labelColumn, format: "idx")
            return .idx(
                features: try fileName(section, .featuresFile),
                labels: try fileName(section, .labelsFile))
        }
        try refuse(.featuresFile, .labelsFile, format: "csv")
        let label = try section.text(.labelColumn, "the name of a column") { !$0.isEmpty }
        return .csv(file: try fileName(section, .file), label: label)
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

    /// One number, or an array with one a feature.
    private static func normalisation(
        _ section: Section<DataKey>, _ key: DataKey, _ features: Int, _ bounds: Bounds,
        default standard: Float
    ) throws(Fault) -> [Float] {
        guard let value = section.value(key) else { return [standard] }
        guard case .array = value.content else { return [try section.float(key, bounds)] }
        let items = try section.items(
            key, features...features, "one number, or an array of \(features), one a feature")
        var numbers: [Float] = []
        for item in items { numbers.append(try section.float(item, key, bounds)) }
        return numbers
    }

    static func layers(
        _ root: Section<PlanKey>, _ data: DataPlan
    ) throws(Fault) -> [DenseLayerPlan] {
        let allowed = "1 to \(layerCounts.upperBound) [[model.layers]] tables"
        guard let model = try root.section(.model, of: ModelKey.self) else {
            throw Fault.at(root.file, root.position, "there is no student", "write \(allowed)")
        }
        let tables = try model.items(.layers, layerCounts, allowed)
        var layers: [DenseLayerPlan] = []
        var inputs = data.features
        // The learned ln-scale of the input.
        var parameters = 1
        for (index, table) in tables.enumerated() {
            let section = try Section<LayerKey>(
                table, name: "[[model.layers]]", file: root.file)
            let layer = try layer(section, isLast: index == tables.count - 1, data)
            parameters += inputs * layer.units + layer.units + 1
            guard parameters <= Plan.maximumParameters else {
                throw section.fault(
                    .units, "brings the student to \(parameters) parameters",
                    "at most \(Plan.maximumParameters) are allowed")
            }
            inputs = layer.units
            layers.append(layer)
        }
        return layers
    }

    private static func layer(
        _ section: Section<LayerKey>, isLast: Bool, _ data: DataPlan
    ) throws(Fault) -> DenseLayerPlan {
        let units = try section.integer(.units, widths)
        let activation = try section.word(
            .activation, ["relu", "none"], default: isLast ? "none" : "relu")
        if isLast, units != data.classes {
            throw section.fault(
                .units, "is \(units) in the last layer",
                "write \(data.classes), one unit a class")
        }
        if isLast, activation == "relu" {
            throw section.fault(
                .activation, "is \"relu\" in the last layer",
                "write \"none\": a class's score may be negative")
        }
        return DenseLayerPlan(units: units, relu: activation == "relu")
    }
}
