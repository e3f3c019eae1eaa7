import Federation
import Testing

@Suite("A plan with targets")
struct PlanTargetsTests {
    private let written = untaughtPlan("regression")
        .replacing("format = \"idx\"", with: "format = \"csv\"")
        .replacing("features_file = \"x.idx\"", with: "file = \"rows.csv\"")
        .replacing(
            "labels_file = \"y.idx\"", with: "target_columns = [\"power\", \"wear\", \"heat\"]"
        )
        .replacing("classes = 3", with: "target_offset = [1, 2, -3]\ntarget_scale = 0.5")

    @Test("names their columns and units, and has no classes and no teacher")
    func parsed() throws {
        let plan = try parse(written)
        #expect(plan.training.objective == .regression)
        #expect(
            plan.data.targets
                == TargetPlan(
                    columns: ["power", "wear", "heat"], offset: [1, 2, -3], scale: [0.5, 0.5, 0.5]))
        #expect(plan.data.classes == 0)
        #expect(plan.data.format == .table(TableFormat(files: "rows.csv", label: nil, missing: [])))
        #expect(plan.teacher == .none)
        #expect(plan.outputs == 3 && plan.widths == [4, 8, 3])
        let plain = try parse(
            written.replacing("target_offset = [1, 2, -3]\ntarget_scale = 0.5", with: ""))
        #expect(plain.data.targets?.offset == [0, 0, 0])
        #expect(plain.data.targets?.scale == [1, 1, 1])
    }

    @Test(
        "is refused where it contradicts itself",
        arguments: [
            ("units = 3", "units = 4", "units in [[model.layers]] is 4 in the last layer"),
            ("units = 3", "units = 4", "write 3, one unit a target"),
            ("features = 4", "features = 4\nclasses = 3", "classes in [data] does not belong to"),
            (
                "features = 4", "features = 4\nlabel_column = \"l\"",
                "label_column in [data] does not"
            ),
            (
                "features = 4", "features = 4\nclass_names = [\"l\"]",
                "class_names in [data] does not"
            ),
            ("\"wear\"", "\"power\"", "target_columns in [data] names a column twice"),
            ("\"wear\"", "\"\"", "target_columns in [data] is \"\""),
            ("[1, 2, -3]", "[1, 2]", "target_offset in [data] has 2 items"),
            ("target_scale = 0.5", "target_scale = 0", "target_scale in [data] is 0"),
            ("target_scale = 0.5", "target_scale = [1, -1, 1]", "target_scale in [data] is -1"),
            ("target_columns = ", "class_names = ", "class_names in [data] does not belong"),
            ("[\"power\", \"wear\", \"heat\"]", "[]", "target_columns in [data] has 0 items"),
            ("format = \"csv\"", "format = \"idx\"", "format in [data] is \"idx\" with objective"),
            ("\"regression\"", "\"classification\"", "target_columns in [data] does not belong"),
            ("\"regression\"", "\"regression\"\nbalances_classes = true", "balances_classes in"),
            (
                "features = 4",
                "features = 4\nwindow = { length = 2, stride = 1, label = \"last\" }",
                "label in [data.window] does not belong to a table without"
            ),
            ("[round]", "[teacher]\nhidden = [3]\n[round]", "[teacher] does not belong to"),
            ("[distillation]", "[distillation]\nalpha = 0.5", "alpha in [distillation] does not"),
        ])
    func refused(original: String, replacement: String, words: String) throws {
        let text = written.replacing(original, with: replacement, maxReplacements: 1)
        let message = try #require(refusal(of: text))
        #expect(message.contains(words), "\(message)")
    }
}
