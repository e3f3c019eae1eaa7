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
