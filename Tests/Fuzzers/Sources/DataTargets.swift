import DataSets
import Federation
import Glibc

/// The files of a device's owner.
let dataTargets: [String: FuzzTarget] = [
    "idx": FuzzTarget(
        { input in
            let file = ScratchFile("images")
            file.write(input)
            guard let idx = try? IDXFile(path: file.path) else { return }
            var row = [UInt8](repeating: 0, count: idx.rowBytes)
            do {
                try idx.read(row: 0, into: &row)
                try idx.read(row: idx.count - 1, into: &row)
                let features = try FeatureFile.open(file: file.path, features: idx.rowBytes)
                _ = try features.read(rows: 0..<features.count)
            } catch { fatalError("a file that was opened cannot be read: \(error)") }
        },
        seeds: { [images, labels] }),
    // A byte that says how long the images are, then images and labels.
    "idx-pair": FuzzTarget(
        { input in
            guard let length = input.first else { return }
            ScratchFile("images").write(Array(input.dropFirst().prefix(Int(length))))
            ScratchFile("labels").write(Array(input.dropFirst(1 + Int(length))))
            readParts(
                of: DataPlan(
                    format: .idx(features: "images", labels: "labels"), features: 4, classes: 3,
                    offset: [0], scale: [1]))
        },
        seeds: { [[UInt8(images.count)] + images + labels] }),
    // A byte that chooses a format, then a table.
    "csv": FuzzTarget(
        { input in
            guard let choice = input.first else { return }
            let plan = tables[Int(choice) % tables.count]
            ScratchFile("rows.csv").write(Array(input.dropFirst()))
            readParts(of: plan)
            let file = ScratchFile("rows.csv").path
            for opened in [
                try? FeatureFile.open(file: file, plan: plan),
                try? FeatureFile.open(file: file, features: plan.features),
            ] {
                guard let opened, let values = try? opened.read(rows: 0..<opened.count) else {
                    continue
                }
                demand(values.count == opened.count * opened.features, "features are missing")
            }
        },
        seeds: {
            let rows = "a,b,label,who,kind\n1,2.5,0,x,red\n-3e-2,?,1,x,blue\n4,\"5\",2,y,red\n"
            let classes = rows.replacing(",0,", with: ",no,").replacing(",1,", with: ",yes,")
            return tables.indices.map { [UInt8($0)] + Array(($0 == 2 ? classes : rows).utf8) }
        }),
]

private let images = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2] + [UInt8](0..<12)
private let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 1]

/// A plan for every way to read a table.
private let tables: [DataPlan] = [
    table(TableFormat(files: "rows.csv", label: "label", missing: []), features: 2),
    DataPlan(
        format: .csv(file: "rows.csv", label: "label"), features: 2, classes: 3, offset: [0],
        scale: [1]),
    table(
        TableFormat(
            files: "*.csv", label: "label", classNames: ["no", "yes", "2"],
            columns: [
                TableFormat.Column(name: "b"),
                TableFormat.Column(name: "kind", kind: .category(["red", "blue"])),
            ]), features: 3),
    table(
        TableFormat(
            files: "rows.csv", label: "label",
            columns: [TableFormat.Column(name: "a"), TableFormat.Column(name: "b")],
            window: WindowFormat(length: 2, stride: 1, label: .majority, group: "who")),
        features: 4),
    table(
        TableFormat(
            files: "rows.csv", label: nil, columns: [TableFormat.Column(name: "a")],
            window: WindowFormat(length: 3, stride: 2, label: .last)), features: 3),
    DataPlan(
        format: .table(
            TableFormat(files: "rows.csv", label: nil, columns: [TableFormat.Column(name: "a")])),
        features: 1, classes: 0, offset: [0], scale: [1],
        targets: TargetPlan(columns: ["b"], offset: [0], scale: [1])),
]

private func table(_ format: TableFormat, features: Int) -> DataPlan {
    DataPlan(
        format: .table(format), features: features, classes: format.label == nil ? 1 : 3,
        offset: [0], scale: [1])
}

/// Reads every example of a data set, whole and in halves.
private func readParts(of plan: DataPlan) {
    guard let all = count(of: .all, plan) else { return }
    let held = count(of: .heldOut(0.5), plan) ?? 0
    let training = count(of: .training(heldOut: 0.5), plan) ?? 0
    // A window that would have rows of both halves is in neither.
    demand(training + held <= all, "\(training) and \(held) examples are of \(all)")
}

/// How many examples a part has, once all are read; nil when it cannot be opened.
private func count(of part: DataPart, _ plan: DataPlan) -> Int? {
    guard let data = try? DataSet.open(directory: scratchDirectory, plan: plan, part: part)
    else { return nil }
    var values = [Float](repeating: 0, count: data.count * data.features)
    let rows = Array(0..<data.count)[...]
    do {
        if data.targets > 0 {
            var targets = [Float](repeating: 0, count: data.count * data.targets)
            try data.read(rows: rows, features: &values, targets: &targets)
        } else {
            var labels = [Int32](repeating: -1, count: data.count)
            try data.read(rows: rows, features: &values, labels: &labels)
            demand(
                labels.allSatisfy { (0..<Int32(plan.classes)).contains($0) },
                "a label is no class: \(labels)")
        }
    } catch { fatalError("an example that was counted cannot be read: \(error)") }
    demand(values.allSatisfy(\.isFinite), "a feature is no finite number")
    return data.count
}

/// A file that holds each input in turn, in the directory that the environment names.
private struct ScratchFile {
    let path: String

    init(_ name: String) { path = "\(scratchDirectory)/\(name)" }

    func write(_ bytes: [UInt8]) {
        guard let file = fopen(path, "w") else { fatalError("cannot write \(path)") }
        defer { fclose(file) }
        demand(fwrite(bytes, 1, bytes.count, file) == bytes.count, "cannot write \(path)")
    }
}

private let scratchDirectory: String = {
    guard let named = getenv("FUZZ_SCRATCH") else {
        fatalError("set FUZZ_SCRATCH to a directory for files")
    }
    return String(cString: named)
}()
