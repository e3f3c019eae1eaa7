import DataSets
import Federation

/// A data set that asks before each batch whether it may still be read: going through all of it takes a slow device minutes.
struct WatchedExamples: ExampleSource {
    var examples: DataSet
    /// What it throws ends the reading.
    let beforeBatch: () throws(Fault) -> Void

    var count: Int { examples.count }
    var features: Int { examples.features }
    var targets: Int { examples.targets }
    var hasLabels: Bool { examples.hasLabels }
    var holdsBytes: Bool { examples.holdsBytes }

    mutating func read(
        rows: ArraySlice<Int>, features: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        try beforeBatch()
        try examples.read(rows: rows, features: &features, labels: &labels)
    }

    mutating func read(
        rows: ArraySlice<Int>, bytes: inout [UInt8], labels: inout [Int32]
    ) throws(Fault) {
        try beforeBatch()
        try examples.read(rows: rows, bytes: &bytes, labels: &labels)
    }

    mutating func read(
        rows: ArraySlice<Int>, features: inout [Float], targets: inout [Float]
    ) throws(Fault) {
        try beforeBatch()
        try examples.read(rows: rows, features: &features, targets: &targets)
    }
}
