import DataSets
import Federation
import Foundation
import Testing

@Suite("Windows over time")
struct WindowTests {
    private let sample: TableSample

    init() throws { sample = try TableSample() }

    private func format(
        length: Int, stride: Int, label: WindowFormat.Label = .last, group: String? = nil
    ) -> TableFormat {
        TableFormat(
            files: "*.csv", label: "label",
            window: WindowFormat(length: length, stride: stride, label: label, group: group))
    }

    /// Rows (n, -n, label n mod 3).
    private func text(_ range: Range<Int>) -> String {
        range.map { "\($0),\(-$0),\($0 % 3)\n" }.joined()
    }

    @Test("Each column's values lie together in the order of time, windows every so many rows")
    func layout() throws {
        try sample.directory.write("x,y,label\n" + text(0..<8), "a.csv")
        let data = try sample.open(format(length: 3, stride: 2), features: 6)
        let (features, labels) = try contents(data)
        #expect(
            features == [[0, 1, 2, 0, -1, -2], [2, 3, 4, -2, -3, -4], [4, 5, 6, -4, -5, -6]])
        #expect(labels == [2, 1, 0])
        #expect(data.tally.classes == [1, 1, 1])
    }

    @Test("Windows may leave rows out between them, and have one row")
    func wideStride() throws {
        try sample.directory.write("x,y,label\n" + text(0..<8), "a.csv")
        let wide = try sample.open(format(length: 2, stride: 3), features: 4)
        #expect(try contents(wide).features.map { $0[0] } == [0, 3, 6])
        let single = try sample.open(format(length: 1, stride: 1), features: 2)
        #expect(try contents(single).features.map { $0[0] } == [0, 1, 2, 3, 4, 5, 6, 7])
    }

    @Test("The label is the last row's, or the most frequent and of several the lowest")
    func labels() throws {
        let rows = [2, 2, 1, 1, 0, 1, 1, 1].map { "5,6,\($0)\n" }.joined()
        try sample.directory.write("x,y,label\n" + rows, "a.csv")
        let last = try sample.open(format(length: 4, stride: 2), features: 8)
        #expect(try contents(last).labels == [1, 1, 1])
        let most = try sample.open(format(length: 4, stride: 1, label: .majority), features: 8)
        #expect(try contents(most).labels == [1, 1, 1, 1, 1])
        #expect(most.tally.classes == [0, 5, 0])
        let three = try sample.open(format(length: 3, stride: 1, label: .majority), features: 6)
        #expect(try contents(three).labels == [2, 1, 1, 1, 1, 1])
    }

    @Test("No window sees two values of the group, two files, or both sides of a bad row")
    func borders() throws {
        try sample.directory.write(
            """
            g,x,label
            a,1,0
            a,2,0
            a,3,0
            b,4,0
            b,5,0
            a,6,0
            a,7,0
            a,oops,0

            a,8,0
            a,9,0
            a,10,0

            """, "1.csv")
        try sample.directory.write("g,x,label\na,11,0\na,12,0\na,13", "2.csv")
        let data = try sample.open(format(length: 2, stride: 1, group: "g"), features: 2)
        #expect(
            try contents(data).features == [
                [1, 2], [2, 3], [4, 5], [6, 7], [8, 9], [9, 10], [11, 12],
            ])
        #expect(data.unreadable == 1)
        #expect(data.tally.unfinished == 1)
        let long = try sample.open(format(length: 3, stride: 1, group: "g"), features: 3)
        #expect(try contents(long).features == [[1, 2, 3], [8, 9, 10]])
    }

    @Test("Appended rows add windows and change none")
    func growth() throws {
        try sample.directory.write("x,y,label\n" + text(0..<7), "a.csv")
        let before = try contents(sample.open(format(length: 3, stride: 2), features: 6)).features
        #expect(before.count == 3)
        try sample.append(text(7..<20), "a.csv")
        let after = try contents(sample.open(format(length: 3, stride: 2), features: 6)).features
        #expect(after.count == 9)
        #expect(after.starts(with: before))
    }

    @Test("A missing value becomes the offset of its column, or of its own feature")
    func missing() throws {
        try sample.directory.write("x,y,label\n1,NA,0\n?,4,0\n5,6,0\n", "a.csv")
        let format = format(length: 2, stride: 1)
        let perColumn = try sample.open(format, features: 4, offset: [10, 20])
        #expect(try contents(perColumn).features == [[1, 10, 20, 4], [10, 5, 4, 6]])
        #expect(perColumn.tally.missing == 2)
        let perFeature = try sample.open(format, features: 4, offset: [10, 11, 20, 21])
        #expect(try contents(perFeature).features == [[1, 11, 20, 4], [10, 5, 4, 6]])
    }

    @Test("A group's windows are all in one half, wherever its rows are")
    func splitByGroup() throws {
        let format = format(length: 2, stride: 1, group: "g")
        func write(_ name: String, groups: Range<Int>) throws {
            let rows = groups.flatMap { group in
                (0..<4).map { "r\(group),\(group).\($0),0\n" }
            }
            try sample.directory.write("g,x,label\n" + rows.joined(), name)
        }
        func groups(_ part: DataPart) throws -> [Int: Int] {
            let data = try sample.open(format, features: 2, part: part)
            return Dictionary(grouping: try contents(data).features.map { Int($0[0]) }) { $0 }
                .mapValues(\.count)
        }
        try write("a.csv", groups: 0..<60)
        let held = try groups(.heldOut(0.3))
        let trained = try groups(.training(heldOut: 0.3))
        #expect(Set(held.keys).isDisjoint(with: trained.keys))
        #expect(held.count + trained.count == 60)
        #expect((8...30).contains(held.count))
        #expect(held.values.allSatisfy { $0 == 3 } && trained.values.allSatisfy { $0 == 3 })
        try write("0.csv", groups: 30..<90)
        #expect(Set(try groups(.heldOut(0.3)).keys).isSuperset(of: held.keys))
        #expect(Set(try groups(.training(heldOut: 0.3)).keys).isSuperset(of: trained.keys))
    }

    @Test("Windows are found again in a file of many blocks")
    func manyBlocks() throws {
        try sample.directory.write("x,y,label\n" + text(0..<20_000), "a.csv")
        let data = try sample.open(format(length: 100, stride: 50), features: 200)
        #expect(data.count == 399)
        var features = [Float](repeating: 0, count: 400)
        var labels: [Int32] = [0, 0]
        try data.read(rows: [398, 7], features: &features, labels: &labels)
        #expect(Array(features[..<100]) == (19_900..<20_000).map { Float($0) })
        #expect(Array(features[300...]) == (350..<450).map { Float(-$0) })
        #expect(labels == [1, 2])
    }

    @Test("A window whose rows are gone when it is read is an error")
    func shrinks() throws {
        try sample.directory.write("x,y,label\n" + text(0..<4), "a.csv")
        let data = try sample.open(format(length: 4, stride: 1), features: 8)
        let path = "\(sample.directory.path)/a.csv"
        try "x,y,label\n0,0,0\n".write(toFile: path, atomically: false, encoding: .utf8)
        let fault = try #require(throws: Fault.self) { try contents(data) }
        #expect(fault.message.contains("changed while it was in use"))
    }
}
