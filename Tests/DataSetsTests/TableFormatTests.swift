import DataSets
import Federation
import Testing

@Suite("Table formats")
struct TableFormatTests {
    private let sample: TableSample

    init() throws { sample = try TableSample() }

    @Test("Columns are found by name and given in the model's order; others are passed over")
    func columnsByName() throws {
        try sample.directory.write("note,b,label,a\n\"x, y\",2,1,1\nz,4,0,3\n", "t.csv")
        let data = try sample.open(
            TableFormat(
                files: "t.csv", label: "label", columns: [.init(name: "a"), .init(name: "b")]),
            features: 2)
        let (features, labels) = try contents(data)
        #expect(features == [[1, 2], [3, 4]])
        #expect(labels == [1, 0])
        #expect(data.tally.classes == [1, 1, 0])
    }

    @Test("Tabs separate the fields of a .tsv file, and commas are then text")
    func tabs() throws {
        try sample.directory.write(
            "a\tkind, of\tb\n1\tup, up\t 2 \n\t\"down\"\t4\n\"5\"\t\"up, up\"\t\t\n", "t.tsv")
        let data = try sample.open(
            TableFormat(files: "t.tsv", label: "kind, of", classNames: ["down", "up, up", "?"]),
            features: 2, offset: [7])
        let (features, labels) = try contents(data)
        #expect(features == [[1, 2], [7, 4]])
        #expect(labels == [1, 0])
        #expect(
            data.firstUnreadable
                == "\(sample.directory.path)/t.tsv: line 4: it has more than 3 columns")
    }

    @Test("A .tsv file is a plan's and a file to predict from too")
    func tabsElsewhere() throws {
        let path = try sample.directory.write("a\tlabel\tb\n1\t2\t3\n", "t.tsv")
        let data = try DataSet.open(
            directory: sample.directory.path,
            plan: DataPlan(
                format: .csv(file: "t.tsv", label: "label"), features: 2, classes: 3, offset: [0],
                scale: [1]))
        #expect(try contents(data).features == [[1, 3]])
        #expect(try FeatureFile.open(file: path, features: 2).read(rows: 0..<1) == [1, 3])
    }

    @Test("A category is one feature for each of its values, and another value is no row")
    func categories() throws {
        try sample.directory.write(
            "colour,x,label\nred,1,0\n\"dark \"\"green\"\"\",2,0\nblue,3,0\n NA ,4,0\n", "t.csv")
        let data = try sample.open(
            TableFormat(
                files: "t.csv", label: "label",
                columns: [
                    .init(name: "colour", kind: .category(["dark \"green\"", "red"])),
                    .init(name: "x"),
                ]),
            features: 3, offset: [0.25, 0.5, 9])
        #expect(try contents(data).features == [[0, 1, 1], [1, 0, 2], [0.25, 0.5, 4]])
        #expect(data.tally.missing == 1)
        #expect(data.unreadable == 1)
        #expect(
            data.firstUnreadable?.hasSuffix(
                "line 4, column 1: 'blue' is none of the column's categories") == true)
    }

    @Test("A missing value becomes the column's offset and is counted; a missing label does not")
    func missing() throws {
        try sample.directory.write(
            "a,label,b\n,0,1\nNA,1,?\n2,,2\n-999,2,-999.0\nnan,0,1\n", "t.csv")
        let format = TableFormat(files: "t.csv", label: "label", missing: ["", "NA", "?", "-999"])
        let data = try sample.open(format, features: 2, offset: [10, 20])
        #expect(try contents(data).features == [[10, 1], [10, 20], [10, 20]])
        #expect(data.tally.missing == 5)
        #expect(data.unreadable == 2)
        #expect(data.firstUnreadable?.contains("line 4, column 2: label ''") == true)
        #expect(data.tally.classes == [1, 1, 1])
        let strict = TableFormat(files: "t.csv", label: "label", missing: [])
        #expect(try contents(sample.open(strict, features: 2)).features == [[-999, -999]])
    }

    @Test("Without a label's column every example counts as class 0")
    func unlabelled() throws {
        try sample.directory.write("a,b\n1,2\n3,4\n", "t.csv")
        let data = try sample.open(TableFormat(files: "t.csv", label: nil), features: 2)
        #expect(try contents(data).labels == [0, 0])
        #expect(data.tally.classes == [2, 0, 0])
    }

    @Test(
        "A format that no file can fit is refused",
        arguments: [
            (TableFormat(files: "a*b*", label: nil), "neither a file's name nor a pattern"),
            (TableFormat(files: "../a", label: nil), "neither a file's name nor a pattern"),
            (TableFormat(files: "", label: nil), "neither a file's name nor a pattern"),
            (
                TableFormat(files: "t.csv", label: "a", classNames: ["x", "x", "y"]),
                "3 names for 3"
            ),
            (TableFormat(files: "t.csv", label: "a", classNames: ["x"]), "1 names for 3 classes"),
            (
                TableFormat(
                    files: "t.csv", label: nil, columns: [.init(name: "a", kind: .category([]))]),
                "no categories"
            ),
            (
                TableFormat(
                    files: "t.csv", label: nil, columns: [.init(name: "a"), .init(name: "a")]),
                "uses column 'a' twice"
            ),
            (
                TableFormat(files: "t.csv", label: "a", columns: [.init(name: "a")]),
                "uses column 'a' twice"
            ),
            (
                TableFormat(files: "t.csv", label: nil, columns: [.init(name: "c")]),
                "no column named 'c'"
            ),
            (TableFormat(files: "t.csv", label: nil, columns: []), "has 0 feature columns"),
            (
                TableFormat(
                    files: "t.csv", label: nil,
                    window: WindowFormat(length: 0, stride: 1, label: .last)), "windows of 0 rows"
            ),
            (
                TableFormat(
                    files: "t.csv", label: nil,
                    window: WindowFormat(length: 2, stride: 0, label: .last)), "every 0"
            ),
            (
                TableFormat(
                    files: "t.csv", label: nil,
                    window: WindowFormat(length: 2, stride: 1, label: .last)),
                "2 feature columns in windows of 2 rows, the plan 2 features"
            ),
        ] as [(TableFormat, String)])
    func impossible(format: TableFormat, message: String) throws {
        try sample.directory.write("a,b\n1,2\n", "t.csv")
        let fault = try #require(throws: Fault.self) { try sample.open(format, features: 2) }
        #expect(fault.code == .invalid)
        #expect(fault.message.contains(message), "\(fault)")
        #expect(!fault.remedy.isEmpty)
    }

    @Test("Offsets that fit neither features nor columns are refused")
    func offsets() throws {
        try sample.directory.write("a,b\n1,2\n", "t.csv")
        #expect(throws: Fault.self) {
            try sample.open(
                TableFormat(files: "t.csv", label: nil), features: 2, offset: [1, 2, 3])
        }
    }

    @Test("Random bytes are rows or reasons, never a crash", arguments: 0..<60 as Range<UInt64>)
    func randomBytes(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        // Mostly bytes that mean something to the format.
        let alphabet = Array("0123456789.,,,,\t\"\n\n\r e-+NAx?\u{0}\u{ff}".utf8)
        let noise = (0..<4000).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
        let header = seed % 4 == 0 ? [] : Array("a,b,label,g\n1,2,0,x\n3,4,1,x\n5,6,2,x\n".utf8)
        try sample.directory.write(header + noise, "t.csv")
        let window = WindowFormat(length: 2, stride: 1, label: .majority, group: "g")
        for format in [
            TableFormat(
                files: "*.csv", label: "label", columns: [.init(name: "a"), .init(name: "b")]),
            TableFormat(files: "t.csv", label: "label", window: window),
        ] {
            let features = format.window == nil ? 2 : 4
            guard let data = try? sample.open(format, features: features) else {
                #expect(header.isEmpty)
                continue
            }
            #expect(data.tally.classes.reduce(0, +) == data.count)
            #expect(data.unreadable > 0)
            let (values, labels) = try contents(data)
            #expect(values.joined().allSatisfy { $0.isFinite })
            #expect(labels.allSatisfy { (0..<3).contains($0) })
        }
    }
}
