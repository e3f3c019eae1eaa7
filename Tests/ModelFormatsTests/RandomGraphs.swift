import Federation
import Foundation
import Learning

/// Students of random layers with random parts, of every type of layer and many shapes.
struct RandomGraphs {
    private(set) var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// Raw features [rows x inputs], some of them beyond what the input's scale can hold.
    mutating func features(rows: Int, of model: QuantizedModel) -> [Float] {
        (0..<rows * model.shape.inputs).map { _ in Float.random(in: -300...500, using: &random) }
    }

    mutating func next() throws -> QuantizedModel {
        var model = try randomModel(
            shape: shape(), seed: random.next(), perFeature: Bool.random(using: &random))
        if number(in: 0...3) == 0 {
            model.normalisation = Normalisation(
                offset: model.normalisation.offset, scale: model.normalisation.scale,
                targets: targets(model.shape.classes))
        }
        // Over two decades, so that layers saturate and layers that use a few steps both occur.
        for index in model.activationScales.indices {
            model.activationScales[index] = Float(exp(Double.random(in: -7...(-1), using: &random)))
        }
        return model
    }

    /// Some in units much smaller or larger than the outputs'.
    private mutating func targets(_ outputs: Int) -> TargetScale {
        TargetScale(
            offset: (0..<outputs).map { _ in Float.random(in: -1000...1000, using: &random) },
            scale: (0..<outputs).map { _ in
                Float(exp(Double.random(in: -9...9, using: &random)))
            })
    }

    private mutating func shape() throws -> StudentShape {
        let isSeries = number(in: 0...3) == 0
        let input =
            isSeries
            ? TensorShape(number(in: 1...9), 1, number(in: 4...40))
            : TensorShape(number(in: 1...9), number(in: 1...12), number(in: 1...12))
        var layers: [LayerPlan] = []
        var output = input
        for _ in 0..<number(in: 1...7) {
            let layer = LayerPlan(name: "l\(layers.count)", kind: kind(on: output, after: layers))
            // What does not fit is left out.
            guard let fitting = shape(of: layers + [layer], on: input) else { continue }
            layers.append(layer)
            output = fitting
        }
        layers.append(LayerPlan(name: "flat", kind: .flatten))
        if Bool.random(using: &random) {
            let units = number(in: 1...30)
            layers.append(LayerPlan(name: "hidden", kind: .dense(units: units, relu: true)))
        }
        let outputs = number(in: 1...12)
        layers.append(LayerPlan(name: "output", kind: .dense(units: outputs, relu: false)))
        return try StudentShape(input: input, layers: layers)
    }

    /// The output of `layers`, which more may follow; nil when they do not fit.
    private func shape(of layers: [LayerPlan], on input: TensorShape) -> TensorShape? {
        let closed = layers + [LayerPlan(name: "closing", kind: .flatten)]
        return (try? LayerShapes(input: input, layers: closed))?.input(of: layers.count)
    }

    private mutating func kind(
        on input: TensorShape, after layers: [LayerPlan]
    ) -> LayerKind {
        let relu = Bool.random(using: &random)
        switch number(in: 0...9) {
        case 0...2: return convolution(channels: number(in: 1...20), relu: relu)
        case 3...5: return convolution(channels: input.channels, isDepthwise: true, relu: relu)
        case 6: return .maxPool(size: pair(1...3), stride: pair(1...3))
        case 7: return .averagePool(size: pair(1...4), stride: pair(1...3))
        case 8: return .dropout(rate: 0.5)
        default:
            return .add(from: layers.randomElement(using: &random)?.name ?? "", relu: relu)
        }
    }

    private mutating func convolution(
        channels: Int, isDepthwise: Bool = false, relu: Bool
    ) -> LayerKind {
        let kernel = pair(1...5)
        return .conv(
            ConvPlan(
                channels: channels, kernel: kernel, stride: pair(1...3),
                padding: kernel.map { number(in: 0...$0 - 1) }, isDepthwise: isDepthwise, relu: relu
            ))
    }

    private mutating func pair(_ range: ClosedRange<Int>) -> [Int] {
        [number(in: range), number(in: range)]
    }

    private mutating func number(in range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &random)
    }
}
