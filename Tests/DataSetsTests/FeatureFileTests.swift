import DataSets
import Federation
import Testing

@Suite("Files to predict from")
struct FeatureFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ text: String) throws -> FeatureFile {
        try FeatureFile.open(file: directory.write(text, "rows"), features: 2)
    }

    @Test(
        "CSV is read with or without a header, and a column named label is passed over",
        arguments: [
            "1,2\n3,4\n", "a,b\n1,2\n3,4\n", "a,b,label\n1,2,0\n3,4,whatever\n",
            "label,a,b\r\n,1,2\r\n9,3,4", "\u{feff}1,2\n3,4",
        ])
    func csv(text: String) throws {
        let file = try open(text)
        #expect(file.count == 2)
        #expect(try file.read(rows: 0..<2) == [1, 2, 3, 4])
        #expect(try file.read(rows: 1..<2) == [3, 4])
        #expect(try file.read(rows: 1..<1) == [])
    }

    @Test("IDX is recognised by its content")
    func idx() throws {
        let path = "\(directory.path)/rows"
        try IDX.write(file: path, dimensions: [3, 2, 1], bytes: [1, 2, 3, 4, 5, 255])
        let file = try FeatureFile.open(file: path, features: 2)
        #expect(file.count == 3)
        #expect(try file.read(rows: 1..<3) == [3, 4, 5, 255])
        let fault = try #require(throws: Fault.self) {
            try FeatureFile.open(file: path, features: 3)
        }
        #expect(fault.message.contains("has 2 features a row, the model 3"))
    }

    @Test(
        "A row that does not parse is an error, because outputs answer rows in order",
        arguments: [
            ("a,b\n1,2\n3,x\n", "rows: line 3, column 2: 'x' is not a number"),
            ("1,2\n3\n", "rows: line 2: it has 1 columns instead of 2"),
            ("1,2,3\n", "rows has 3 feature columns, the model 2"),
            ("a,b,class\n1,2,0\n", "rows has 3 feature columns, the model 2"),
            ("1,2,label\n1,2\n", "rows: line 2: it has 2 columns instead of 3"),
            ("\n", "rows has no lines"),
            ("", "rows is empty"),
        ])
    func unreadable(text: String, message: String) throws {
        let fault = try #require(throws: Fault.self) { try open(text) }
        #expect(fault.code == .invalid)
        #expect(fault.message == "\(directory.path)/\(message)")
    }

    private func plan(_ format: TableFormat, features: Int, offset: [Float] = [0]) -> DataPlan {
        DataPlan(
            format: .table(format), features: features, classes: 2, offset: offset, scale: [1])
    }

    @Test(
        "A raw table of the plan's form is cut into windows, with and without the label",
        arguments: [
            "r,x,y,label\n1,1,-1,0\n1,2,-2,0\n1,3,-3,bad\n2,4,-4,\n2,5,-5,1\n",
            "y,x,r\n-1,1,1\n-2,2,1\n-3,3,1\n-4,4,2\n-5,5,2\n",
        ])
    func windows(text: String) throws {
        let format = TableFormat(
            files: "elsewhere-*.csv", label: "label",
            columns: [.init(name: "x"), .init(name: "y")],
            window: WindowFormat(length: 2, stride: 1, label: .majority, group: "r"))
        let file = try FeatureFile.open(
            file: directory.write(text, "rows"), plan: plan(format, features: 4))
        #expect(file.count == 3)
        #expect(
            try file.read(rows: 0..<3) == [1, 2, -1, -2, 2, 3, -2, -3, 4, 5, -4, -5])
    }

    @Test("Without named columns all but the answers are features")
    func unnamedColumns() throws {
        let format = TableFormat(files: "a.csv", label: "label")
        for text in ["x,label,y\n1,?,2\n", "x,y\n1,2\n"] {
            let file = try FeatureFile.open(
                file: directory.write(text, "rows"), plan: plan(format, features: 2))
            #expect(try file.read(rows: 0..<1) == [1, 2])
        }
    }

    @Test("Words become categories, and missing values their offset")
    func categories() throws {
        let format = TableFormat(
            files: "a.csv", label: "label",
            columns: [
                .init(name: "soil", kind: .category(["clay", "sand"])), .init(name: "x"),
            ], missing: ["?"])
        let form = plan(format, features: 3, offset: [0.5, 0.25, 7])
        let file = try FeatureFile.open(
            file: directory.write("x,soil\n1,sand\n?,clay\n3,?\n", "rows"), plan: form)
        #expect(try file.read(rows: 0..<3) == [0, 1, 1, 1, 0, 7, 0.5, 0.25, 3])
        let fault = try #require(throws: Fault.self) {
            try FeatureFile.open(
                file: directory.write("x,soil\n1,sand\n2,peat\n", "rows"), plan: form)
        }
        #expect(
            fault.message == "\(directory.path)/rows: line 3, column 2: 'peat' is none of the"
                + " column's categories")
    }

    @Test("A missing or compressed file is named")
    func missing() throws {
        let path = "\(directory.path)/absent"
        let fault = try #require(throws: Fault.self) {
            try FeatureFile.open(file: path, features: 2)
        }
        #expect(fault.code == .notFound)
        #expect(fault.message == "\(path) does not exist")
        try directory.write([0x1f, 0x8b], "packed")
        #expect(throws: Fault.self) {
            try FeatureFile.open(file: "\(directory.path)/packed", features: 2)
        }
    }
}
