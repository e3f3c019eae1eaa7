import Federation
import Learning

/// The one form of graph that a student has; what is written and what is accepted both come from
/// here.
///
///     input float32 [N, F] -> Sub offset -> Div scale -> Reshape [N, C, H, W] -> QuantizeLinear
///       -> the layers -> DequantizeLinear -> Flatten -> output float32 [N, classes]
///
/// A student that predicts targets ends in Flatten -> Mul target_scale -> Add target_offset, and so
/// in the raw units of its targets.
///
/// Layers are QLinearConv, which has a bias and QLinearMatMul has none: a dense layer is 1x1 over
/// [N, F, 1, 1], an average a depthwise convolution with ones, an addition 1x1 over the
/// concatenation of both values. onnxruntime refuses an int8 AveragePool, and its QLinearAdd rounds
/// otherwise. Signed activations in the QLinear form, because onnxruntime computes it bit for bit as
/// `Predictor` does at every optimisation level; unsigned ones saturate on AVX2, and the QDQ form
/// is rewritten to unsigned on x86.
enum StudentGraph {
    static let producer = "tributary"
    static let name = "student"
    /// Nodes before the layers: Sub, Div, Reshape and QuantizeLinear.
    static let firstNodes = 4
    /// The operation of the first node after the layers.
    static let afterLayers = "DequantizeLinear"
    /// Bounds what is read; far above any student.
    static let mostLayers = 64

    /// The IR version and ONNX's operator set that `shape` needs; a MaxPool of int8 came later than
    /// the rest.
    static func versions(_ shape: StudentShape) -> (ir: Int64, operators: Int64) {
        let hasMaxPool = shape.layers.contains {
            if case .maxPool = $0.kind { true } else { false }
        }
        return hasMaxPool ? (7, 12) : (4, 10)
    }

    /// The nodes of a student, in the order of execution.
    ///
    /// - Parameter hasTargets: whether the outputs become raw targets.
    static func nodes(_ shape: StudentShape, hasTargets: Bool) -> [OnnxFile.Node] {
        let layers = shape.layerCount
        var nodes = [
            node("centre", "Sub", [Name.input, Name.offset], "centred"),
            node("normalise", "Div", ["centred", Name.scale], "normalised"),
            node("reshape", "Reshape", ["normalised", Name.shape], "columns"),
            node(
                "quantise", "QuantizeLinear", ["columns"] + encoding(shape, 0), Name.activation(0)),
        ]
        for layer in 0..<layers { nodes += self.nodes(shape, layer: layer) }
        nodes.append(
            node(
                "dequantise", afterLayers,
                [Name.activation(layers)] + encoding(shape, layers), "scores"))
        guard hasTargets else {
            return nodes + [node("flatten", "Flatten", ["scores"], Name.output)]
        }
        return nodes + [
            node("flatten", "Flatten", ["scores"], "normalised_targets"),
            node("widen", "Mul", ["normalised_targets", Name.targetScale], "centred_targets"),
            node("shift", "Add", ["centred_targets", Name.targetOffset], Name.output),
        ]
    }

    private static func nodes(_ shape: StudentShape, layer: Int) -> [OnnxFile.Node] {
        let input = [Name.activation(layer)] + encoding(shape, layer)
        switch shape.layers[layer].kind {
        case .dense: return [convolution(shape, layer, of: input)]
        case .conv(let conv):
            let groups = conv.isDepthwise ? shape.activations[layer].channels : nil
            return [
                convolution(
                    shape, layer, of: input,
                    windows(
                        conv.kernel, conv.stride, padding: conv.padding, groups: groups))
            ]
        case .averagePool(let size, let stride):
            let groups = shape.activations[layer].channels
            return [
                convolution(
                    shape, layer, of: input, windows(size, stride, groups: groups), hasBias: false)
            ]
        case .maxPool(let size, let stride):
            return [pass(layer, "MaxPool", [], windows(size, stride))]
        case .flatten: return [pass(layer, "Reshape", [Name.shape(layer)], [])]
        case .add:
            let addend = Name.activation(shape.addend(layer: layer) ?? 0)
            let values = Name.values(layer)
            return [
                node(
                    values, "Concat", [Name.activation(layer), addend], values,
                    [OnnxFile.Attribute(name: "axis", value: .integer(1))]),
                convolution(
                    shape, layer,
                    of: [values, Name.valuesScale(layer), Name.valuesZeroPoint(layer)]),
            ]
        case .dropout: return []
        }
    }

    /// The QLinearConv of layer `layer`; `input` is its input, the input's scale and zero point.
    private static func convolution(
        _ shape: StudentShape, _ layer: Int, of input: [String],
        _ attributes: [OnnxFile.Attribute] = [], hasBias: Bool = true
    ) -> OnnxFile.Node {
        let weights = [
            Name.weights(layer), Name.weightScales(layer), Name.weightZeroPoints(layer),
        ]
        let inputs = input + weights + encoding(shape, layer + 1)
        return node(
            Name.layer(layer), "QLinearConv", inputs + (hasBias ? [Name.bias(layer)] : []),
            Name.activation(layer + 1), attributes)
    }

    /// A node that hands bytes on, whose output so shares its input's scale and zero point.
    private static func pass(
        _ layer: Int, _ operation: String, _ constants: [String],
        _ attributes: [OnnxFile.Attribute]
    ) -> OnnxFile.Node {
        node(
            Name.layer(layer), operation, [Name.activation(layer)] + constants,
            Name.activation(layer + 1), attributes)
    }

    /// The attributes of a node that moves a window. Only what is depthwise names its groups, even
    /// a single one: so a depthwise layer over one channel is not read as another kind.
    private static func windows(
        _ size: [Int], _ stride: [Int], padding: [Int]? = nil, groups: Int? = nil
    ) -> [OnnxFile.Attribute] {
        func integers(_ name: String, _ values: [Int]) -> OnnxFile.Attribute {
            OnnxFile.Attribute(name: name, value: .integers(values.map(Int64.init)))
        }
        var attributes = [integers("kernel_shape", size)]
        if let groups {
            attributes.insert(
                OnnxFile.Attribute(name: "group", value: .integer(Int64(groups))), at: 0)
        }
        // At the beginning of each axis, then at its end.
        if let padding { attributes.append(integers("pads", padding + padding)) }
        return attributes + [integers("strides", stride)]
    }

    /// The names of activation `index`'s scale and zero point.
    private static func encoding(_ shape: StudentShape, _ index: Int) -> [String] {
        let owner = shape.encoded(index)
        return [Name.activationScale(owner), Name.activationZeroPoint(owner)]
    }

    /// The graph's input or output: float32 [N, `width`].
    static func port(_ name: String, width: Int) -> OnnxFile.Port {
        OnnxFile.Port(
            name: name, type: .float32, dimensions: [.named("N"), .fixed(Int64(width))])
    }

    private static func node(
        _ name: String, _ operation: String, _ inputs: [String], _ output: String,
        _ attributes: [OnnxFile.Attribute] = []
    ) -> OnnxFile.Node {
        OnnxFile.Node(
            name: name, operation: operation, inputs: inputs, outputs: [output],
            attributes: attributes)
    }

    /// What the graph's values are called. Layers count from 0; activation 0 is the quantised
    /// input, activation l + 1 the output of layer l.
    enum Name {
        static let input = "input"
        static let output = "output"
        static let offset = "offset"
        static let scale = "scale"
        static let shape = "columns.shape"
        static let targetOffset = "target_offset"
        static let targetScale = "target_scale"

        static func layer(_ layer: Int) -> String { "layer\(layer)" }
        static func weights(_ layer: Int) -> String { "layer\(layer).weights" }
        static func weightScales(_ layer: Int) -> String { "layer\(layer).weight_scales" }
        static func weightZeroPoints(_ layer: Int) -> String { "layer\(layer).weight_zero_points" }
        static func bias(_ layer: Int) -> String { "layer\(layer).bias" }
        /// What a flattened value's dimensions become.
        static func shape(_ layer: Int) -> String { "layer\(layer).shape" }
        /// Both values of an addition, side by side.
        static func values(_ layer: Int) -> String { "layer\(layer).values" }
        static func valuesScale(_ layer: Int) -> String { "layer\(layer).values.scale" }
        static func valuesZeroPoint(_ layer: Int) -> String { "layer\(layer).values.zero_point" }
        static func activation(_ index: Int) -> String { "activation\(index)" }
        static func activationScale(_ index: Int) -> String { "activation\(index).scale" }
        static func activationZeroPoint(_ index: Int) -> String { "activation\(index).zero_point" }
    }

    /// The keys of the file's metadata.
    enum Key {
        static let plan = "tributary.plan"
        static let version = "tributary.version"
        static let round = "tributary.round"
        static let parent = "tributary.parent"
        /// Only of a model whose outputs are as many as its inputs.
        static let objective = "tributary.objective"
    }
}

extension StudentShape {
    /// The activation whose scale and zero point activation `index` has: itself, or the last before
    /// it that has its own.
    func encoded(_ index: Int) -> Int {
        var owner = index
        while owner > 0, !layers[owner - 1].kind.hasEncoding { owner -= 1 }
        return owner
    }
}

/// What to do about a model file that is refused.
enum Remedy {
    static let otherModel = "use a model.onnx that Tributary wrote"
}
