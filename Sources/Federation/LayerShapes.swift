/// The shapes that a plan's layers give their values: what makes a list of layers a network.
package struct LayerShapes: Sendable, Equatable {
    /// The widest sum of products that stays inside int32 whatever the weights: 255 * 127 * 32768 < 2^30.
    package static let largestFanIn = 32_768
    /// Bounds one layer's values; far above any student.
    package static let largestCount = 1 << 24

    /// The network's input.
    package let input: TensorShape
    /// Each layer's output.
    package let outputs: [TensorShape]

    /// - Throws: `Fault.invalid` naming the layer and both shapes when a layer does not fit its input, a name occurs
    ///   twice, the last is dropout, or
    ///   there is no layer.
    package init(input: TensorShape, layers: [LayerPlan]) throws(Fault) {
        guard !layers.isEmpty else {
            throw Fault(.invalid, "a student has no layers", remedy: "give it one")
        }
        let sides = 1...LayerShapes.largestCount
        guard sides ~= input.channels, sides ~= input.height, sides ~= input.width,
            input.area <= LayerShapes.largestCount / input.channels
        else {
            throw Fault(.invalid, "the student's input has the shape \(input)")
        }
        self.input = input
        var shapes = [input]
        var names: Set<String> = []
        var addable: [String: TensorShape] = [:]
        for layer in layers {
            let output = try layer.output(of: shapes[shapes.count - 1], earlier: addable)
            guard output.channels > 0, output.count <= LayerShapes.largestCount else {
                throw layer.fault("gives \(output), too large")
            }
            guard names.insert(layer.name).inserted else {
                throw Fault(
                    .invalid, "two layers are named '\(layer.name)'",
                    remedy: "give each a name of its own")
            }
            shapes.append(output)
            // Dropout is absent from the deployed graph, so nothing may refer to it.
            if case .dropout = layer.kind { continue }
            addable[layer.name] = output
        }
        guard let last = layers.last?.name, addable[last] != nil else {
            throw Fault(.invalid, "the last layer is dropout", remedy: "put it before another")
        }
        outputs = Array(shapes.dropFirst())
        guard shapes[shapes.count - 1].isFlat else {
            throw Fault(
                .invalid, "the last layer, '\(last)', gives \(shapes[shapes.count - 1])",
                remedy: "end with [outputs, 1, 1]: a flatten or a dense layer")
        }
    }

    /// The input of layer `index`.
    package func input(of index: Int) -> TensorShape { index == 0 ? input : outputs[index - 1] }

    /// The network's output.
    package var output: TensorShape { outputs[outputs.count - 1] }
}

extension LayerPlan {
    /// Values whose weighted sum an output value is; 0 for a layer that sums none.
    package func fanIn(_ input: TensorShape) -> Int {
        switch kind {
        case .dense: input.count
        case .conv(let conv):
            conv.kernel[0] * conv.kernel[1] * (conv.isDepthwise ? 1 : input.channels)
        case .averagePool(let size, _): size[0] * size[1]
        case .maxPool, .flatten, .add, .dropout: 0
        }
    }

    /// The shape that this layer gives a value of shape `input`; `earlier` has those that it may add by name.
    fileprivate func output(
        of input: TensorShape, earlier: [String: TensorShape]
    ) throws(Fault) -> TensorShape {
        switch kind {
        case .dense(let units, _):
            guard input.isFlat else {
                throw fault(
                    "is dense and takes [features, 1, 1], but its input is \(input)",
                    remedy: "put a flatten layer before it")
            }
            guard (1...LayerShapes.largestFanIn).contains(units) else {
                throw fault("has \(units) units, not 1 to \(LayerShapes.largestFanIn)")
            }
            try checkFanIn(input)
            return TensorShape(units)
        case .conv(let conv): return try output(of: input, conv: conv)
        case .maxPool(let size, let stride), .averagePool(let size, let stride):
            let output = try windows(
                over: input, channels: input.channels, size: size, stride: stride, padding: [0, 0])
            try checkFanIn(input)
            return output
        case .flatten: return TensorShape(input.count)
        case .add(let from, _):
            guard let other = earlier[from] else {
                throw fault("adds '\(from)', which is no earlier layer")
            }
            guard other == input else {
                throw fault("adds '\(from)' of \(other) to its input of \(input)")
            }
            return input
        case .dropout(let rate):
            guard rate >= 0, rate < 1 else { throw fault("drops \(rate), not 0 to below 1") }
            return input
        }
    }

    private func output(of input: TensorShape, conv: ConvPlan) throws(Fault) -> TensorShape {
        guard (1...LayerShapes.largestFanIn).contains(conv.channels) else {
            throw fault("has \(conv.channels) channels, not 1 to \(LayerShapes.largestFanIn)")
        }
        guard !conv.isDepthwise || conv.channels == input.channels else {
            throw fault(
                "is depthwise with \(conv.channels) channels, which its input of \(input) has not")
        }
        let output = try windows(
            over: input, channels: conv.channels, size: conv.kernel, stride: conv.stride,
            padding: conv.padding)
        try checkFanIn(input)
        return output
    }

    private func windows(
        over input: TensorShape, channels: Int, size: [Int], stride: [Int], padding: [Int]
    ) throws(Fault) -> TensorShape {
        let sides = 1...LayerShapes.largestFanIn
        guard size.count == 2, stride.count == 2, padding.count == 2,
            (size + stride).allSatisfy(sides.contains),
            zip(padding, size).allSatisfy({ (0..<$1).contains($0) })
        else {
            throw fault(
                "has windows of \(size) every \(stride) with padding \(padding); each is [h, w],"
                    + " and padding is less than the window")
        }
        let (height, width) = (input.height + 2 * padding[0], input.width + 2 * padding[1])
        guard height >= size[0], width >= size[1] else {
            throw fault(
                "has windows of [\(size[0]), \(size[1])], which do not fit its input of \(input)"
                    + " with padding \(padding)")
        }
        return TensorShape(
            channels, (height - size[0]) / stride[0] + 1, (width - size[1]) / stride[1] + 1)
    }

    private func checkFanIn(_ input: TensorShape) throws(Fault) {
        guard fanIn(input) <= LayerShapes.largestFanIn else {
            throw fault(
                "sums \(fanIn(input)) products of its input of \(input), more than"
                    + " \(LayerShapes.largestFanIn)")
        }
    }

    fileprivate func fault(_ problem: String, remedy: String = "") -> Fault {
        Fault(.invalid, "layer '\(name)' \(problem)", remedy: remedy)
    }
}
