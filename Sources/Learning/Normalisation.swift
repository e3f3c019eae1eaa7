package import Federation

/// How raw features become the network's input, (raw - offset) / scale in float32, and what its
/// outputs stand for.
package struct Normalisation: Sendable, Equatable {
    /// One entry for all features, or one a feature.
    package let offset: [Float]
    /// As many as `offset`; none is zero.
    package let scale: [Float]
    /// How the network's outputs become targets in raw units; nil where outputs are no targets.
    package let targets: TargetScale?

    package init(offset: [Float], scale: [Float], targets: TargetScale? = nil) {
        self.offset = offset
        self.scale = scale
        self.targets = targets
    }

    /// The normalisation that a plan's `[data]` section gives.
    package init(plan: DataPlan) {
        self.init(
            offset: plan.offset, scale: plan.scale,
            targets: plan.targets.map { TargetScale(offset: $0.offset, scale: $0.scale) })
    }

    /// - Throws: `Fault.invalid` unless there is one finite entry for all or one a feature, and no
    ///   scale is zero.
    func check(features: Int) throws(Fault) {
        guard offset.count == scale.count, offset.count == 1 || offset.count == features else {
            throw Fault(
                .invalid,
                "normalisation has \(offset.count) offsets and \(scale.count) scales"
                    + " for \(features) features",
                remedy: "give one of each, or one a feature")
        }
        guard offset.allSatisfy(\.isFinite), scale.allSatisfy({ $0.isFinite && $0 != 0 }) else {
            throw Fault(
                .invalid, "a normalisation offset or scale is not finite, or a scale is zero")
        }
    }

    /// - Throws: `Fault.invalid` when there are targets, but not one finite entry an output, or a
    ///   scale is not positive.
    func check(outputs: Int) throws(Fault) {
        guard let targets else { return }
        guard targets.offset.count == outputs, targets.scale.count == outputs else {
            throw Fault(
                .invalid,
                "\(outputs) outputs have \(targets.offset.count) offsets and"
                    + " \(targets.scale.count) scales of targets",
                remedy: "give one of each an output")
        }
        guard targets.offset.allSatisfy(\.isFinite),
            targets.scale.allSatisfy({ $0.isFinite && $0 > 0 })
        else {
            throw Fault(
                .invalid, "a target's offset or scale is not finite, or a scale is not positive")
        }
    }
}

/// How targets in raw units become what a network learns, (raw - offset) / scale in float32, and
/// how its outputs become raw again, output * scale + offset, each step rounded to float32.
package struct TargetScale: Sendable, Equatable {
    /// One an output.
    package let offset: [Float]
    /// As many; all positive.
    package let scale: [Float]

    package init(offset: [Float], scale: [Float]) {
        self.offset = offset
        self.scale = scale
    }

    var outputs: Int { offset.count }

    /// `raw` is element `index` of [rows x outputs].
    func normalised(_ raw: Float, at index: Int) -> Float {
        (raw - offset[index % outputs]) / scale[index % outputs]
    }

    /// The first `rows` of `values` [rows x outputs] become raw.
    func restore(_ values: inout [Float], rows: Int) {
        for row in 0..<rows {
            for output in 0..<outputs {
                let index = row * outputs + output
                values[index] = values[index] * scale[output] + offset[output]
            }
        }
    }
}
