import DataSets
import Federation
import Testing

@Suite("Targets of a table")
struct TargetTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(
        _ targets: [String], features: Int, columns: [String]? = nil, window: WindowFormat? = nil
    ) throws -> DataSet {
        let format = TableFormat(
            files: "*.csv", label: nil,
            columns: columns?.map { TableFormat.Column(name: $0) }, window: window)
        let plan = DataPlan(
            format: .table(format), features: features, classes: 0, offset: [0], scale: [1],
            targets: TargetPlan(
                columns: targets, offset: targets.map { _ in 7 }, scale: targets.map { _ in 3 }))
        return try DataSet.open(directory: directory.path, plan: plan)
    }

    private func read(_ data: DataSet) throws -> (features: [Float], targets: [Float]) {
        var features = [Float](repeating: .nan, count: data.count * data.features)
        var targets = [Float](repeating: .nan, count: data.count * data.targets)
        // From the last row to the first: the order asked for counts.
        let rows = Array((0..<data.count).reversed())
        try data.read(rows: rows[...], features: &features, targets: &targets)
        return (features, targets)
    }

    @Test("are read raw, in the plan's order, and are no features")
    func columns() throws {
        try directory.write("wear,x,power,y\n0.5,1,100,2\n-1e3,3,200,4\n", "a.csv")
        let data = try open(["power", "wear"], features: 2)
        #expect(data.targets == 2 && data.count == 2)
        let read = try read(data)
        #expect(read.features == [3, 4, 1, 2])
        #expect(read.targets == [200, -1000, 100, 0.5])
        #expect(data.tally.classes.isEmpty)
        let (_, labels) = try contents(data)
        #expect(labels == [0, 0])
    }

    @Test("of a window are its last row's")
    func windows() throws {
        let rows = (0..<6).map { "\($0),\($0 * 10)\n" }.joined()
        try directory.write("x,power\n" + rows, "a.csv")
        let data = try open(
            ["power"], features: 3, window: WindowFormat(length: 3, stride: 2, label: .last))
        let read = try read(data)
        #expect(read.features == [2, 3, 4, 0, 1, 2])
        #expect(read.targets == [40, 20])
    }

    @Test("that are missing or no numbers leave their row out, which is reported")
    func unreadable() throws {
        try directory.write("x,power\n1,10\n2,\n3,NA\n4,high\n,50\n", "a.csv")
        let data = try open(["power"], features: 1)
        #expect(data.count == 2 && data.unreadable == 3)
        #expect(data.firstUnreadable?.hasSuffix("line 3, column 2: the target is missing") == true)
        // A missing feature is none of these.
        #expect(try read(data).features == [0, 1])
        #expect(try read(data).targets == [50, 10])
    }

    @Test("must be there, and be nothing else")
    func impossible() throws {
        try directory.write("x,power\n1,10\n", "a.csv")
        for (targets, columns, words) in [
            (["heat"], nil, "no column named 'heat'"), (["power", "power"], nil, "'power' twice"),
            (["power"], ["x", "power"], "'power' twice"),
        ] as [([String], [String]?, String)] {
            let fault = #expect(throws: Fault.self) {
                try open(targets, features: 1, columns: columns)
            }
            #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "")")
        }
    }
}
