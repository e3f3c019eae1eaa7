/// `[data]`: the form of the data every device holds and how raw features are normalised.
package struct DataPlan: Sendable, Equatable {
    /// How the files in an agent's data directory are written.
    package enum Format: Sendable, Equatable {
        /// IDX files of these names: unsigned bytes `[N, ...]` and labels `[N]`.
        case idx(features: String, labels: String)
        /// A CSV file of this name with a header line; the column named `label` holds an integer class.
        case csv(file: String, label: String)
        /// Tables with more to say: several files, columns by name, missing values, windows.
        case table(TableFormat)
    }

    package var format: Format
    /// Features a row: 784 for 28 x 28 pixels.
    package var features: Int
    /// Classes, numbered from 0; 0 where there are targets instead, and 1 in a table without labels.
    package var classes: Int
    /// The features as [channels, height, width], whose product they are: `[1, 28, 28]`. By default [features, 1, 1].
    package var shape: [Int]
    /// Normalised = (raw - offset) / scale, in float32; one value for all features or one a feature.
    package var offset: [Float]
    package var scale: [Float]
    /// What a student of the regression objective learns to predict; nil with any other.
    package var targets: TargetPlan?
    /// The share of a device's examples, 0 to 0.5, that it never trains on and measures its model with.
    package var heldOut: Double

    package init(
        format: Format, features: Int, classes: Int, shape: [Int]? = nil, offset: [Float],
        scale: [Float], targets: TargetPlan? = nil, heldOut: Double = 0
    ) {
        self.format = format
        self.features = features
        self.classes = classes
        self.shape = shape ?? [features, 1, 1]
        self.offset = offset
        self.scale = scale
        self.targets = targets
        self.heldOut = heldOut
    }
}

extension DataPlan {
    /// Whether examples say what class they are of.
    package var hasLabels: Bool {
        if case .table(let table) = format { table.label != nil } else { true }
    }
}

/// The columns of `[data]` that a student learns to predict. There are no classes beside them.
package struct TargetPlan: Sendable, Equatable {
    /// Names in the header of a table, one an output of the student.
    package var columns: [String]
    /// Normalised = (raw - offset) / scale, in float32; one of each a column. A model file's outputs are raw again.
    package var offset: [Float]
    package var scale: [Float]

    package init(columns: [String], offset: [Float], scale: [Float]) {
        self.columns = columns
        self.offset = offset
        self.scale = scale
    }
}
