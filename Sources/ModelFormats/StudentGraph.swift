import Federation
import Learning

/// The one form of graph that a student has; what is written and what is accepted both come from
/// here.
///
///     input float32 [N, F] -> Sub offset -> Div scale -> Reshape [N, F, 1, 1] -> QuantizeLinear
///       -> QLinearConv 1x1 a layer -> DequantizeLinear -> Flatten -> output float32 [N, classes]
///
/// QLinearConv and not QLinearMatMul, because it has a bias. Signed activations in the QLinear
/// form, because onnxruntime computes it bit for bit as `Predictor` does at every optimisation
/// level; unsigned ones saturate on AVX2, and the QDQ form is rewritten to unsigned on x86.
enum StudentGraph {
    static let irVersion: Int64 = 4
    static let operatorSets = [OnnxFile.OperatorSet(domain: "", version: 10)]
    static let producer = "tributary"
    static let name = "student"
    /// Nodes around the layers: Sub, Div, Reshape, QuantizeLinear and DequantizeLinear, Flatten.
    static let otherNodes = 6
    /// Bounds what is read; far above any student.
    static let mostLayers = 64

    /// The nodes of a student with `layers` layers.
    static func nodes(layers: Int) -> [OnnxFile.Node] {
        var nodes = [
            node("centre", "Sub", [Name.input, Name.offset], "centred"),
            node("normalise", "Div", ["centred", Name.scale], "normalised"),
            node("reshape", "Reshape", ["normalised", Name.shape], "columns"),
            node(
                "quantise", "QuantizeLinear",
                ["columns", Name.activationScale(0), Name.activationZeroPoint(0)],
                Name.activation(0)),
        ]
        for layer in 0..<layers {
            nodes.append(
                node(
                    Name.layer(layer), "QLinearConv",
                    [
                        Name.activation(layer), Name.activationScale(layer),
                        Name.activationZeroPoint(layer), Name.weights(layer),
                        Name.weightScales(layer), Name.weightZeroPoints(layer),
                        Name.activationScale(layer + 1), Name.activationZeroPoint(layer + 1),
                        Name.bias(layer),
                    ], Name.activation(layer + 1)))
        }
        nodes.append(
            node(
                "dequantise", "DequantizeLinear",
                [
                    Name.activation(layers), Name.activationScale(layers),
                    Name.activationZeroPoint(layers),
                ], "scores"))
        nodes.append(node("flatten", "Flatten", ["scores"], Name.output))
        return nodes
    }

    /// The graph's input or output: float32 [N, `width`].
    static func port(_ name: String, width: Int) -> OnnxFile.Port {
        OnnxFile.Port(
            name: name, type: .float32, dimensions: [.named("N"), .fixed(Int64(width))])
    }

    private static func node(
        _ name: String, _ operation: String, _ inputs: [String], _ output: String
    ) -> OnnxFile.Node {
        OnnxFile.Node(name: name, operation: operation, inputs: inputs, outputs: [output])
    }

    /// What the graph's values are called. Layers count from 0; activation 0 is the quantised
    /// input, activation l + 1 the output of layer l.
    enum Name {
        static let input = "input"
        static let output = "output"
        static let offset = "offset"
        static let scale = "scale"
        static let shape = "columns.shape"

        static func layer(_ layer: Int) -> String { "layer\(layer)" }
        static func weights(_ layer: Int) -> String { "layer\(layer).weights" }
        static func weightScales(_ layer: Int) -> String { "layer\(layer).weight_scales" }
        static func weightZeroPoints(_ layer: Int) -> String { "layer\(layer).weight_zero_points" }
        static func bias(_ layer: Int) -> String { "layer\(layer).bias" }
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
    }
}

/// What to do about a model file that is refused.
enum Remedy {
    static let otherModel = "use a model.onnx that Tributary wrote"
}
