import DataSets
import Federation
import Foundation
import Testing

@Suite("Data that grows")
struct GrowingDataTests {
    private let sample: TableSample
    private let format = TableFormat(files: "log-*.csv", label: "label")

    init() throws { sample = try TableSample() }

    private func open(_ part: DataPart = .all) throws -> DataSet {
        try sample.open(format, features: 1, part: part)
    }

    private func values(_ part: DataPart = .all) throws -> [Float] {
        try contents(open(part)).features.map { $0[0] }
    }

    @Test("Appended rows and new files are seen at the next opening, in the order of names")
    func growth() throws {
        try sample.directory.write("x,label\n1,0\n", "log-b.csv")
        let before = try open()
        try sample.append("2,1\n", "log-b.csv")
        try sample.directory.write("x,label\n3,2\n", "log-a.csv")
        #expect(try contents(before).features == [[1]])
        #expect(try values() == [3, 1, 2])
        #expect(try open().tally.classes == [1, 1, 1])
    }

    @Test("Other names, hidden files and directories are not the data's")
    func otherFiles() throws {
        try sample.directory.write("x,label\n1,0\n", "log-b.csv")
        for name in ["log-c.csv.tmp", "my-log-c.csv", ".log-c.csv", "log.csv"] {
            try sample.directory.write("rubbish\n", name)
        }
        try FileManager.default.createDirectory(
            atPath: "\(sample.directory.path)/log-d.csv", withIntermediateDirectories: false)
        #expect(try values() == [1])
    }

    @Test("A half-written last line is no row until it has an end")
    func halfLine() throws {
        try sample.directory.write("x,label\n1,0\n12,", "log-a.csv")
        #expect(try values() == [1])
        #expect(try open().tally.unfinished == 1)
        try sample.append("1", "log-a.csv")
        #expect(try values() == [1])
        #expect(try open().unreadable == 0)
        try sample.append("\n", "log-a.csv")
        #expect(try values() == [1, 12])
        #expect(try open().tally.unfinished == 0)
    }

    @Test("A file that is empty or in the middle of its header holds no rows yet")
    func halfHeader() throws {
        try sample.directory.write("x,label\n1,0\n", "log-a.csv")
        try sample.directory.write("", "log-b.csv")
        try sample.directory.write("x,lab", "log-c.csv")
        #expect(try values() == [1])
        #expect(try open().tally.unfinished == 2)
        try sample.append("el\n2,1\n", "log-c.csv")
        #expect(try values() == [1, 2])
    }

    @Test("Only unfinished lines are no data, and the reason is named")
    func nothingYet() throws {
        try sample.directory.write("x,label\n1,0", "log-a.csv")
        let fault = try #require(throws: Fault.self) { try open() }
        #expect(fault.message == "no row can be used: there is none whose line has an end")
    }

    @Test("A directory without a file of the pattern is named")
    func noFile() throws {
        let fault = try #require(throws: Fault.self) { try open() }
        #expect(fault.code == .notFound)
        #expect(fault.message == "data directory \(sample.directory.path) has no file 'log-*.csv'")
    }

    @Test("More files than may be open at once are refused, with what to do")
    func tooManyFiles() throws {
        for number in 0...512 { try sample.directory.write("", "log-\(number).csv") }
        let fault = try #require(throws: Fault.self) { try open() }
        #expect(fault.code == .exhausted)
        #expect(fault.message.hasSuffix("has 513 files 'log-*.csv', the most is 512"))
        #expect(fault.remedy.contains("join"))
    }

    @Test("Files of different columns are no data set, unless the plan names the columns")
    func otherHeader() throws {
        try sample.directory.write("x,label\n1,0\n", "log-a.csv")
        try sample.directory.write("label,y\n1,2\n", "log-b.csv")
        let fault = try #require(throws: Fault.self) { try open() }
        let path = sample.directory.path
        #expect(fault.message == "\(path)/log-b.csv has another header than \(path)/log-a.csv")
        try sample.directory.write("label,y,x\n1,5,2\n", "log-b.csv")
        let named = TableFormat(files: "log-*.csv", label: "label", columns: [.init(name: "x")])
        #expect(try contents(sample.open(named, features: 1)).features == [[1], [2]])
    }

    @Test("Bad rows of several files are counted together, the first of the first file named")
    func badRows() throws {
        try sample.directory.write("x,label\nbad,0\n2,9\n3,1\n", "log-a.csv")
        try sample.directory.write("x,label\nworse,0\n4,1\n", "log-b.csv")
        let data = try open()
        #expect(data.unreadable == 3)
        #expect(
            data.firstUnreadable
                == "\(sample.directory.path)/log-a.csv: line 2, column 1: 'bad' is not a number")
        #expect(try values() == [3, 4])
    }

    @Test("SipHash-2-4 gives the value that its authors print")
    func sipHashVector() {
        let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
        #expect(sipHash(Array(0..<15)[...], key: key) == 0xa129_ca61_49be_45e5)
    }

    @Test("Growth moves no row between the halves, and together they are the whole")
    func stableSplit() throws {
        let rows = (0..<600).map { "\($0),\($0 % 3)\n" }
        try sample.directory.write("x,label\n" + rows[..<300].joined(), "log-b.csv")
        let held = Set(try values(.heldOut(0.2)))
        let trained = Set(try values(.training(heldOut: 0.2)))
        #expect(held.isDisjoint(with: trained))
        #expect(held.union(trained).count == 300)
        #expect((35...85).contains(held.count))

        try sample.append(rows[300..<500].joined(), "log-b.csv")
        try sample.directory.write("x,label\r\n" + rows[500...].joined(), "log-a.csv")
        let laterHeld = Set(try values(.heldOut(0.2)))
        #expect(laterHeld.isSuperset(of: held))
        #expect(laterHeld.isDisjoint(with: trained))
        #expect((80...160).contains(laterHeld.count))
        let wider = Set(try values(.heldOut(0.5)))
        #expect(wider.isSuperset(of: laterHeld))
        #expect(try open(.heldOut(0.2)).tally.classes.reduce(0, +) == laterHeld.count)
    }

    @Test("The split is the same in every run: these rows are held out for ever")
    func fixedSplit() throws {
        let rows = (0..<20).map { "\($0),0\n" }.joined()
        try sample.directory.write("x,label\n" + rows, "log-a.csv")
        #expect(try values(.heldOut(0.2)) == [2, 3, 11, 18])
    }

    @Test("All or nothing may be held out, but not everything be kept from training")
    func extremes() throws {
        try sample.directory.write("x,label\n1,0\n2,1\n", "log-a.csv")
        #expect(try values(.heldOut(0)) == [])
        #expect(try values(.heldOut(1)) == [1, 2])
        #expect(try values(.training(heldOut: 0)) == [1, 2])
        let fault = try #require(throws: Fault.self) { try open(.training(heldOut: 1)) }
        #expect(fault.message == "no row can be used: there is none in this part")
    }

    @Test("IDX examples are split by their content as well")
    func idx() throws {
        let path = sample.directory.path
        let plan = DataPlan(
            format: .idx(features: "f", labels: "l"), features: 2, classes: 2, offset: [0],
            scale: [1])
        func write(_ rows: [UInt8]) throws {
            try IDX.write(
                file: "\(path)/f", dimensions: [rows.count, 2], bytes: rows.flatMap { [$0, 7] })
            // Every tenth label is none.
            try IDX.write(
                file: "\(path)/l", dimensions: [rows.count],
                bytes: rows.map { $0 % 10 == 9 ? 2 : $0 % 2 })
        }
        func held() throws -> [Float] {
            let data = try DataSet.open(directory: path, plan: plan, part: .heldOut(0.3))
            return try contents(data).features.map { $0[0] }
        }
        try write(Array(0..<100))
        let before = try held()
        #expect((10...45).contains(before.count))
        try write(Array((0..<200).reversed()))
        let training = try DataSet.open(
            directory: path, plan: plan, part: .training(heldOut: 0.3))
        let later = try held()
        #expect(Set(later).isSuperset(of: before))
        #expect(training.count + later.count == 180)
        #expect(training.unreadable == 20)
    }
}
