import Federation
import Testing

/// The plan of PlanText.swift for images of 4 x 6 in two channels, with these lines in place of the
/// teacher's `hidden`.
private func teacherPlan(_ layers: String, _ hidden: String = "") -> String {
    imagePlan("[[model.layers]]\ntype = \"flatten\"\n[[model.layers]]\nunits = 3\n")
        .replacing("hidden = [32, 16]\n", with: hidden)
        .replacing("[distillation]\n", with: "\(layers)[distillation]\n")
}

@Suite struct PlanTeacherTests {
    private let flatAndDense =
        "[[teacher.layers]]\ntype = \"flatten\"\n[[teacher.layers]]\nunits = 3\n"

    @Test("a teacher has the layers of a student, or dense ones by their units alone")
    func layers() throws {
        let stem = """
            [[teacher.layers]]
            type = "conv"
            name = "stem"
            channels = 6
            kernel = 3
            batch_norm = true
            [[teacher.layers]]
            type = "dropout"
            rate = 0.5

            """
        let plan = try parse(teacherPlan(stem + flatAndDense))
        #expect(
            plan.teacher.layers == [
                LayerPlan(
                    name: "stem", kind: .conv(ConvPlan(channels: 6, kernel: [3, 3])),
                    hasBatchNorm: true),
                LayerPlan(name: "layer1", kind: .dropout(rate: 0.5)),
                LayerPlan(name: "layer2", kind: .flatten),
                LayerPlan(name: "layer3", kind: .dense(units: 3, relu: false)),
            ])
        #expect(plan.teacher.training.epochs == 3)
        #expect(
            try parse(teacherPlan("", "hidden = [5]\n")).teacher.layers == [
                LayerPlan(name: "flatten", kind: .flatten),
                LayerPlan(name: "layer0", kind: .dense(units: 5, relu: true)),
                LayerPlan(name: "layer1", kind: .dense(units: 3, relu: false)),
            ])
    }

    @Test("a teacher with both, with neither or with layers that do not fit is refused")
    func refusals() throws {
        let both = try #require(refusal(of: teacherPlan(flatAndDense, "hidden = [5]\n")))
        #expect(both.contains(": hidden in [teacher] does not belong to a teacher with [[teacher"))
        let neither = try #require(refusal(of: teacherPlan("")))
        #expect(neither.contains(": [teacher] has neither hidden nor layers; write hidden, an"))
        let cases = [
            ("[[teacher.layers]]\nunits = 3\n", "layer 'layer0' is dense and takes"),
            (
                flatAndDense.replacing("units = 3", with: "units = 4"),
                "units in [[teacher.layers]] is 4 in the last layer"
            ),
            (
                flatAndDense.replacing("units = 3", with: "units = 3\nfrozen = false"),
                "frozen in [[teacher.layers]] does not belong to a teacher"
            ),
            (
                flatAndDense.replacing("units", with: "unit"),
                "unknown key 'unit' in [[teacher.layers]]"
            ),
            (
                "[[teacher.layers]]\ntype = \"flatten\"\n" + flatAndDense
                    + "[[teacher.layers]]\nname = \"layer1\"\nunits = 3\n",
                "two layers are named 'layer1'"
            ),
        ]
        for (layers, words) in cases {
            let message = try #require(refusal(of: teacherPlan(layers)), "\(words)")
            #expect(message.contains(words), "\(message)")
            #expect(message.hasPrefix("tiny.toml:"), "\(message)")
        }
        let wide = try #require(
            refusal(
                of: teacherPlan("", "hidden = [5]\n").replacing(
                    "features = 48", with: "features = 40000"
                )
                .replacing("[2, 4, 6]", with: "[2, 100, 200]")
                .replacing(
                    "[[model.layers]]\ntype = \"flatten\"",
                    with: "[[model.layers]]\ntype = \"max_pool\"\nsize = 50\n"
                        + "[[model.layers]]\ntype = \"flatten\"")))
        #expect(wide.contains("hidden in [teacher] does not fit: layer 'layer0' sums 40000"))
    }

    private func normalised(_ layer: String, warmUp: String = "warm_up_epochs = 2\n") -> String {
        imagePlan(
            layer + "[[model.layers]]\ntype = \"flatten\"\n[[model.layers]]\nunits = 3\n"
        ).replacing("[distillation]\n", with: "[distillation]\n\(warmUp)")
    }

    private let stem = "[[model.layers]]\ntype = \"conv\"\nchannels = 2\nkernel = 3\n"

    @Test("batch normalisation needs a warm-up to be folded after")
    func warmUp() throws {
        let plan = try parse(normalised(stem + "batch_norm = true\n"))
        #expect(plan.layers.map(\.hasBatchNorm) == [true, false, false])
        #expect(plan.distillation.warmUpEpochs == 2)
        #expect(try parse(normalised(stem, warmUp: "")).distillation.warmUpEpochs == 0)
        for warmUp in ["", "warm_up_epochs = 0\n"] {
            let message = try #require(
                refusal(of: normalised(stem + "batch_norm = true\n", warmUp: warmUp)))
            #expect(
                message.contains(
                    "warm_up_epochs in [distillation] is 0 and layer 'layer0' has batch_norm"))
        }
        // A teacher folds its own.
        #expect(refusal(of: teacherPlan(flatAndDense)) == nil)
    }

    @Test(
        "batch normalisation where it has no meaning is refused",
        arguments: [
            (
                "type = \"max_pool\"\nsize = 2\nbatch_norm = true\n",
                "batch_norm in [[model.layers]] does not belong to type \"max_pool\""
            ),
            (
                "type = \"flatten\"\n[[model.layers]]\nunits = 3\nbatch_norm = true\n",
                "batch_norm in [[model.layers]] is true in the last layer"
            ),
            (
                "type = \"conv\"\nchannels = 2\nkernel = 3\nbatch_norm = 1\n",
                "batch_norm in [[model.layers]] is a whole number"
            ),
        ])
    func wrongUses(layers: String, problem: String) throws {
        let isWhole = layers.hasPrefix("type = \"flatten\"")
        let text =
            isWhole
            ? imagePlan("[[model.layers]]\n\(layers)") : normalised("[[model.layers]]\n\(layers)")
        let message = try #require(refusal(of: text))
        #expect(message.contains(": \(problem)"), "\(message)")
    }
}
