import DataSets
import Federation
import Foundation
import Testing

/// Opens tables in a directory of their own and reads all of their examples.
struct TableSample {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func open(
        _ format: TableFormat, features: Int, classes: Int = 3, offset: [Float] = [0],
        part: DataPart = .all
    ) throws -> DataSet {
        // The plan's own format plays no part.
        let plan = DataPlan(
            format: .csv(file: "unused", label: "unused"), features: features, classes: classes,
            offset: offset, scale: [1])
        return try DataSet.open(directory: directory.path, table: format, plan: plan, part: part)
    }

    func append(_ text: String, _ name: String) throws {
        let file = try #require(fopen("\(directory.path)/\(name)", "a"))
        defer { fclose(file) }
        try #require(fputs(text, file) >= 0)
    }
}

/// All examples: one array of features each, and the labels.
func contents(_ data: DataSet) throws -> (features: [[Float]], labels: [Int32]) {
    var features = [Float](repeating: .nan, count: data.count * data.features)
    var labels = [Int32](repeating: -1, count: data.count)
    try data.read(rows: Array(0..<data.count)[...], features: &features, labels: &labels)
    let rows = (0..<data.count).map {
        Array(features[$0 * data.features..<($0 + 1) * data.features])
    }
    return (rows, labels)
}
