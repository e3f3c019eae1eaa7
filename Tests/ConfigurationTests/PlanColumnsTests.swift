import Federation
import Testing

@Suite("Columns of a table, in a plan")
struct PlanColumnsTests {
    /// A number, a word of three and a number, in windows of none.
    private let written = table(validPlan)

    private static func table(_ plan: String) -> String {
        plan.replacing(#"format = "idx""#, with: #"format = "csv""#)
            .replacing(#"features_file = "x.idx""#, with: #"file = "rows.csv""#)
            .replacing(
                #"labels_file = "y.idx""#,
                with: """
                    label_column = "kind"
                    feature_columns = ["heat", { name = "soil", categories = ["clay", "sand", ""] }]
                    """)
    }

    /// The plan above as one that reconstructs and has no labels.
    private var unlabelled: String {
        Self.table(untaughtPlan("reconstruction"))
            .replacing("label_column = \"kind\"\n", with: "")
            .replacing("classes = 3\n", with: "")
            .replacing("units = 3", with: "units = 4")
    }

    @Test("may hold words, one feature a category")
    func categories() throws {
        let plan = try parse(written)
        #expect(
            plan.data.format
                == .table(
                    TableFormat(
                        files: "rows.csv", label: "kind",
                        columns: [
                            .init(name: "heat"),
                            .init(name: "soil", kind: .category(["clay", "sand", ""])),
                        ], missing: [])))
        #expect(plan.data.hasLabels)
    }

    @Test("need no label where the student reconstructs; all examples then are of class 0")
    func withoutLabels() throws {
        let plan = try parse(unlabelled)
        guard case .table(let table) = plan.data.format else {
            Issue.record("no table")
            return
        }
        #expect(table.label == nil && !plan.data.hasLabels)
        #expect(plan.data.classes == 1)
    }

    @Test(
        "that cannot be are refused",
        arguments: [
            (
                "[\"clay\", \"sand\", \"\"]", "[]",
                "categories in [data.feature_columns] has 0 items"
            ),
            ("\"sand\"", "\"clay\"", "categories in [data.feature_columns] has a text twice"),
            ("\"sand\"", "1", "categories in [data.feature_columns] is a whole number"),
            ("name = \"soil\", ", "", "[data.feature_columns] has no name"),
            (", categories = [\"clay\", \"sand\", \"\"]", "", "has no categories"),
            ("categories", "category", "unknown key 'category' in [data.feature_columns]"),
            ("\"heat\"", "\"soil\"", "feature_columns in [data] names a column twice"),
            ("\"heat\"", "7", "feature_columns in [data] is a whole number"),
            (
                "\"heat\"", "\"heat\", \"cold\"",
                "features in [data] is 4, and the columns make 5; write 5, or name other columns"
            ),
            (
                "label_column", "window = { length = 2, stride = 1 }\nlabel_column",
                "features in [data] is 4, and the columns make 4 of 2 rows each; write 8"
            ),
            ("label_column = \"kind\"\n", "", "[data] has no label_column"),
        ])
    func refused(original: String, replacement: String, words: String) throws {
        let message = try #require(
            refusal(of: written.replacing(original, with: replacement, maxReplacements: 1)))
        #expect(message.hasPrefix("tiny.toml:"))
        #expect(message.contains(words), "\(message)")
    }

    @Test(
        "without labels have nothing that only labels have",
        arguments: [
            ("features = 4", "features = 4\nclasses = 3", "classes in [data] does not belong"),
            ("features = 4", "features = 4\nclass_names = [\"a\"]", "class_names in [data] does"),
            (
                "features = 4",
                "features = 8\nwindow = { length = 2, stride = 1, label = \"last\" }",
                "label in [data.window] does not belong to a table without label_column"
            ),
        ])
    func unlabelledRefused(original: String, replacement: String, words: String) throws {
        let message = try #require(
            refusal(of: unlabelled.replacing(original, with: replacement, maxReplacements: 1)))
        #expect(message.contains(words), "\(message)")
    }
}
