import Federation

/// Widest example that a plan may ask for.
private let mostFeatures = 1 << 20

extension TableFormat {
    /// Checks what no file can mend.
    ///
    /// - Throws: `Fault.invalid` naming the key that is impossible.
    func check(classes: Int) throws(Fault) {
        func require(_ holds: Bool, _ problem: @autoclosure () -> String) throws(Fault) {
            guard holds else {
                throw Fault(
                    .invalid, "the data's format is impossible: \(problem())",
                    remedy: "correct the plan's [data]")
            }
        }
        let stars = files.utf8.count { $0 == UInt8(ascii: "*") }
        try require(
            !files.isEmpty && !files.utf8.contains(UInt8(ascii: "/")) && stars <= 1,
            "'\(files)' is neither a file's name nor a pattern with one '*'")
        if let classNames {
            try require(
                classNames.count == classes && Set(classNames).count == classes,
                "\(classNames.count) names for \(classes) classes, or one of them twice")
        }
        for case .category(let values) in columns?.map(\.kind) ?? [] {
            try require(
                !values.isEmpty && Set(values).count == values.count,
                "a column has no categories, or one of them twice")
        }
        if let window {
            try require(
                (1...mostFeatures).contains(window.length) && window.stride > 0,
                "windows of \(window.length) rows every \(window.stride)")
        }
    }

    /// The columns of the file at `path` whose first line is `header`.
    ///
    /// - Throws: `Fault` when a column that the format names is not there once, or the columns do not
    ///   make the plan's features.
    func columns(
        header: ArraySlice<UInt8>, path: String, plan: DataPlan
    ) throws(Fault) -> CSVColumns {
        let separator = csvSeparator(path: path)
        let names = try headerNames(header, path: path, separator: separator)
        var roles = [ColumnRole](repeating: .ignored, count: names.count)
        if let label { roles[try place(of: label, in: names, path: path)] = .label }
        if let group = window?.group { roles[try place(of: group, in: names, path: path)] = .group }
        let targets = plan.targets?.columns ?? []
        for (index, target) in targets.enumerated() {
            let place = try place(of: target, in: names, path: path)
            guard roles[place] == .ignored else { throw usedTwice(target) }
            roles[place] = .target(index)
        }
        var categories: [CSVCategory] = []
        var width = 0
        if let columns {
            for column in columns {
                let place = try place(of: column.name, in: names, path: path)
                guard roles[place] == .ignored else { throw usedTwice(column.name) }
                switch column.kind {
                case .number:
                    roles[place] = .number(width)
                    width += 1
                case .category(let values):
                    roles[place] = .category(categories.count)
                    categories.append(
                        CSVCategory(first: width, values: values.map { Array($0.utf8) }))
                    width += values.count
                }
            }
        } else {
            for place in roles.indices where roles[place] == .ignored {
                roles[place] = .number(width)
                width += 1
            }
        }
        try checkWidth(width, path: path, features: plan.features)
        return CSVColumns(
            separator: separator, names: names, roles: roles, width: width, classes: plan.classes,
            targets: targets.count, classNames: classNames?.map { Array($0.utf8) },
            categories: categories, missing: MissingMarkers(missing))
    }

    /// This format for a file that is predicted from: its columns by name, and no label, whether the
    /// file whose first line is `header` has one or not.
    func withoutAnswers(
        header: ArraySlice<UInt8>, path: String, plan: DataPlan
    ) throws(Fault) -> TableFormat {
        var format = self
        format.label = nil
        format.classNames = nil
        guard columns == nil else { return format }
        let answers = [label, window?.group].compactMap { $0 } + (plan.targets?.columns ?? [])
        format.columns = try headerNames(header, path: path, separator: csvSeparator(path: path))
            .filter { !answers.contains($0) }.map { Column(name: $0) }
        return format
    }

    private func usedTwice(_ column: String) -> Fault {
        Fault(
            .invalid, "the data's format uses column '\(column)' twice",
            remedy: "correct the plan's [data]")
    }

    private func checkWidth(_ width: Int, path: String, features: Int) throws(Fault) {
        let length = window?.length ?? 1
        guard width > 0, width <= mostFeatures, width * length == features else {
            let windows = window == nil ? "" : " in windows of \(length) rows"
            throw Fault(
                .invalid,
                "\(path) has \(width) feature columns\(windows), the plan \(features)"
                    + (window == nil ? "" : " features"),
                remedy: "use the data file this plan is for")
        }
    }

    private func place(of name: String, in names: [String], path: String) throws(Fault) -> Int {
        let places = names.indices.filter { names[$0] == name }
        guard places.count == 1 else {
            throw Fault(
                .invalid,
                "\(path): the header has \(places.isEmpty ? "no" : "more than one") column"
                    + " named '\(name)'",
                remedy: "name the plan's columns in the first line, '\(name)' once")
        }
        return places[0]
    }
}

/// The column names in header line `line` of `path`.
func headerNames(
    _ line: ArraySlice<UInt8>, path: String, separator: UInt8
) throws(Fault) -> [String] {
    do {
        return try csvNames(line, separator: separator)
    } catch {
        throw Fault(
            .invalid, "\(path): line 1, column \(error.column ?? 1): \(error.reason)",
            remedy: "correct the header line")
    }
}
