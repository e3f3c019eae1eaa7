import Federation
import Learning

/// A dense student of these widths with seeded random parts.
func randomModel(
    widths: [Int], relu: [Bool], seed: UInt64, perFeature: Bool = false
) throws -> QuantizedModel {
    try randomModel(
        shape: StudentShape(widths: widths, relu: relu), seed: seed, perFeature: perFeature)
}

/// A student of this shape with seeded random parts.
func randomModel(
    shape: StudentShape, seed: UInt64, perFeature: Bool = false
) throws -> QuantizedModel {
    var random = SeededRandom(seed: seed)
    let normalised = perFeature ? shape.inputs : 1
    return try QuantizedModel(
        shape: shape,
        normalisation: Normalisation(
            offset: (0..<normalised).map { _ in Float.random(in: -10...130, using: &random) },
            scale: (0..<normalised).map { _ in Float.random(in: 20...260, using: &random) }),
        activationScales: (0..<shape.scaleCount).map { _ in
            Float.random(in: 0.01...0.04, using: &random)
        },
        layers: shape.weightedLayers.map { index in
            let dimensions = shape.weightDimensions(layer: index) ?? []
            let (outputs, fanIn) = (dimensions[0], dimensions[1...].reduce(1, *))
            return QuantizedLayer(
                weights: (0..<outputs * fanIn).map { _ in
                    Int8.random(in: -127...127, using: &random)
                },
                scales: (0..<outputs).map { _ in
                    Float.random(in: 0.5...1.5, using: &random) * 2 / 127
                        / Float(fanIn).squareRoot()
                },
                bias: (0..<outputs).map { _ in Int32.random(in: -3000...3000, using: &random) })
        })
}

/// Three features, two hidden units, two classes, with every part written out.
func tinyModel() throws -> QuantizedModel {
    try QuantizedModel(
        shape: StudentShape(widths: [3, 2, 2], relu: [true, false]),
        normalisation: Normalisation(offset: [1, 2, 3], scale: [4, 5, 6]),
        activationScales: [0.01, 0.02, 0.03],
        layers: [
            QuantizedLayer(
                weights: [1, -2, 3, -127, 127, 0], scales: [0.5, 0.25], bias: [7, -8]),
            QuantizedLayer(weights: [9, 10, -11, 12], scales: [0.125, 1], bias: [0, 70000]),
        ])
}

/// An identity with a parent.
func someIdentity() throws -> ModelIdentity {
    let plan = PlanID("fashion")
    let parent = Digest(bytes: (0..<32).map { UInt8($0) })
    struct Missing: Error {}
    guard let plan, let parent else { throw Missing() }
    return ModelIdentity(plan: plan, version: 3, round: 12, parent: parent)
}
