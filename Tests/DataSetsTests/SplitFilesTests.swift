import DataSets
import Federation
import Glibc
import Testing

@Suite("The files of a split")
struct SplitFilesTests {
    private let directory: TemporaryDirectory
    private let images = DataPlan(
        format: .idx(features: "images-idx3-ubyte", labels: "labels-idx1-ubyte"), features: 2,
        classes: 3, offset: [0], scale: [1])
    private let rows = DataPlan(
        format: .csv(file: "rows.csv", label: "kind"), features: 2, classes: 3, offset: [0],
        scale: [1])

    init() throws { directory = try TemporaryDirectory() }

    private func find(_ split: SplitFiles.Split, _ plan: DataPlan) throws -> SplitFiles? {
        try SplitFiles.find(split, in: directory.path, plan: plan)
    }

    private func mkdir(_ name: String) -> Bool {
        Glibc.mkdir("\(directory.path)/\(name)", 0o755) == 0
    }

    private func idx(_ images: String, _ labels: String) throws {
        try IDX.write(
            file: "\(directory.path)/\(images)", dimensions: [3, 2], bytes: [1, 2, 3, 4, 5, 6])
        try IDX.write(file: "\(directory.path)/\(labels)", dimensions: [3], bytes: [2, 0, 1])
    }

    /// How many examples the split has, and the first one's features.
    private func first(_ split: SplitFiles.Split, _ plan: DataPlan) throws -> (Int, [Float]) {
        let files = try #require(try find(split, plan))
        let data = try DataSet.open(directory: files.directory, plan: files.plan)
        var features: [Float] = [-1, -1]
        var labels: [Int32] = [-1]
        try data.read(rows: [0], features: &features, labels: &labels)
        #expect(labels == [2])
        return (data.count, features)
    }

    @Test(
        "are found under the names that IDX files usually have",
        arguments: [
            "images-idx3-ubyte labels-idx1-ubyte", "images.idx3-ubyte labels.idx1-ubyte",
        ], ["train-", "train/"])
    func usual(names: String, prefix: String) throws {
        if prefix.hasSuffix("/") { #expect(mkdir("train")) }
        let names = names.split(separator: " ")
        try idx("\(prefix)\(names[0])", "\(prefix)\(names[1])")
        for plan in [images, rows] {
            #expect(try first(.train, plan) == (3, [1, 2]))
        }
        #expect(try find(.test, images) == nil)
        #expect(try #require(try find(.train, images)).paths().count == 2)
    }

    @Test("of a test split may be called t10k")
    func tenThousand() throws {
        try idx("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
        #expect(try first(.test, images) == (3, [1, 2]))
        #expect(try find(.train, images) == nil)
    }

    @Test(
        "are a table with a header, whatever the plan's form",
        arguments: ["train.csv", "train/rows.csv", "train/anything.csv"],
        ["kind,a,b\n2,7,8\n0,1,1\n"])
    func table(name: String, text: String) throws {
        if name.contains("/") { #expect(mkdir("train")) }
        try directory.write(text, name)
        #expect(try first(.train, rows) == (2, [7, 8]))
    }

    @Test("are found in a folder whose name has other letters than English ones")
    func otherLetters() throws {
        for folder in ["Übungen", "Übungen/train"] { #expect(mkdir(folder)) }
        try directory.write("kind,a,b\n2,7,8\n", "Übungen/train/anything.csv")
        let files = try #require(
            try SplitFiles.find(.train, in: "\(directory.path)/Übungen", plan: rows))
        let data = try DataSet.open(directory: files.directory, plan: files.plan)
        #expect(data.count == 1)
    }

    @Test(
        "that stand in for IDX files name their classes' column label or the like, or have it last",
        arguments: ["a,b,kind\n7,8,2\n", "a,Label,b\n7,2,8\n", "class,a,b\n2,7,8\n"])
    func labelColumn(text: String) throws {
        try directory.write(text, "test.csv")
        #expect(try first(.test, images) == (1, [7, 8]))
    }

    @Test("in a folder are those of the plan, if they are there, and else its fault is the plan's")
    func own() throws {
        #expect(mkdir("train"))
        try directory.write("kind,a,b\n2,7,8\n", "train/rows.csv")
        try directory.write("kind,a,b\n2,1,1\n", "train/others.csv")
        #expect(try first(.train, rows) == (1, [7, 8]))
        // Of two tables neither is the one.
        let files = try #require(try find(.train, images))
        let fault = #expect(throws: Fault.self) {
            try DataSet.open(directory: files.directory, plan: files.plan)
        }
        #expect(fault?.message.contains("train/images-idx3-ubyte") == true)
    }

    @Test("that are compressed are named, with what to do")
    func compressed() throws {
        try directory.write([0x1f, 0x8b], "train-images-idx3-ubyte.gz")
        let files = try #require(try find(.train, images))
        let fault = #expect(throws: Fault.self) {
            try DataSet.open(directory: files.directory, plan: files.plan)
        }
        #expect(fault?.remedy.contains("gunzip") == true)
    }

    @Test("by a pattern are all that match it")
    func pattern() throws {
        var plan = rows
        plan.format = .table(TableFormat(files: "*.csv", label: "kind"))
        #expect(mkdir("public"))
        try directory.write("kind,a,b\n2,7,8\n", "public/a.csv")
        try directory.write("kind,a,b\n1,7,8\n", "public/b.csv")
        #expect(try first(.public, plan) == (2, [7, 8]))
        #expect(try #require(try find(.public, plan)).paths().count == 2)
        try directory.write("kind,a,b\n2,3,4\n", "test.csv")
        #expect(try first(.test, plan) == (1, [3, 4]))
    }
}
