import AgentService
import ArgumentParser
import Federation

struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Predicts a class for each row of a file.")

    @Option(
        help: "A directory with model.onnx: an exported model, or models/PLAN of the agent's state."
    )
    var model: String

    @Option(help: "IDX or CSV rows of raw features.")
    var input: String

    @Flag(help: "Print one JSON object a row: label and outputs.")
    var json = false

    func run() throws {
        var prediction = try Prediction(modelDirectory: model, input: input)
        try prediction.lines(json: json) { print($0) }
    }
}
