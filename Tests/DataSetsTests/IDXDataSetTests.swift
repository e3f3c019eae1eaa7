import DataSets
import Federation
import Foundation
import Testing

@Suite("IDX data sets")
struct IDXDataSetTests {
    private let directory: TemporaryDirectory
    /// 2 x 2 pixels, classes 0 to 2.
    private let plan = DataPlan(
        format: .idx(features: "images", labels: "labels"), features: 4, classes: 3, offset: [0],
        scale: [1])

    init() throws { directory = try TemporaryDirectory() }

    private func writeFiles(images: [UInt8], labels: [UInt8]) throws {
        try IDX.write(
            file: "\(directory.path)/images", dimensions: [images.count / 4, 2, 2], bytes: images)
        try IDX.write(
            file: "\(directory.path)/labels", dimensions: [labels.count], bytes: labels)
    }

    private func open() throws -> DataSet {
        try DataSet.open(directory: directory.path, plan: plan)
    }

    private func refusal() throws -> Fault { try #require(throws: Fault.self) { try open() } }

    @Test("Rows come in the order asked for, pixels as they are, the rest of the arrays untouched")
    func reads() throws {
        try writeFiles(images: Array(1...12).map { $0 * 20 }, labels: [2, 0, 1])
        let data = try open()
        #expect(data.count == 3)
        #expect(data.features == 4)
        #expect(data.unreadable == 0)
        #expect(data.firstUnreadable == nil)
        var features = [Float](repeating: -1, count: 13)
        var labels = [Int32](repeating: -1, count: 4)
        try data.read(rows: [9, 2, 0, 2][1...], features: &features, labels: &labels)
        #expect(
            features == [180, 200, 220, 240, 20, 40, 60, 80, 180, 200, 220, 240, -1])
        #expect(labels == [1, 2, 1, -1])
    }

    @Test("A row whose label is no class is counted, named and left out")
    func badLabels() throws {
        try writeFiles(images: Array(0..<20), labels: [1, 3, 0, 255, 2])
        let data = try open()
        #expect(data.count == 3)
        #expect(data.unreadable == 2)
        #expect(
            data.firstUnreadable == "\(directory.path)/labels: row 2 has label 3, not 0 to 2")
        var features = [Float](repeating: 0, count: 12)
        var labels = [Int32](repeating: 0, count: 3)
        try data.read(rows: [0, 1, 2], features: &features, labels: &labels)
        #expect(labels == [1, 0, 2])
        #expect(features == [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19])
    }

    @Test("Rows are read as the bytes they are, without those whose label is no class")
    func readsBytes() throws {
        try writeFiles(images: Array(0..<20), labels: [1, 3, 0, 255, 2])
        let data = try open()
        #expect(data.holdsBytes)
        var bytes = [UInt8](repeating: 99, count: 9)
        var labels = [Int32](repeating: -1, count: 3)
        try data.read(rows: [9, 2, 1][1...], bytes: &bytes, labels: &labels)
        #expect(bytes == [16, 17, 18, 19, 8, 9, 10, 11, 99])
        #expect(labels == [2, 0, -1])
    }

    @Test("A data set without one usable row is refused")
    func noUsableRow() throws {
        try writeFiles(images: Array(0..<8), labels: [3, 9])
        #expect(try refusal().message.contains("row 1 has label 3"))
    }

    @Test("A missing data directory is named, with what to do")
    func missingDirectory() throws {
        let fault = try #require(throws: Fault.self) {
            try DataSet.open(directory: "\(directory.path)/absent", plan: plan)
        }
        #expect(fault.code == .notFound)
        #expect(fault.message == "data directory \(directory.path)/absent does not exist")
        #expect(fault.remedy.contains("create it"))
    }

    @Test("A file in the directory's place is refused")
    func fileAsDirectory() throws {
        let file = try directory.write("x", "file")
        let fault = try #require(throws: Fault.self) {
            try DataSet.open(directory: file, plan: plan)
        }
        #expect(fault.message.contains("is not a directory"))
    }

    @Test("A missing file is named")
    func missingFile() throws {
        try IDX.write(file: "\(directory.path)/images", dimensions: [1, 4], bytes: [1, 2, 3, 4])
        let fault = try refusal()
        #expect(fault.code == .notFound)
        #expect(fault.message == "\(directory.path)/labels does not exist")
    }

    @Test("A compressed file, by name or by content, is answered with gunzip")
    func compressed() throws {
        try directory.write([0x1f, 0x8b, 8, 0], "images.gz")
        let byName = try refusal()
        #expect(byName.message.contains("only \(directory.path)/images.gz"))
        #expect(byName.remedy.contains("gunzip"))
        try directory.write([0x1f, 0x8b, 8, 0], "images")
        let byContent = try refusal()
        #expect(byContent.message == "\(directory.path)/images is compressed with gzip")
        #expect(byContent.remedy.contains("gunzip"))
    }

    @Test("A file cut short at any length is refused, and so is one with more")
    func truncated() throws {
        try writeFiles(images: Array(0..<8), labels: [0, 1])
        let whole = try Array(Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/images")))
        for length in 0..<whole.count {
            try directory.write(Array(whole[..<length]), "images")
            #expect(try refusal().message.contains("\(directory.path)/images"))
        }
        try directory.write(whole.dropLast(3), "images")
        #expect(try refusal().message.contains("is truncated: 3 bytes are missing"))
        try directory.write(whole + [0], "images")
        #expect(try refusal().message.contains("has 1 bytes too many"))
    }

    @Test(
        "A damaged header is refused with what is wrong",
        arguments: [
            ([1, 0, 8, 1, 0, 0, 0, 1, 5], "is not an IDX file"),
            ([0, 0, 8, 0], "is not an IDX file"),
            ([0, 0, 8, 9, 0], "is not an IDX file"),
            ([0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0], "IDX type 13"),
            ([0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 4], "holds no rows"),
            ([0, 0, 8, 2, 0x7f, 0, 0, 0, 0x7f, 0, 0, 0, 1], "is truncated"),
            (
                [0, 0, 8, 3] + [UInt8](repeating: 0xff, count: 12), "states impossible dimensions"
            ),
        ] as [([UInt8], String)])
    func damagedHeader(bytes: [UInt8], message: String) throws {
        try directory.write(bytes, "images")
        try IDX.write(file: "\(directory.path)/labels", dimensions: [1], bytes: [0])
        #expect(try refusal().message.contains(message))
    }

    @Test("Files that disagree with the plan or with each other are refused")
    func disagreement() throws {
        try writeFiles(images: Array(0..<8), labels: [0, 1, 2])
        #expect(try refusal().message.contains("images has 2 rows, "))
        try IDX.write(file: "\(directory.path)/images", dimensions: [3, 3], bytes: Array(0..<9))
        #expect(try refusal().message.contains("has 3 features a row, the plan 4"))
        try IDX.write(file: "\(directory.path)/images", dimensions: [1, 4], bytes: [1, 2, 3, 4])
        try IDX.write(file: "\(directory.path)/labels", dimensions: [1, 4], bytes: [1, 2, 3, 4])
        #expect(try refusal().message.contains("labels have one"))
    }

    @Test("A file that shrinks while it is in use is an error, not a crash")
    func shrinks() throws {
        try writeFiles(images: Array(0..<8), labels: [0, 1])
        let data = try open()
        try #require(truncate("\(directory.path)/images", 20) == 0)
        var features = [Float](repeating: 0, count: 4)
        var labels: [Int32] = [0]
        let fault = try #require(throws: Fault.self) {
            try data.read(rows: [1], features: &features, labels: &labels)
        }
        #expect(fault.message.contains("changed while it was in use"))
    }

    @Test("A directory and a named pipe are no data files")
    func otherKinds() throws {
        try FileManager.default.createDirectory(
            atPath: "\(directory.path)/images", withIntermediateDirectories: false)
        #expect(try refusal().message.contains("not a regular file"))
        try FileManager.default.removeItem(atPath: "\(directory.path)/images")
        try #require(mkfifo("\(directory.path)/images", 0o600) == 0)
        #expect(try refusal().message.contains("not a regular file"))
    }

    @Test("Writing IDX checks sizes and names the file it cannot create")
    func writing() throws {
        let path = directory.path
        #expect(throws: Fault.self) {
            try IDX.write(file: "\(path)/x", dimensions: [2, 2], bytes: [1, 2, 3])
        }
        let fault = try #require(throws: Fault.self) {
            try IDX.write(file: "\(path)/absent/x", dimensions: [1], bytes: [1])
        }
        #expect(fault.code == .storage)
        #expect(fault.message.contains("\(path)/absent/x"))
        try IDX.write(file: "\(path)/x", dimensions: [2, 1, 3], bytes: [1, 2, 3, 4, 5, 6])
        let file = try IDXFile(path: "\(path)/x")
        #expect(file.dimensions == [2, 1, 3])
        var row = [UInt8](repeating: 0, count: file.rowBytes)
        try file.read(row: 1, into: &row)
        #expect(row == [4, 5, 6])
    }
}
