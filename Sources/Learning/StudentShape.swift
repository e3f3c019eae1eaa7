package import Federation

/// A student's graph with the shape of every value, and the agreed order of its parameters.
///
/// Activation 0 is the input and activation l + 1 the output of layer l. A parameter vector holds,
/// for each layer with weights, W (ONNX order: outputs, inputs / groups, kernel height, kernel
/// width; row-major) and b; after all layers, the natural logarithms of the activation scales: of
/// the input, then of each layer whose output has a scale of its own.
package struct StudentShape: Sendable, Equatable {
    /// Most products that may be summed: inside int32 whatever the weights.
    package static let largestWidth = LayerShapes.largestFanIn

    package let layers: [LayerPlan]
    /// One an activation: the input, then each layer's output.
    package let activations: [TensorShape]

    /// The graph that `plan` asks for as devices train it: batch normalisation is folded away.
    ///
    /// - Throws: `Fault.invalid` naming the layer and both shapes when the layers do not fit.
    package init(plan: Plan) throws(Fault) {
        let layers = plan.layers.map {
            LayerPlan(name: $0.name, kind: $0.kind, isFrozen: $0.isFrozen)
        }
        self.init(shapes: try plan.shapes(), layers: layers)
    }

    /// The graph that `plan` asks for as the coordinator trains it first: nothing is frozen, and
    /// batch normalisation is there.
    ///
    /// - Throws: as `init(plan:)`.
    package init(warmUpOf plan: Plan) throws(Fault) {
        let layers = plan.layers.map {
            LayerPlan(name: $0.name, kind: $0.kind, hasBatchNorm: $0.hasBatchNorm)
        }
        self.init(shapes: try plan.shapes(), layers: layers)
    }

    /// The graph of a teacher with these layers.
    ///
    /// - Throws: `Fault.invalid` naming the layer and both shapes when the layers do not fit each
    ///   other or the data.
    package init(teacher layers: [LayerPlan], data: DataPlan) throws(Fault) {
        guard data.shape.count == 3 else {
            throw Fault(.invalid, "the data's shape \(data.shape) is not [channels, height, width]")
        }
        let input = TensorShape(data.shape[0], data.shape[1], data.shape[2])
        try self.init(input: input, layers: layers)
        guard classes == data.classes else {
            throw Fault(
                .invalid, "the teacher has \(classes) outputs, the plan \(data.classes) classes",
                remedy: "use a teacher that was made for this plan")
        }
    }

    /// The graph of `layers` on an input.
    ///
    /// - Throws: `Fault.invalid` naming the layer and both shapes when the layers do not fit.
    package init(input: TensorShape, layers: [LayerPlan]) throws(Fault) {
        self.init(shapes: try LayerShapes(input: input, layers: layers), layers: layers)
    }

    /// A graph of dense layers: the input's width and each layer's, and whether each layer ends in
    /// a ReLU.
    ///
    /// - Throws: `Fault.invalid` when a width is out of bounds or `relu` has not an entry a layer.
    package init(widths: [Int], relu: [Bool]) throws(Fault) {
        guard widths.count >= 2, relu.count == widths.count - 1 else {
            throw Fault(.invalid, "a student with \(relu.count) layers has \(widths.count) widths")
        }
        let layers = relu.indices.map { index in
            LayerPlan(
                name: "layer\(index)", kind: .dense(units: widths[index + 1], relu: relu[index]))
        }
        try self.init(input: TensorShape(widths[0]), layers: layers)
    }

    private init(shapes: LayerShapes, layers: [LayerPlan]) {
        self.init(activations: [shapes.input] + shapes.outputs, layers: layers)
    }

    private init(activations: [TensorShape], layers: [LayerPlan]) {
        self.activations = activations
        self.layers = layers
    }

    /// This graph with no layer frozen and no batch normalisation.
    package var thawed: StudentShape {
        let thawed = layers.map { LayerPlan(name: $0.name, kind: $0.kind) }
        return StudentShape(activations: activations, layers: thawed)
    }

    /// This graph as a model file holds it: without dropout, nothing frozen, layers named layer0,
    /// layer1 and so on.
    package var deployed: StudentShape {
        var names: [String: String] = [:]
        var kept: [LayerPlan] = []
        var shapes = [activations[0]]
        for (index, layer) in layers.enumerated() {
            if case .dropout = layer.kind { continue }
            var copy = LayerPlan(name: "layer\(kept.count)", kind: layer.kind)
            if case .add(let from, let relu) = layer.kind {
                copy.kind = .add(from: names[from] ?? from, relu: relu)
            }
            names[layer.name] = copy.name
            kept.append(copy)
            shapes.append(activations[index + 1])
        }
        return StudentShape(activations: shapes, layers: kept)
    }

    package var layerCount: Int { layers.count }
    /// Values an example at the input and after each layer: `[784, 128, 10]`.
    package var widths: [Int] { activations.map(\.count) }
    /// Whether each layer ends in a ReLU.
    package var relu: [Bool] { layers.map(\.kind.hasReLU) }
    /// Raw features a row.
    package var inputs: Int { activations[0].count }
    /// Outputs a row.
    package var classes: Int { activations[layerCount].count }

    /// The layers with weights, in order: `QuantizedModel.layers` has one entry for each.
    package var weightedLayers: [Int] { layers.indices.filter { layers[$0].kind.hasWeights } }

    /// The ONNX dimensions of layer `layer`'s weights: [outputs, inputs / groups, kernel height,
    /// kernel width]; nil for a layer without weights.
    package func weightDimensions(layer: Int) -> [Int]? {
        let input = activations[layer]
        switch layers[layer].kind {
        case .dense(let units, _): return [units, input.count, 1, 1]
        case .conv(let conv):
            return [conv.channels, conv.isDepthwise ? 1 : input.channels] + conv.kernel
        case .maxPool, .averagePool, .flatten, .add, .dropout: return nil
        }
    }

    /// Length of a parameter vector.
    package var parameterCount: Int { logScaleOffset + scaleCount }

    /// Where the logarithms of the activation scales begin.
    package var logScaleOffset: Int { parametersBefore(layer: layerCount) }

    /// Where layer `layer`'s weights and then its bias lie; empty for a layer without weights.
    package func parameterRanges(layer: Int) -> (weights: Range<Int>, bias: Range<Int>) {
        let start = parametersBefore(layer: layer)
        let dimensions = weightDimensions(layer: layer) ?? [0]
        let middle = start + dimensions.reduce(1, *)
        return (start..<middle, middle..<middle + dimensions[0])
    }

    private func parametersBefore(layer: Int) -> Int {
        (0..<layer).reduce(0) { count, layer in
            let dimensions = weightDimensions(layer: layer) ?? [0]
            return count + dimensions.reduce(1, *) + dimensions[0]
        }
    }

    /// Activation scales: one for the input and one for each layer whose output has its own.
    package var scaleCount: Int { scaleIndex(activation: layerCount) + 1 }

    /// Which of the activation scales activation `index` has.
    package func scaleIndex(activation index: Int) -> Int {
        layers[..<index].count { $0.kind.hasEncoding }
    }

    /// The zero point of activation `index`: -128 after a ReLU, and as long as nothing but pooling
    /// and the like follows it; else 0.
    package func zeroPoint(activation index: Int) -> Int32 {
        guard index > 0 else { return 0 }
        switch layers[index - 1].kind {
        case .dense(_, let relu), .add(_, let relu): return relu ? -128 : 0
        case .conv(let conv): return conv.relu ? -128 : 0
        case .maxPool, .averagePool, .flatten, .dropout: return zeroPoint(activation: index - 1)
        }
    }

    /// The activation that layer `layer` adds to its input; nil unless it adds one.
    package func addend(layer: Int) -> Int? {
        guard case .add(let from, _) = layers[layer].kind else { return nil }
        return layers.firstIndex { $0.name == from }.map { $0 + 1 }
    }
}
