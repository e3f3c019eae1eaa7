package import Federation

/// How raw features become the network's input: (raw - offset) / scale in float32.
package struct Normalisation: Sendable, Equatable {
    /// One entry for all features, or one a feature.
    package let offset: [Float]
    /// As many as `offset`; none is zero.
    package let scale: [Float]

    package init(offset: [Float], scale: [Float]) {
        self.offset = offset
        self.scale = scale
    }

    /// The normalisation that a plan's `[data]` section gives.
    package init(plan: DataPlan) {
        self.init(offset: plan.offset, scale: plan.scale)
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
}
