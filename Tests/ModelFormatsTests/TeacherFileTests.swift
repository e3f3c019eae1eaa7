import Federation
import Learning
import ModelFormats
import Testing

@Suite("A teacher as a safetensors file")
struct TeacherFileTests {
    private let plan: Plan

    /// Two channels of 3 x 3, two classes; the teacher is given layer by layer.
    init() throws {
        let training = TrainingPlan(epochs: 1, batchSize: 1, learningRate: 0.1, momentum: 0)
        plan = Plan(
            id: try #require(PlanID("taught")), title: "", population: "taught",
            data: DataPlan(
                format: .idx(features: "x", labels: "y"), features: 18, classes: 2,
                shape: [2, 3, 3], offset: [0], scale: [1]),
            layers: [LayerPlan(name: "flat", kind: .flatten)] + LayerPlan.dense([2]),
            training: training,
            teacher: TeacherPlan(
                layers: [
                    LayerPlan(name: "mix", kind: .conv(ConvPlan(channels: 3, kernel: [2, 2]))),
                    LayerPlan(
                        name: "each",
                        kind: .conv(ConvPlan(channels: 3, kernel: [2, 1], isDepthwise: true))),
                    LayerPlan(name: "flat", kind: .flatten),
                    LayerPlan(name: "head", kind: .dense(units: 2, relu: false)),
                ], training: training),
            distillation: DistillationPlan(temperature: 1, alpha: 1, training: training),
            round: RoundPlan(
                agents: 1, minimum: 1, overSelection: 1, selectionSeconds: 1, reportSeconds: 1,
                leaseSeconds: 1, maxExamples: 1), clipping: ClippingPlan(norm: 1, kappa: 6),
            privacy: nil, server: ServerPlan(learningRate: 1, momentum: 0),
            sealing: SealingPlan(maxAccuracyDrop: 1))
    }

    /// Small numbers, no two alike.
    private func tensor(_ shape: [Int], from first: Float) -> Safetensors.Tensor {
        let count = shape.reduce(1, *)
        return Safetensors.Tensor(shape: shape, values: (0..<count).map { first + Float($0) / 8 })
    }

    private var tensors: [String: Safetensors.Tensor] {
        [
            "mix.weight": tensor([3, 2, 2, 2], from: -1), "mix.bias": tensor([3], from: 0.5),
            "each.weight": tensor([3, 1, 2, 1], from: -0.25), "each.bias": tensor([3], from: 1),
            "head.weight": tensor([2, 6], from: -0.5), "head.bias": tensor([2], from: 0),
        ]
    }

    private func decode(
        _ tensors: [String: Safetensors.Tensor], _ plan: Plan? = nil
    ) throws -> Teacher {
        try TeacherFile.decode(
            try Safetensors(tensors: tensors).encoded(), plan: plan ?? self.plan)
    }

    @Test("follows the plan's layers by their names, in ONNX's order")
    func graph() throws {
        var teacher = try decode(tensors)
        let raw = (0..<18).map { Float($0 % 5) - 1 }
        // The same by hand: windows of 2 x 2 over both channels, then of 2 x 1 in each channel.
        func weight(_ name: String, _ index: Int) -> Float { tensors[name]?.values[index] ?? 0 }
        var mixed = [Float](repeating: 0, count: 12)
        for out in 0..<3 {
            for place in 0..<4 {
                var sum = weight("mix.bias", out)
                for (channel, tap) in (0..<8).map({ ($0 / 4, $0 % 4) }) {
                    let (y, x) = (place / 2 + tap / 2, place % 2 + tap % 2)
                    sum +=
                        weight("mix.weight", out * 8 + channel * 4 + tap)
                        * raw[channel * 9 + y * 3 + x]
                }
                mixed[out * 4 + place] = max(sum, 0)
            }
        }
        var hidden = [Float](repeating: 0, count: 6)
        for (channel, x) in (0..<6).map({ ($0 / 2, $0 % 2) }) {
            let upper = weight("each.weight", 2 * channel) * mixed[channel * 4 + x]
            let lower = weight("each.weight", 2 * channel + 1) * mixed[channel * 4 + 2 + x]
            hidden[channel * 2 + x] = max(upper + lower + weight("each.bias", channel), 0)
        }
        let expected = (0..<2).map { out in
            (0..<6).reduce(weight("head.bias", out)) {
                $0 + weight("head.weight", out * 6 + $1) * hidden[$1]
            }
        }
        #expect(expected.contains { abs($0) > 1 })
        let logits = teacher.logits(raw: raw, rows: 1)
        for (one, other) in zip(logits, expected) { #expect(abs(one - other) < 1e-4) }
    }

    @Test("comes back as it was written")
    func roundTrip() throws {
        let teacher = try decode(tensors)
        let again = try TeacherFile.decode(try TeacherFile.encode(teacher), plan: plan)
        #expect(again.parameters == teacher.parameters)
        #expect(again.shape == teacher.shape)
    }

    @Test("of a plan with hidden units alone has the widths of the file")
    func denseWidths() throws {
        var dense = plan
        dense.teacher = TeacherPlan(hidden: [7], classes: 2, training: plan.training)
        let file = [
            "layer0.weight": tensor([4, 18], from: 0), "layer0.bias": tensor([4], from: 0),
            "layer1.weight": tensor([5, 4], from: 0), "layer1.bias": tensor([5], from: 0),
            "layer2.weight": tensor([2, 5], from: 0), "layer2.bias": tensor([2], from: 0),
        ]
        #expect(try decode(file, dense).shape.widths == [18, 18, 4, 5, 2])
    }

    @Test("that does not fit is refused, naming the tensor and both shapes")
    func refusals() throws {
        var strange = tensors
        strange["mix.weight"] = tensor([3, 2, 2, 3], from: 0)
        var short = tensors
        short["each.bias"] = nil
        var extra = tensors
        extra["flat.weight"] = tensor([1], from: 0)
        var broken = tensors
        broken["head.bias"]?.values[1] = .infinity
        var flat = tensors
        flat["each.weight"] = tensor([3, 2], from: 0)
        let cases = [
            (strange, "mix.weight has the shape [3, 2, 2, 3], and the teacher needs [3, 2, 2, 2]"),
            (short, "each.bias is missing, where the teacher needs [3]"),
            (extra, "it holds flat.weight, which is no tensor of the teacher"),
            (broken, "head.bias holds a value that is not finite"),
            (flat, "each.weight has the shape [3, 2], and the teacher needs [3, 1, 2, 1]"),
        ]
        for (tensors, message) in cases {
            let fault = #expect(throws: Fault.self) { try decode(tensors) }
            #expect(fault?.code == .invalid)
            #expect(fault?.message == message)
        }
        var other = plan
        other.data.classes = 3
        let fault = #expect(throws: Fault.self) { try decode(tensors, other) }
        #expect(fault?.message == "the teacher has 2 outputs, the plan 3 classes")
    }
}
