import Configuration
import Federation
import Testing

/// The plan of PlanText.swift for images of 4 x 6 in two channels, with these [[model.layers]].
func imagePlan(_ layers: String) -> String {
    let dense = """
        [[model.layers]]
        units = 8
        activation = "relu"
        [[model.layers]]
        units = 3
        activation = "none"

        """
    return validPlan.replacing("features = 4", with: "features = 48\nshape = [2, 4, 6]")
        .replacing("offset = [1, 2.5, 3, 4]", with: "offset = 1").replacing(dense, with: layers)
}

@Suite struct PlanLayersTests {
    @Test("every type of layer arrives with its keys")
    func everyType() throws {
        let plan = try parse(
            imagePlan(
                """
                [[model.layers]]
                type = "conv"
                name = "stem"
                channels = 4
                kernel = 3
                padding = 1
                frozen = true
                [[model.layers]]
                type = "depthwise"
                kernel = [1, 3]
                stride = [1, 1]
                padding = [0, 1]
                activation = "none"
                [[model.layers]]
                type = "add"
                name = "residual"
                from = "stem"
                [[model.layers]]
                type = "max_pool"
                size = [2, 3]
                stride = 1
                [[model.layers]]
                type = "average_pool"
                size = [3, 2]
                [[model.layers]]
                type = "flatten"
                [[model.layers]]
                type = "dropout"
                rate = 0.25
                [[model.layers]]
                units = 3

                """))
        #expect(plan.data.shape == [2, 4, 6])
        let stem = ConvPlan(channels: 4, kernel: [3, 3], padding: [1, 1])
        let second = ConvPlan(
            channels: 4, kernel: [1, 3], padding: [0, 1], isDepthwise: true, relu: false)
        #expect(
            plan.layers == [
                LayerPlan(name: "stem", kind: .conv(stem), isFrozen: true),
                LayerPlan(name: "layer1", kind: .conv(second)),
                LayerPlan(name: "residual", kind: .add(from: "stem", relu: true)),
                LayerPlan(name: "layer3", kind: .maxPool(size: [2, 3], stride: [1, 1])),
                LayerPlan(name: "layer4", kind: .averagePool(size: [3, 2], stride: [3, 2])),
                LayerPlan(name: "layer5", kind: .flatten),
                LayerPlan(name: "layer6", kind: .dropout(rate: 0.25)),
                LayerPlan(name: "layer7", kind: .dense(units: 3, relu: false)),
            ])
        // conv, depthwise and dense; scales of the input and of each that has its own.
        #expect(plan.parameterCount == (2 * 9 + 1) * 4 + (3 + 1) * 4 + (8 + 1) * 3 + 6)
    }

    @Test("the last layer with an activation has none, whatever follows it")
    func lastActivation() throws {
        let plan = try parse(
            imagePlan(
                """
                [[model.layers]]
                type = "conv"
                channels = 5
                kernel = 1
                [[model.layers]]
                type = "conv"
                channels = 3
                kernel = 1
                [[model.layers]]
                type = "average_pool"
                size = [4, 6]

                """))
        #expect(plan.layers.map(\.kind.hasReLU) == [true, false, false])
    }

    @Test(
        "a key that does not fit its layer is refused",
        arguments: [
            (#"type = "lstm""#, "type in [[model.layers]] is \"lstm\""),
            ("type = \"flatten\"\nunits = 3", "units in [[model.layers]] does not belong to type"),
            ("channels = 3", "channels in [[model.layers]] does not belong to type \"dense\""),
            ("type = \"conv\"\nchannels = 3", "[[model.layers]] has no kernel"),
            ("type = \"conv\"\nkernel = 3", "[[model.layers]] has no channels"),
            (
                "type = \"conv\"\nchannels = 3\nkernel = [3]",
                "kernel in [[model.layers]] has 1 items"
            ),
            ("type = \"conv\"\nchannels = 3\nkernel = [3, 0]", "kernel in [[model.layers]] is 0"),
            (
                "type = \"conv\"\nchannels = 3\nkernel = 3\nrate = 0",
                "rate in [[model.layers]] does"
            ),
            ("type = \"max_pool\"\nsize = 2\npadding = 1", "padding in [[model.layers]] does not"),
            ("type = \"average_pool\"", "[[model.layers]] has no size"),
            ("type = \"add\"", "[[model.layers]] has no from"),
            ("type = \"dropout\"\nrate = 1", "rate in [[model.layers]] is 1"),
            ("units = 3\nname = \"Layer\"", "name in [[model.layers]] is \"Layer\""),
            ("units = 3\nfrozen = 1", "frozen in [[model.layers]] is a whole number"),
        ])
    func unfitKeys(layer: String, problem: String) throws {
        let message = try #require(refusal(of: imagePlan("[[model.layers]]\n\(layer)\n")))
        #expect(message.contains(": \(problem)"), "\(message)")
        #expect(message.hasPrefix("tiny.toml:1"), "\(message)")
    }

    @Test(
        "layers that do not fit each other are refused with line, layer and both shapes",
        arguments: [
            ("[[model.layers]]\nunits = 3\n", "14:1", "'layer0' is dense", "[2, 4, 6]"),
            (
                "[[model.layers]]\ntype = \"conv\"\nname = \"wide\"\nchannels = 3\nkernel = 5\n",
                "14:1", "'wide' has windows of [5, 5]", "[2, 4, 6]"
            ),
            (
                "[[model.layers]]\ntype = \"max_pool\"\nsize = 4\n"
                    + "[[model.layers]]\ntype = \"max_pool\"\nsize = 2\n",
                "17:1", "'layer1' has windows of [2, 2]", "[2, 1, 1]"
            ),
            (
                "[[model.layers]]\ntype = \"conv\"\nname = \"a\"\nchannels = 2\nkernel = 3\n"
                    + "[[model.layers]]\ntype = \"conv\"\nchannels = 2\nkernel = 1\nstride = 2\n"
                    + "[[model.layers]]\ntype = \"add\"\nfrom = \"a\"\n",
                "24:1", "'layer2' adds 'a' of [2, 2, 4]", "[2, 1, 2]"
            ),
            (
                "[[model.layers]]\ntype = \"add\"\nfrom = \"b\"\n", "14:1",
                "'layer0' adds 'b'", "no earlier layer"
            ),
            (
                "[[model.layers]]\ntype = \"depthwise\"\nchannels = 3\nkernel = 1\n", "14:1",
                "'layer0' is depthwise with 3", "[2, 4, 6]"
            ),
            (
                "[[model.layers]]\ntype = \"flatten\"\n[[model.layers]]\nunits = 5\n"
                    + "name = \"layer0\"\n[[model.layers]]\nunits = 3\n",
                "16:1", "two layers are named 'layer0'", "name of its own"
            ),
            (
                "[[model.layers]]\ntype = \"conv\"\nchannels = 3\nkernel = 1\n", "14:1",
                "'layer0' gives [3, 4, 6]", "[3, 1, 1]"
            ),
            (
                "[[model.layers]]\ntype = \"dropout\"\nrate = 0.5\n"
                    + "[[model.layers]]\ntype = \"max_pool\"\nsize = [4, 6]\n",
                "17:1", "'layer1' gives [2, 1, 1]", "[3, 1, 1]"
            ),
        ])
    func unfitShapes(layers: String, position: String, layer: String, shape: String) throws {
        let message = try #require(refusal(of: imagePlan(layers)))
        #expect(message.hasPrefix("tiny.toml:\(position): "), "\(message)")
        #expect(message.contains(layer) && message.contains(shape), "\(message)")
    }

    @Test("a student that ends in dropout is refused")
    func lastDropout() throws {
        let layers = "[[model.layers]]\ntype = \"flatten\"\n[[model.layers]]\nunits = 3\n"
        let dropout = "[[model.layers]]\ntype = \"dropout\"\nrate = 0.5\n"
        #expect(refusal(of: imagePlan(dropout + layers)) == nil)
        let message = try #require(refusal(of: imagePlan(layers + dropout)))
        #expect(message.hasPrefix("tiny.toml:18:1: the last layer is dropout"), "\(message)")
    }

    @Test("a student without weights has nothing to learn")
    func withoutWeights() throws {
        let text = imagePlan("[[model.layers]]\ntype = \"max_pool\"\nsize = [4, 6]\n")
            .replacing("classes = 3", with: "classes = 2")
        let message = try #require(refusal(of: text))
        #expect(message.contains("'layer0' ends a student without weights"))
    }

    @Test(
        "a shape that is not the features' is refused",
        arguments: [
            ("[2, 4, 5]", "10:9: shape in [data] is [2, 4, 5], 40 features"),
            ("[48]", "10:9: shape in [data] has 1 items"),
            ("[0, 4, 6]", "10:10: shape in [data] is 0"),
            ("48", "10:9: shape in [data] is a whole number"),
        ])
    func unfitData(shape: String, problem: String) throws {
        let text = imagePlan("[[model.layers]]\ntype = \"flatten\"\n[[model.layers]]\nunits = 3\n")
        #expect(refusal(of: text) == nil)
        let message = try #require(refusal(of: text.replacing("[2, 4, 6]", with: shape)))
        #expect(
            message
                == "tiny.toml:\(problem); write [channels, height, width], whose product is 48")
    }

    @Test(
        "training options that contradict each other are refused",
        arguments: [
            ("betas = [0.9, 0.9]", "betas in [training] does not belong to optimizer \"sgd\""),
            ("optimizer = \"adamw\"\nmomentum = 0.5", "momentum in [training] does not belong to"),
            ("optimizer = \"adamw\"\nnesterov = true", "nesterov in [training] does not belong to"),
            ("optimizer = \"adamw\"\nbetas = [0.9]", "betas in [training] has 1 items"),
            ("optimizer = \"adamw\"\nbetas = [0.9, 1]", "betas in [training] is 1"),
            ("momentum = 0\nnesterov = true", "nesterov in [training] is true without momentum"),
            ("gradient_clip = 0", "gradient_clip in [training] is 0"),
            ("weight_decay = -1", "weight_decay in [training] is -1"),
            ("proximal_mu = 101", "proximal_mu in [training] is 101"),
            ("patience = -1", "patience in [training] is -1"),
            ("schedule = \"linear\"", "schedule in [training] is \"linear\""),
            ("objective = \"ranking\"", "objective in [training] is \"ranking\""),
            (
                "objective = \"reconstruction\"\nbalances_classes = true",
                "balances_classes in [training] does not belong to objective \"reconstruction\""
            ),
            ("objective = \"reconstruction\"", "units in [[model.layers]] is 3 in the last layer"),
        ])
    func training(written: String, problem: String) throws {
        let text = validPlan.replacing("momentum = 0.5", with: written, maxReplacements: 1)
        let message = try #require(refusal(of: text))
        #expect(message.contains(": \(problem)"), "\(message)")
    }
}
