import Federation

// [[model.layers]] and [[teacher.layers]]
extension PlanFile {
    enum ModelKey: String, SectionKey { case layers }

    enum LayerKey: String, SectionKey {
        case type, name, units, channels, kernel, stride, padding, activation, size, from, rate
        case frozen
        case batchNorm = "batch_norm"
    }

    /// What a layer computes, as its `type` names it.
    private enum LayerType: String, CaseIterable {
        case dense, conv, depthwise
        case maxPool = "max_pool"
        case averagePool = "average_pool"
        case flatten, add, dropout

        /// The keys that a layer of this type may have besides `type` and `name`.
        var keys: Set<LayerKey> {
            switch self {
            case .dense: [.units, .activation, .frozen, .batchNorm]
            case .conv, .depthwise:
                [.channels, .kernel, .stride, .padding, .activation, .frozen, .batchNorm]
            case .maxPool, .averagePool: [.size, .stride]
            case .flatten: []
            case .add: [.from, .activation]
            case .dropout: [.rate]
            }
        }
    }

    private static let layerCounts = 1...64
    private static let widths = 1...LayerShapes.largestFanIn
    private static let sides = 1...1024
    private static let nameRule =
        "a name of 1 to 40 characters of a-z 0-9 _ -, beginning with a letter"

    /// The student's layers; all fit each other, the data and the objective.
    static func layers(
        _ root: Section<PlanKey>, _ data: DataPlan, _ objective: TrainingPlan.Objective
    ) throws(Fault) -> [LayerPlan] {
        let allowed = allowedLayers("[[model.layers]]")
        guard let model = try root.section(.model, of: ModelKey.self) else {
            throw Fault.at(root.file, root.position, "there is no student", "write \(allowed)")
        }
        return try layers(
            try model.items(.layers, layerCounts, allowed), of: "student", "[[model.layers]]",
            file: root.file, data, objective)
    }

    /// The layers of a teacher that has more to say than `hidden`; all fit each other and the data.
    static func teacherLayers(
        _ teacher: Section<TeacherKey>, _ data: DataPlan
    ) throws(Fault) -> [LayerPlan] {
        let name = "[[teacher.layers]]"
        let tables = try teacher.items(.layers, layerCounts, allowedLayers(name))
        for table in tables {
            // It never takes part in a round.
            try Section<LayerKey>(table, name: name, file: teacher.file)
                .refuse([.frozen], in: "a teacher")
        }
        return try layers(tables, of: "teacher", name, file: teacher.file, data, .classification)
    }

    private static func allowedLayers(_ name: String) -> String {
        "1 to \(layerCounts.upperBound) \(name) tables"
    }

    private static func layers(
        _ tables: [TOMLValue], of network: String, _ name: String, file: String, _ data: DataPlan,
        _ objective: TrainingPlan.Objective
    ) throws(Fault) -> [LayerPlan] {
        var sections: [Section<LayerKey>] = []
        for table in tables {
            sections.append(try Section<LayerKey>(table, name: name, file: file))
        }
        // The layers after it only pass its values on.
        let last = try lastActive(sections)
        var read = NetworkLayers(data, network)
        for (index, section) in sections.enumerated() {
            if index == last, section.has(.units) { try checkUnits(section, data, objective) }
            let layer = try layer(
                section, index: index, isLast: index == last, input: read.output)
            try read.append(layer, section)
        }
        try read.checkOutput(data, objective, sections[sections.count - 1])
        return read.layers
    }

    private static func type(_ section: Section<LayerKey>) throws(Fault) -> LayerType {
        let names = LayerType.allCases.map(\.rawValue)
        let name = try section.word(.type, names, default: LayerType.dense.rawValue)
        return LayerType(rawValue: name) ?? .dense
    }

    /// The last layer that may have a ReLU; nil when there is none.
    private static func lastActive(_ sections: [Section<LayerKey>]) throws(Fault) -> Int? {
        var last: Int?
        for (index, section) in sections.enumerated() {
            if try type(section).keys.contains(.activation) { last = index }
        }
        return last
    }

    private static func layer(
        _ section: Section<LayerKey>, index: Int, isLast: Bool, input: TensorShape
    ) throws(Fault) -> LayerPlan {
        let type = try type(section)
        let strange = Set(LayerKey.allCases).subtracting(type.keys).subtracting([.type, .name])
        try section.refuse(strange, in: "type \"\(type.rawValue)\"")
        let name = try section.text(
            .name, nameRule, default: "layer\(index)", where: isName)
        let kind = try kind(
            section, type, relu: try relu(section, type, isLast: isLast), input: input)
        let hasBatchNorm = try section.truth(.batchNorm, default: false)
        guard !hasBatchNorm || !isLast else {
            throw section.fault(
                .batchNorm, "is true in the last layer",
                "remove it: an output's mean and spread carry meaning")
        }
        return LayerPlan(
            name: name, kind: kind, isFrozen: try section.truth(.frozen, default: false),
            hasBatchNorm: hasBatchNorm)
    }

    private static func kind(
        _ section: Section<LayerKey>, _ type: LayerType, relu: Bool, input: TensorShape
    ) throws(Fault) -> LayerKind {
        switch type {
        case .dense: .dense(units: try section.integer(.units, widths), relu: relu)
        case .conv, .depthwise:
            .conv(
                try convolution(
                    section, isDepthwise: type == .depthwise, relu: relu, input: input))
        case .maxPool:
            .maxPool(size: try sizes(section, .size), stride: try poolStride(section))
        case .averagePool:
            .averagePool(size: try sizes(section, .size), stride: try poolStride(section))
        case .flatten: .flatten
        case .add: .add(from: try section.text(.from, nameRule, where: isName), relu: relu)
        case .dropout: .dropout(rate: try section.float(.rate, .from(0, below: 1)))
        }
    }

    private static func convolution(
        _ section: Section<LayerKey>, isDepthwise: Bool, relu: Bool, input: TensorShape
    ) throws(Fault) -> ConvPlan {
        ConvPlan(
            channels: try section.integer(
                .channels, widths, default: isDepthwise ? input.channels : nil),
            kernel: try sizes(section, .kernel),
            stride: try sizes(section, .stride, default: [1, 1]),
            padding: try sizes(section, .padding, 0...sides.upperBound, default: [0, 0]),
            isDepthwise: isDepthwise, relu: relu)
    }

    /// By default windows lie side by side.
    private static func poolStride(_ section: Section<LayerKey>) throws(Fault) -> [Int] {
        try sizes(section, .stride, default: try sizes(section, .size))
    }

    /// [height, width]; one number stands for both.
    private static func sizes(
        _ section: Section<LayerKey>, _ key: LayerKey, _ range: ClosedRange<Int> = sides,
        default standard: [Int]? = nil
    ) throws(Fault) -> [Int] {
        if let standard, !section.has(key) { return standard }
        let allowed =
            "a whole number from \(range.lowerBound) to \(range.upperBound),"
            + " or two as [height, width]"
        let value = try section.required(key, allowed)
        guard case .array = value.content else {
            let side = try section.integer(value, key, range, allowed)
            return [side, side]
        }
        var sizes: [Int] = []
        for item in try section.items(key, 2...2, allowed) {
            sizes.append(try section.integer(item, key, range, allowed))
        }
        return sizes
    }

    private static func relu(
        _ section: Section<LayerKey>, _ type: LayerType, isLast: Bool
    ) throws(Fault) -> Bool {
        guard type.keys.contains(.activation) else { return false }
        let activation = try section.word(
            .activation, ["relu", "none"], default: isLast ? "none" : "relu")
        guard activation == "relu" else { return false }
        guard !isLast else {
            throw section.fault(
                .activation, "is \"relu\" in the last layer",
                "write \"none\": an output may be negative")
        }
        return true
    }

    private static func checkUnits(
        _ section: Section<LayerKey>, _ data: DataPlan, _ objective: TrainingPlan.Objective
    ) throws(Fault) {
        let units = try section.integer(.units, widths)
        let reason =
            switch objective {
            case .classification: "one unit a class"
            case .reconstruction: "one unit a feature"
            case .regression: "one unit a target"
            }
        let expected = objective.outputs(data)
        guard units == expected else {
            throw section.fault(
                .units, "is \(units) in the last layer", "write \(expected), \(reason)")
        }
    }

    private static func isName(_ text: String) -> Bool {
        guard (1...40).contains(text.utf8.count), let first = text.utf8.first else { return false }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return letters.contains(first)
            && text.utf8.allSatisfy {
                letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: "-")
            }
    }
}

/// A network's layers as they are read, with the shape and the parameters they come to.
private struct NetworkLayers {
    private(set) var layers: [LayerPlan] = []
    private(set) var output: TensorShape
    private let input: TensorShape
    /// The learned ln-scale of the input, and then the layers'.
    private var parameters = 1
    /// "student" or "teacher"
    private let network: String

    init(_ data: DataPlan, _ network: String) {
        self.network = network
        input = TensorShape(data.shape[0], data.shape[1], data.shape[2])
        output = input
    }

    /// - Throws: `Fault.invalid` at `section` when `layer` does not fit those before it.
    mutating func append(
        _ layer: LayerPlan, _ section: Section<PlanFile.LayerKey>
    ) throws(Fault) {
        let fanIn = layer.fanIn(output)
        layers.append(layer)
        // More may follow: what the last layer must be is checked at the end.
        output = try shapes(layers + [LayerPlan(name: "", kind: .flatten)], section)
            .input(of: layers.count)
        if layer.kind.hasWeights { parameters += (fanIn + 1) * output.channels }
        if layer.kind.hasEncoding { parameters += 1 }
        guard parameters <= Plan.maximumParameters else {
            throw section.fault(
                section.has(.units) ? .units : .channels,
                "brings the \(network) to \(parameters) parameters",
                "at most \(Plan.maximumParameters) are allowed")
        }
    }

    private func shapes(
        _ layers: [LayerPlan], _ section: Section<PlanFile.LayerKey>
    ) throws(Fault) -> LayerShapes {
        do throws(Fault) {
            return try LayerShapes(input: input, layers: layers)
        } catch {
            throw Fault.at(section.file, section.position, error.message, error.remedy)
        }
    }

    /// - Throws: `Fault.invalid` at `section`, the last, unless the output is what `objective`
    ///   asks for.
    func checkOutput(
        _ data: DataPlan, _ objective: TrainingPlan.Objective, _ section: Section<PlanFile.LayerKey>
    ) throws(Fault) {
        let expected = TensorShape(objective.outputs(data))
        let last = layers[layers.count - 1]
        guard output == expected else {
            throw Fault.at(
                section.file, section.position, "layer '\(last.name)' gives \(output)",
                "end with a layer that gives \(expected)")
        }
        _ = try shapes(layers, section)
        guard layers.contains(where: \.kind.hasWeights) else {
            throw Fault.at(
                section.file, section.position,
                "layer '\(last.name)' ends a \(network) without weights",
                "add a dense or conv layer")
        }
    }
}
