/// How the text files of a data directory become examples: which files and columns, what stands for
/// a missing value, and windows over time.
///
/// A file is a header line and then one row a line, its fields separated by commas, or by tabs when
/// its name ends in `.tsv`.
package struct TableFormat: Sendable, Equatable {
    /// A column that the model sees.
    package struct Column: Sendable, Equatable {
        /// Its name in the header.
        package var name: String
        package var kind: ColumnKind

        package init(name: String, kind: ColumnKind = .number) {
            self.name = name
            self.kind = kind
        }
    }

    /// What a column's fields are.
    package enum ColumnKind: Sendable, Equatable {
        /// One feature: a decimal number.
        case number
        /// One feature for each of these values: 1 for the one in the field, 0 for the others. A row
        /// with another value does not parse.
        case category([String])
    }

    /// A file's name, or a pattern in which one `*` stands for any characters: `*.csv`. All files
    /// that match, in the order of their names, are one data set.
    package var files: String
    /// The column that holds the class; nil when every example counts as class 0.
    package var label: String?
    /// What the label's column says for class 0, 1 and so on; nil when it holds the number itself.
    package var classNames: [String]?
    /// The model's columns in its order; nil for every one but label, targets and group, in the file's
    /// order and as numbers.
    package var columns: [Column]?
    /// Fields that stand for a missing value: each of the column's features becomes the plan's
    /// offset, which is 0 after normalisation. A row whose label or target is missing does not parse.
    package var missing: [String]
    /// Nil when each row is an example.
    package var window: WindowFormat?

    package init(
        files: String, label: String?, classNames: [String]? = nil, columns: [Column]? = nil,
        missing: [String] = ["", "NA", "?"], window: WindowFormat? = nil
    ) {
        self.files = files
        self.label = label
        self.classNames = classNames
        self.columns = columns
        self.missing = missing
        self.window = window
    }
}

/// How successive rows become one example of shape `[columns, 1, length]`, each column's values in
/// the order of time.
///
/// A window lies within one run of rows: a file's end, another value in the group's column and a row
/// that does not parse each end a run.
package struct WindowFormat: Sendable, Equatable {
    /// Which of a window's labels is the example's.
    package enum Label: Sendable, Equatable {
        case last
        /// The most frequent; of several, the lowest.
        case majority
    }

    /// Rows a window.
    package var length: Int
    /// Rows from the beginning of a window to that of the next.
    package var stride: Int
    package var label: Label
    /// The column that no window sees two values of (a recording, a person); nil for none.
    package var group: String?

    package init(length: Int, stride: Int, label: Label, group: String? = nil) {
        self.length = length
        self.stride = stride
        self.label = label
        self.group = group
    }
}
