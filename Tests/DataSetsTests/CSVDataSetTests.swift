import DataSets
import Federation
import Foundation
import Testing

@Suite("CSV data sets")
struct CSVDataSetTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ text: String, features: Int = 2) throws -> DataSet {
        try directory.write(text, "d.csv")
        return try DataSet.open(
            directory: directory.path,
            plan: DataPlan(
                format: .csv(file: "d.csv", label: "label"), features: features, classes: 3,
                offset: [0], scale: [1]))
    }

    private func rows(_ data: DataSet) throws -> (features: [Float], labels: [Int32]) {
        var features = [Float](repeating: .nan, count: data.count * data.features)
        var labels = [Int32](repeating: -1, count: data.count)
        try data.read(rows: Array(0..<data.count)[...], features: &features, labels: &labels)
        return (features, labels)
    }

    @Test(
        "Every ordinary way to write a table is read",
        arguments: [
            "a,label,b\n1,0,2\n-3.5,2,4e2\n",
            "a,label,b\r\n1,0,2\r\n-3.5,2,4e2\r\n",
            "a,label,b\n\t1,0,2\n-3.5,2 ,4e2\n",
            "\u{feff}a,label,b\n\n1,0,2\n  \n-3.5,2,4e2\n\n\n  ",
            "\"a\",\"label\",\"b \"\"c\"\"\"\n\"1\",\"0\",\"2\"\n\"-3.5\" , \"2\",\"4e2\"\n",
            "a , label , b\n 1, 0 ,\t2 \n-3.50,2.0,+400\n",
            "x,label,x\n1.,0,2\n-35e-1,2,.4E3\n",
        ])
    func reads(text: String) throws {
        let data = try open(text)
        #expect(data.count == 2)
        #expect(data.unreadable == 0)
        let (features, labels) = try rows(data)
        #expect(features == [1, 2, -3.5, 400])
        #expect(labels == [0, 2])
    }

    @Test("Numbers are rounded to double and then to float, as numpy does")
    func rounding() throws {
        let numbers = [
            "0.1", "16777217", "123456789012345", "1234567890.12345", "0.000000000000001",
            "3.4028234663852886e38", "1e-46", "-0", "1.17549429e-38", "8.0000004768371589",
        ]
        let data = try open("a,label,b\n" + numbers.map { "\($0),0,\($0)\n" }.joined())
        let expected = try numbers.flatMap { text in
            let number = Float(try #require(Double(text)))
            return [number, number]
        }
        #expect(try rows(data).features.map(\.bitPattern) == expected.map(\.bitPattern))
    }

    @Test(
        "A row that does not parse is counted, named by line and column, and left out",
        arguments: [
            ("x,1,2", "line 3, column 1: 'x' is not a number"),
            ("1,1,", "line 3, column 3: '' is not a number"),
            ("1,1,2,", "line 3: it has more than 3 columns"),
            ("1,1", "line 3: it has 2 columns instead of 3"),
            ("1,3,2", "line 3, column 2: label '3' is not a whole number from 0 to 2"),
            ("1,-1,2", "line 3, column 2: label '-1' is not a whole number from 0 to 2"),
            ("1,0.5,2", "line 3, column 2: label '0.5' is not a whole number from 0 to 2"),
            ("1,cat,2", "line 3, column 2: label 'cat' is not a whole number from 0 to 2"),
            ("1,1,nan", "line 3, column 3: 'nan' is not a number"),
            ("inf,1,2", "line 3, column 1: 'inf' is not a number"),
            ("0x10,1,2", "line 3, column 1: '0x10' is not a number"),
            ("1 2,1,2", "line 3, column 1: '1 2' is not a number"),
            ("1.2.3,1,2", "line 3, column 1: '1.2.3' is not a number"),
            ("-,1,2", "line 3, column 1: '-' is not a number"),
            ("1e400,1,2", "line 3, column 1: '1e400' is not a number"),
            ("1e39,1,2", "line 3, column 1: '1e39' is too large for float32"),
            ("\"1,1,2", "line 3, column 1: a quotation mark is not closed"),
            ("\"1\"5,1,2", "line 3, column 1: there is text after a closing quotation mark"),
            (
                "1;1;2" + String(repeating: "3", count: 60),
                "line 3, column 1: '1;1;2" + String(repeating: "3", count: 35)
                    + "'... is not a number"
            ),
        ])
    func unreadableRow(row: String, message: String) throws {
        let data = try open("a,label,b\n5,0,6\n\(row)\n7,1,8\n\(row)\n")
        #expect(data.count == 2)
        #expect(data.unreadable == 2)
        #expect(data.firstUnreadable == "\(directory.path)/d.csv: \(message)")
        let (features, labels) = try rows(data)
        #expect(features == [5, 6, 7, 8])
        #expect(labels == [0, 1])
    }

    @Test("A line of megabytes is one unreadable row and costs no more")
    func longLine() throws {
        let long = String(repeating: "1", count: 3 << 20)
        let data = try open("a,label,b\n5,0,6\n\(long)\n7,1,8\n")
        #expect(data.unreadable == 1)
        #expect(
            data.firstUnreadable
                == "\(directory.path)/d.csv: line 3: it is longer than 1048576 bytes")
        #expect(try rows(data).features == [5, 6, 7, 8])
    }

    @Test("A blank line of megabytes is an unreadable row as well")
    func longBlankLine() throws {
        let data = try open("a,label,b\n5,0,6\n\(String(repeating: " ", count: 3 << 20))\n7,1,8\n")
        #expect(data.unreadable == 1)
        #expect(try rows(data).features == [5, 6, 7, 8])
    }

    @Test("Rows are found again wherever they lie in a file of many blocks")
    func manyBlocks() throws {
        var text = "a,label,b\n"
        for row in 0..<30_000 { text += "\(row),\(row % 3),\(Double(row) / 8)\n" }
        let data = try open(text)
        #expect(data.count == 30_000)
        var features = [Float](repeating: 0, count: 6)
        var labels = [Int32](repeating: 0, count: 3)
        try data.read(rows: [29_999, 0, 12_345], features: &features, labels: &labels)
        #expect(features == [29_999, 3749.875, 0, 0, 12_345, 1543.125])
        #expect(labels == [2, 0, 0])
    }

    @Test(
        "A header that is not the plan's is refused",
        arguments: [
            ("a,class,b\n1,0,2\n", "no column named 'label'"),
            ("label,label,b\n1,0,2\n", "more than one column named 'label'"),
            ("a,label\n1,0\n", "has 1 feature columns, the plan 2"),
            ("a,label,b,c\n1,0,2,3\n", "has 3 feature columns, the plan 2"),
            ("a,\"label,b\n1,0,2\n", "line 1, column 2: a quotation mark is not closed"),
            ("\n\n", "has no lines"),
            ("\u{1}\u{0}\u{0}binary", "no column named 'label'"),
        ])
    func wrongHeader(text: String, message: String) throws {
        let fault = try #require(throws: Fault.self) { try open(text) }
        #expect(fault.code == .invalid)
        #expect(fault.message.contains(message), "\(fault)")
        #expect(fault.message.contains("\(directory.path)/d.csv"))
        #expect(!fault.remedy.isEmpty)
    }

    @Test("A file without rows, or with none that parses, is refused")
    func noRows() throws {
        #expect(throws: Fault.self) { try open("a,label,b\n") }
        let fault = try #require(throws: Fault.self) { try open("a,label,b\n1,7,2\n") }
        #expect(fault.message.contains("line 2, column 2: label '7'"))
        #expect(throws: Fault.self) { try open("") }
    }

    @Test("A row that no longer parses when it is read is an error")
    func changes() throws {
        let data = try open("a,label,b\n1,0,2\n3,1,4\n")
        try "a,label,b\n1,0,2\nx,1,4\n".write(
            toFile: "\(directory.path)/d.csv", atomically: false, encoding: .utf8)
        var features: [Float] = [0, 0]
        var labels: [Int32] = [0]
        let fault = try #require(throws: Fault.self) {
            try data.read(rows: [1], features: &features, labels: &labels)
        }
        #expect(fault.message.contains("changed while it was in use"))
    }

    @Test("Files that are refused leave no descriptor open")
    func descriptors() throws {
        for text in ["", "wrong\n", "a,label,b\n1,7,2\n"] {
            #expect(throws: Fault.self) { try open(text) }
        }
        let held = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
            let target = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/self/fd/\($0)")
            return target?.hasPrefix(directory.path) == true
        }
        #expect(held == [])
    }
}
