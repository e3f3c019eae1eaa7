import Federation
import Simulation
import Testing

@Suite("Examples in memory")
struct ResidentExamplesTests {
    private func rows(
        _ examples: ResidentExamples, _ wanted: [Int]
    ) throws -> (values: [Float], labels: [Int32]) {
        let subset = examples.subset(wanted[...])
        var values = [Float](repeating: -1, count: wanted.count * examples.features)
        var labels = [Int32](repeating: -1, count: wanted.count)
        try subset.read(rows: Array(wanted.indices)[...], features: &values, labels: &labels)
        return (values, labels)
    }

    @Test("read back as they were, bytes and other numbers, across sources")
    func values() throws {
        var bytes = Table(features: 2, values: [0, 255, 7, 9], classes: [1, 0])
        var numbers = Table(features: 2, values: [-1, 0.5, 256, .pi], classes: [2, 3])
        var examples = ResidentExamples(features: 2)
        try examples.append(&bytes)
        #expect(try rows(examples, [1, 0]).values == [7, 9, 0, 255])
        try examples.append(&numbers)
        try examples.append(&bytes)
        let read = try rows(examples, [3, 0, 5, 2])
        #expect(read.values == [256, .pi, 0, 255, 7, 9, -1, 0.5])
        #expect(read.labels == [3, 1, 0, 2])
        #expect(examples.sourceStarts == [0, 2, 4])
        #expect(examples.count == 6)
    }

    @Test("of a large source all arrive")
    func large() throws {
        let table = clusters(1001)
        let read = try rows(try resident(table), Array(0..<1001))
        #expect(read.values == table.values)
        #expect(read.labels == table.classes)
    }

    @Test("of a subset are counted and numbered by the subset")
    func subset() throws {
        let table = clusters(50)
        let subset = try resident(table).subset([4, 40, 13][1...])
        #expect(subset.count == 2)
        var values = [Float](repeating: 0, count: 6)
        var labels: [Int32] = [0]
        try subset.read(rows: [1], features: &values, labels: &labels)
        #expect(values == Array(table.values[13 * 6..<14 * 6]))
        #expect(labels == [table.classes[13]])
    }

    @Test("are read as bytes where all of them are")
    func bytes() throws {
        var examples = ResidentExamples(features: 2)
        var whole = Table(features: 2, values: [0, 255, 7, 9], classes: [1, 0])
        try examples.append(&whole)
        let subset = examples.subset([1, 0, 1])
        #expect(subset.holdsBytes)
        var bytes = [UInt8](repeating: 99, count: 5)
        var labels = [Int32](repeating: -1, count: 2)
        try subset.read(rows: [2, 1], bytes: &bytes, labels: &labels)
        #expect(bytes == [7, 9, 0, 255, 99])
        #expect(labels == [0, 1])
        var broken = Table(features: 2, values: [0.5, 1], classes: [1])
        try examples.append(&broken)
        #expect(!examples.subset([0]).holdsBytes)
    }

    @Test("of another width are refused")
    func width() {
        var examples = ResidentExamples(features: 2)
        let fault = #expect(throws: Fault.self) {
            var table = Table(features: 3, values: [1, 2, 3], classes: [0])
            try examples.append(&table)
        }
        #expect(fault?.code == .invalid)
        #expect(examples.count == 0)
    }
}
