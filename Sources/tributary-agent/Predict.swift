import AgentService
import ArgumentParser
import Console
import Federation

struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Predicts the class or the targets of each row of a file, or how unusual it is.",
        discussion: """
            Targets are printed in the units of the data, separated by commas. A model that \
            reconstructs its input rates each row by the mean squared error of its reconstruction, in \
            normalised units: the larger, the more unusual. With --plan the input \
            is a table of the form that the plan's devices hold, with or without labels: columns are \
            found by name, words become categories, and successive rows become windows, one \
            prediction each. An agent keeps its plans in plans/ of its state directory.

            \(examples(
                "predict --model /var/lib/tributary-agent/models/fashion --input rows.csv",
                "predict --model export/fashion-15 --input images-idx3-ubyte --json"))
            """)

    @Option(
        help: "A directory with model.onnx: an exported model, or models/PLAN of the agent's state."
    )
    var model: String

    @Option(help: "IDX or CSV rows of raw features.")
    var input: String

    @Option(help: "The model's plan, a TOML file, if the input is a table of its form.")
    var plan: String?

    @Flag(
        help: """
            Print one JSON object a row: outputs and, before them, the label of a model of classes, \
            or the anomaly_score of one that reconstructs its input.
            """)
    var json = false

    func run() throws {
        try answer(json: json) { () throws(Fault) in
            var prediction = try Prediction(modelDirectory: model, input: input, plan: plan)
            var lines = ""
            // The rows before one that cannot be read are answered.
            defer { OutputStream.standard.write(lines) }
            try prediction.lines(json: json) { line in
                lines += line + "\n"
                guard lines.utf8.count >= Self.bytesAtOnce else { return }
                OutputStream.standard.write(lines)
                lines = ""
            }
        }
    }

    /// Written at once: a call of the system a row would take longer than predicting it.
    private static let bytesAtOnce = 1 << 16
}
