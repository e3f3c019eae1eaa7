import DataSets
import Federation
import Foundation
import Simulation
import Testing

@Suite("Examples of IDX files in memory")
struct ByteExamplesTests {
    @Test("are the same as read one number at a time, without the rows that have no class")
    func bytes() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "idx-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let rows = 700
        let labels = (0..<rows).map { UInt8($0 % 5) }
        try IDX.write(
            file: directory.appending(path: "images").path, dimensions: [rows, 3],
            bytes: (0..<rows * 3).map { UInt8(truncatingIfNeeded: $0 * 7) })
        try IDX.write(
            file: directory.appending(path: "labels").path, dimensions: [rows], bytes: labels)
        let plan = DataPlan(
            format: .idx(features: "images", labels: "labels"), features: 3, classes: 4,
            offset: [0], scale: [1])
        var source = try DataSet.open(directory: directory.path, plan: plan)
        #expect(source.count == 560)
        var (quick, slow) = (ResidentExamples(features: 3), ResidentExamples(features: 3))
        for _ in 0..<2 {
            try quick.append(source)
            try slow.append(&source)
        }
        #expect(quick.sourceStarts == [0, 560])
        #expect(quick.labels == slow.labels)
        let wanted = Array(0..<1120)
        func values(_ examples: ResidentExamples) throws -> [Float] {
            var values = [Float](repeating: -1, count: wanted.count * 3)
            var labels = [Int32](repeating: -1, count: wanted.count)
            try examples.subset(wanted[...]).read(
                rows: wanted[...], features: &values, labels: &labels)
            return values
        }
        #expect(try values(quick) == (try values(slow)))
        var narrow = ResidentExamples(features: 2)
        #expect(throws: Fault.self) { try narrow.append(source) }
    }
}
