import Federation
import Learning

/// Takes a student out of the nodes and constants of a file. What can be computed from the rest, as
/// an addition's weights, is only taken: the file is compared with what the student would be
/// written as.
struct StudentReading {
    private typealias Name = StudentGraph.Name

    private var tensors: TensorSet
    private let nodes: [OnnxFile.Node]
    /// The node that is read next.
    private var next = StudentGraph.firstNodes

    private init(_ file: OnnxFile) throws(Fault) {
        tensors = try TensorSet(file.tensors)
        nodes = file.nodes
    }

    /// The student in `file`.
    ///
    /// - Throws: `Fault.invalid` naming the node or tensor that is missing, superfluous or of
    ///   another form.
    static func student(in file: OnnxFile) throws(Fault) -> QuantizedModel {
        var reading = try StudentReading(file)
        let shape = try reading.shape()
        return try reading.model(shape)
    }

    // MARK: The graph

    private mutating func shape() throws(Fault) -> StudentShape {
        let input = try input()
        var layers: [LayerPlan] = []
        while next < nodes.count, nodes[next].operation != StudentGraph.afterLayers {
            guard layers.count < StudentGraph.mostLayers else {
                throw Fault(
                    .invalid, "the graph has more than \(StudentGraph.mostLayers) layers",
                    remedy: Remedy.otherModel)
            }
            let index = layers.count
            layers.append(LayerPlan(name: Name.layer(index), kind: try readKind(index)))
        }
        let shape = try StudentShape(input: input, layers: layers)
        try check(nodes, StudentGraph.nodes(shape, hasTargets: hasTargets))
        return shape
    }

    /// Whether the outputs become raw targets, as the last node then says.
    private var hasTargets: Bool { nodes.last?.operation == "Add" }

    private mutating func input() throws(Fault) -> TensorShape {
        let shape: [Int64] = try tensors.take(Name.shape, [4])
        // The product of three is still a number.
        guard shape[0] == -1, shape[1...].allSatisfy({ (1...1 << 20).contains($0) })
        else { throw TensorSet.invalid(Name.shape, "is \(shape)") }
        return TensorShape(Int(shape[1]), Int(shape[2]), Int(shape[3]))
    }

    /// Reads the node or nodes of layer `index`. They are compared with the layer's own afterwards,
    /// so this asks no more of them than it needs.
    private mutating func readKind(_ index: Int) throws(Fault) -> LayerKind {
        let node = nodes[next]
        next += 1
        switch node.operation {
        case "QLinearConv": return try convolution(index, node)
        case "MaxPool":
            return .maxPool(size: try pair("kernel_shape", node), stride: try pair("strides", node))
        case "Reshape": return .flatten
        case "Concat":
            guard node.inputs.count == 2, let from = layer(giving: node.inputs[1]) else {
                throw unexpected(node, "of two activations")
            }
            next += 1
            return .add(from: Name.layer(from), relu: try readReLU(index))
        default: throw unexpected(node, "where layer \(index) is expected")
        }
    }

    private mutating func convolution(
        _ index: Int, _ node: OnnxFile.Node
    ) throws(Fault) -> LayerKind {
        let name = Name.weights(index)
        let dimensions = try tensors.dimensions(name)
        let widths = 1...Int64(StudentShape.largestWidth)
        guard dimensions.count == 4, dimensions.allSatisfy(widths.contains) else {
            throw TensorSet.invalid(
                name,
                "has shape \(dimensions), not [units, inputs, 1, 1] or [channels, inputs / groups,"
                    + " height, width] of at most \(StudentShape.largestWidth)")
        }
        if node.attributes.isEmpty {
            guard dimensions[2...] == [1, 1] else {
                throw TensorSet.invalid(name, "has shape \(dimensions), not [units, inputs, 1, 1]")
            }
            return .dense(units: Int(dimensions[0]), relu: try readReLU(index))
        }
        let (size, stride) = (try pair("kernel_shape", node), try pair("strides", node))
        let inputsWithoutBias = 8
        if node.inputs.count == inputsWithoutBias {
            return .averagePool(size: size, stride: stride)
        }
        return .conv(
            ConvPlan(
                channels: Int(dimensions[0]), kernel: size, stride: stride,
                padding: try pair("pads", node),
                isDepthwise: node.attributes.contains { $0.name == "group" },
                relu: try readReLU(index)))
    }

    /// The first two numbers of an attribute: [h, w], or the padding at the beginning of each axis.
    private func pair(_ name: String, _ node: OnnxFile.Node) throws(Fault) -> [Int] {
        // As in plans; the sum over a window of such sides stays inside int32.
        let sides: ClosedRange<Int64> = 0...1024
        guard
            case .integers(let values)? = node.attributes.first(where: { $0.name == name })?.value,
            values.count >= 2, values.allSatisfy(sides.contains)
        else { throw unexpected(node, "without a usable \(name)") }
        return values[..<2].map { Int($0) }
    }

    /// The layer whose output is called `name`.
    private func layer(giving name: String) -> Int? {
        (0..<StudentGraph.mostLayers).first { Name.activation($0 + 1) == name }
    }

    /// Whether layer `index` has a ReLU, as the zero point of its output says.
    private mutating func readReLU(_ index: Int) throws(Fault) -> Bool {
        let name = Name.activationZeroPoint(index + 1)
        let zeroPoint = try tensors.scalar(name, Int8.self)
        switch zeroPoint {
        case 0: return false
        case -128: return true
        default:
            throw TensorSet.invalid(name, "is \(zeroPoint), not 0 or, after a ReLU, -128")
        }
    }

    private func check(
        _ nodes: [OnnxFile.Node], _ expected: [OnnxFile.Node]
    ) throws(Fault) {
        for (node, expected) in zip(nodes, expected) where node != expected {
            throw unexpected(node, "expected '\(expected.name)': \(expected)")
        }
        guard nodes.count == expected.count else {
            throw Fault(
                .invalid, "the graph has \(nodes.count) nodes, its layers need \(expected.count)",
                remedy: Remedy.otherModel)
        }
    }

    private func unexpected(_ node: OnnxFile.Node, _ problem: String) -> Fault {
        Fault(
            .invalid, "node '\(node.name)' is \(node), \(problem)", remedy: Remedy.otherModel)
    }

    // MARK: The constants

    private mutating func model(_ shape: StudentShape) throws(Fault) -> QuantizedModel {
        var scales = [try tensors.scalar(Name.activationScale(0), Float.self)]
        try tensors.takeZeros(Name.activationZeroPoint(0), [])
        var layers: [QuantizedLayer] = []
        for (index, layer) in shape.layers.enumerated() {
            if layer.kind.hasEncoding {
                scales.append(try tensors.scalar(Name.activationScale(index + 1), Float.self))
            }
            if let dimensions = shape.weightDimensions(layer: index) {
                layers.append(try readLayer(index, dimensions))
            } else {
                try takeConstants(index, layer.kind, shape.activations[index + 1])
            }
        }
        let normalisation = Normalisation(
            offset: try readNormalisation(Name.offset, features: shape.inputs),
            scale: try readNormalisation(Name.scale, features: shape.inputs),
            targets: hasTargets
                ? TargetScale(
                    offset: try tensors.take(Name.targetOffset, [shape.classes]),
                    scale: try tensors.take(Name.targetScale, [shape.classes])) : nil)
        try tensors.requireEmpty()
        return try QuantizedModel(
            shape: shape, normalisation: normalisation, activationScales: scales, layers: layers)
    }

    private mutating func readLayer(
        _ index: Int, _ dimensions: [Int]
    ) throws(Fault) -> QuantizedLayer {
        let outputs = dimensions[0]
        let layer = QuantizedLayer(
            weights: try tensors.take(Name.weights(index), dimensions),
            scales: try tensors.take(Name.weightScales(index), [outputs]),
            bias: try tensors.take(Name.bias(index), [outputs]))
        try tensors.takeZeros(Name.weightZeroPoints(index), [outputs])
        return layer
    }

    /// Takes what a layer without weights of its own is written with; `output` is its output's
    /// shape.
    private mutating func takeConstants(
        _ index: Int, _ kind: LayerKind, _ output: TensorShape
    ) throws(Fault) {
        let channels = output.channels
        switch kind {
        case .flatten: _ = try tensors.take(Name.shape(index), [4]) as [Int64]
        case .averagePool(let size, _):
            _ = try tensors.scalar(Name.activationZeroPoint(index + 1), Int8.self)
            try takeWeights(index, [channels, 1] + size)
        case .add:
            _ = try tensors.scalar(Name.valuesScale(index), Float.self)
            try tensors.takeZeros(Name.valuesZeroPoint(index), [])
            try takeWeights(index, [channels, 2 * channels, 1, 1])
            _ = try tensors.take(Name.bias(index), [channels]) as [Int32]
        case .dense, .conv, .maxPool, .dropout: break
        }
    }

    private mutating func takeWeights(_ index: Int, _ dimensions: [Int]) throws(Fault) {
        _ = try tensors.take(Name.weights(index), dimensions) as [Int8]
        _ = try tensors.take(Name.weightScales(index), [dimensions[0]]) as [Float]
        try tensors.takeZeros(Name.weightZeroPoints(index), [dimensions[0]])
    }

    private mutating func readNormalisation(
        _ name: String, features: Int
    ) throws(Fault) -> [Float] {
        let isShared = try tensors.dimensions(name) == [1]
        return try tensors.take(name, [isShared ? 1 : features])
    }
}
