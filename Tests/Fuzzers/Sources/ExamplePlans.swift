import Configuration
import Federation
import Glibc
import Learning

/// Plans, models and files to start from.
enum ExamplePlans {
    /// A plan over four numbers a row and three classes, in a CSV file.
    static let dense = plan(
        features: 4, classes: 3,
        layers: "[[model.layers]]\nunits = 5\n[[model.layers]]\nunits = 3\n",
        teacher: "hidden = [6]\n")

    /// A plan over images of 6 x 6 pixels with a layer of every type.
    static let layered = plan(
        features: 36, classes: 3, shape: "shape = [1, 6, 6]\n",
        layers: """
            [[model.layers]]
            type = "conv"
            channels = 2
            kernel = 3
            padding = 1
            name = "first"
            [[model.layers]]
            type = "depthwise"
            kernel = 3
            padding = 1
            [[model.layers]]
            type = "add"
            from = "first"
            [[model.layers]]
            type = "max_pool"
            size = 2
            [[model.layers]]
            type = "average_pool"
            size = 3
            [[model.layers]]
            type = "flatten"
            [[model.layers]]
            units = 3

            """,
        teacher: """
            [[teacher.layers]]
            type = "conv"
            channels = 3
            kernel = 3
            [[teacher.layers]]
            type = "flatten"
            [[teacher.layers]]
            units = 3

            """)

    /// A student of `plan`'s shape whose parts are all alike.
    static func model(of plan: Plan) throws -> QuantizedModel {
        let shape = try StudentShape(plan: plan)
        return try QuantizedModel(
            shape: shape, normalisation: Normalisation(offset: [1], scale: [2]),
            activationScales: [Float](repeating: 0.125, count: shape.scaleCount),
            layers: shape.weightedLayers.map { layer in
                let dimensions = shape.weightDimensions(layer: layer) ?? []
                return QuantizedLayer(
                    weights: [Int8](repeating: -3, count: dimensions.reduce(1, *)),
                    scales: [Float](repeating: 0.5, count: dimensions[0]),
                    bias: [Int32](repeating: 70_000, count: dimensions[0]))
            })
    }

    private static func plan(
        features: Int, classes: Int, shape: String = "", layers: String, teacher: String
    ) -> Plan {
        let text = """
            [plan]
            name = "fuzzed"
            [data]
            format = "csv"
            file = "rows.csv"
            label_column = "label"
            features = \(features)
            classes = \(classes)
            \(shape)\(layers)
            [training]
            epochs = 1
            learning_rate = 0.125
            [teacher]
            epochs = 1
            learning_rate = 0.125
            \(teacher)
            [distillation]
            epochs = 1
            learning_rate = 0.125
            [round]
            agents = 2
            [clipping]
            norm = 1
            [server]
            [sealing]
            """
        do { return try PlanFile.parse(Array(text.utf8), file: "fuzzed.toml") } catch {
            fatalError("the example plan does not parse: \(error)")
        }
    }
}

/// The bytes of a file of the checkout, by its path there.
func checkoutFile(_ path: String) throws -> [UInt8] {
    let sources = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    guard let file = fopen("/\(sources)/\(path)", "r") else { throw Unreadable(path: path) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(byte)) }
    return bytes
}

private struct Unreadable: Error { let path: String }
