package import Federation
import Glibc

/// The files of one split of a data set: its training, test or public examples.
///
/// In a data directory a split is a folder of its name or files that begin with its name. They are of
/// the plan's form and name, as a device's are, or what data sets are usually handed around as: IDX files
/// `images-idx3-ubyte` and `labels-idx1-ubyte`, or one table with a header line.
///
///     DIR/train/images-idx3-ubyte  DIR/train/labels-idx1-ubyte      DIR/train/anything.csv
///     DIR/train-images-idx3-ubyte  DIR/train-labels-idx1-ubyte      DIR/train.csv
package struct SplitFiles: Sendable, Equatable {
    /// The name of a split's folder, and other beginnings of its files' names.
    package enum Split: String, Sendable, CaseIterable {
        case train, test
        case `public`

        fileprivate var names: [String] {
            switch self {
            case .train: ["train", "training"]
            // MNIST and its family call their test images t10k.
            case .test: ["test", "t10k"]
            case .public: ["public"]
            }
        }
    }

    /// The folder that holds the files.
    package let directory: String
    /// The plan's `[data]`, with the form of these files.
    package let plan: DataPlan

    package init(directory: String, plan: DataPlan) {
        self.directory = directory
        self.plan = plan
    }

    /// Finds the files of `split` in `directory`; nil when there is neither its folder nor such a file.
    ///
    /// A table that stands in for the plan's IDX files has its classes in the column `label`, `class` or
    /// `target`, else in the last one.
    ///
    /// - Throws: `Fault` when the folder or a table's header cannot be read.
    package static func find(
        _ split: Split, in directory: String, plan: DataPlan
    ) throws(Fault) -> SplitFiles? {
        let folder = "\(directory)/\(split.rawValue)"
        if isDirectory(folder) {
            // What is in none of the usual forms is opened in the plan's, which says what is missing.
            return try files(folder, prefixes: [""], plan)
                ?? SplitFiles(directory: folder, plan: plan)
        }
        let prefixes = split.names.flatMap { ["\($0)-", "\($0)_", "\($0)."] }
        if let found = try files(directory, prefixes: prefixes, plan) { return found }
        for name in split.names {
            for table in ["\(name).csv", "\(name).tsv"] where exists("\(directory)/\(table)") {
                return try SplitFiles(directory: directory, table: table, plan)
            }
        }
        return nil
    }

    /// Paths of the files.
    ///
    /// - Throws: `Fault` when a pattern's folder cannot be read or holds none.
    package func paths() throws(Fault) -> [String] {
        switch plan.format {
        case .idx(let features, let labels):
            return ["\(directory)/\(features)", "\(directory)/\(labels)"]
        case .csv(let file, _): return ["\(directory)/\(file)"]
        case .table(let format):
            guard TableDirectory.isPattern(format.files) else {
                return ["\(directory)/\(format.files)"]
            }
            return try TableDirectory.files(in: directory, matching: format.files)
        }
    }

    /// Those in `directory` whose names begin with one of `prefixes`.
    private static func files(
        _ directory: String, prefixes: [String], _ plan: DataPlan
    ) throws(Fault) -> SplitFiles? {
        for prefix in prefixes {
            if let own = ownFormat(directory, prefix, plan) {
                return SplitFiles(directory: directory, plan: own)
            }
        }
        guard plan.targets == nil else { return nil }
        for prefix in prefixes {
            for (images, labels) in usualNames where exists("\(directory)/\(prefix)\(images)") {
                var plan = plan
                plan.format = .idx(features: prefix + images, labels: prefix + labels)
                return SplitFiles(directory: directory, plan: plan)
            }
        }
        guard prefixes == [""], let table = try onlyTable(directory) else { return nil }
        return try SplitFiles(directory: directory, table: table, plan)
    }

    private static let usualNames = [
        ("images-idx3-ubyte", "labels-idx1-ubyte"), ("images.idx3-ubyte", "labels.idx1-ubyte"),
        ("features-idx2-ubyte", "labels-idx1-ubyte"),
    ]

    /// The plan's form with files that are named as its own, after `prefix`; nil when there are none.
    private static func ownFormat(
        _ directory: String, _ prefix: String, _ plan: DataPlan
    ) -> DataPlan? {
        var named = plan
        switch plan.format {
        case .idx(let features, let labels):
            guard exists("\(directory)/\(prefix)\(features)") else { return nil }
            named.format = .idx(features: prefix + features, labels: prefix + labels)
        case .csv(let file, let label):
            guard exists("\(directory)/\(prefix)\(file)") else { return nil }
            named.format = .csv(file: prefix + file, label: label)
        case .table(var format):
            let pattern = prefix + format.files
            let holds =
                TableDirectory.isPattern(pattern)
                ? (try? TableDirectory.files(in: directory, matching: pattern)) != nil
                : exists("\(directory)/\(pattern)")
            guard holds else { return nil }
            format.files = pattern
            named.format = .table(format)
        }
        return named
    }

    /// The one table of `directory`; nil when there is none, or several.
    private static func onlyTable(_ directory: String) throws(Fault) -> String? {
        var tables: [String] = []
        for pattern in ["*.csv", "*.tsv"] {
            let found = (try? TableDirectory.files(in: directory, matching: pattern)) ?? []
            tables += found.map {
                String(decoding: $0.utf8.dropFirst(directory.utf8.count + 1), as: UTF8.self)
            }
        }
        return tables.count == 1 ? tables[0] : nil
    }

    /// The table of that name in `directory`, read as the plan reads tables.
    private init(directory: String, table: String, _ plan: DataPlan) throws(Fault) {
        self.directory = directory
        var named = plan
        switch plan.format {
        case .csv(_, let label): named.format = .csv(file: table, label: label)
        case .table(var format):
            format.files = table
            named.format = .table(format)
        case .idx:
            let label = try SplitFiles.labelColumn(of: "\(directory)/\(table)")
            named.format = .csv(file: table, label: label)
        }
        self.plan = named
    }

    private static func labelColumn(of path: String) throws(Fault) -> String {
        var lines = LineReader(file: try InputFile(path: path))
        guard try lines.next() else {
            throw Fault(.invalid, "\(path) has no header line", remedy: "add one")
        }
        let names = try headerNames(
            lines.line, path: path, separator: csvSeparator(path: path))
        let usual = names.first { ["label", "class", "target"].contains($0.lowercased()) }
        return usual ?? names.last ?? ""
    }

    private static func exists(_ path: String) -> Bool {
        // What is there compressed is opened too, so that somebody is told to unpack it.
        access(path, F_OK) == 0 || access(path + ".gz", F_OK) == 0
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
