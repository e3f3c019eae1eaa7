import CoordinatorService
import DataSets
import Federation
import Learning
import Simulation

/// What `simulate` reads from its data directory.
struct SimulationData: Sendable {
    /// Every agent's examples.
    let train: ResidentExamples
    /// nil without a split of that name.
    let test: ResidentExamples?
    /// nil without a split of that name, or when nobody will look at it.
    let publicFiles: SplitFiles?
    /// Rows that were left out.
    let warnings: [String]

    /// Reads the examples of agents and those for the test.
    ///
    /// - Throws: `Fault` naming the file that is missing or does not fit the plan.
    init(reading files: SimulationFiles, plan: Plan) throws(Fault) {
        var reader = Reader(plan: plan)
        // What a device holds out it never trains on.
        train = try reader.read(
            files.train, plan.data.heldOut > 0 ? .training(heldOut: plan.data.heldOut) : .all)
        test = try files.test.map { (part) throws(Fault) in try reader.read([part]) }
        publicFiles = files.publicFiles
        warnings = reader.warnings
    }

    /// The public examples for distillation after rounds; nil when the plan does not want it.
    ///
    /// - Throws: `Fault` when they cannot be read, do not fit the plan, or none is held out.
    func teaching(_ teacher: Teacher, plan: Plan) throws(Fault) -> SimulatedTeaching? {
        guard let publicFiles else { return nil }
        var plan = plan
        plan.data = publicFiles.plan
        var examples = try PublicExamples(directory: publicFiles.directory, plan: plan)
        guard var source = examples.heldOut else { return nil }
        var training = ResidentExamples(features: plan.data.features)
        try training.append(&examples.training)
        var heldOut = ResidentExamples(features: plan.data.features)
        try heldOut.append(&source)
        return SimulatedTeaching(teacher: teacher, training: training, heldOut: heldOut)
    }

    private struct Reader {
        let plan: Plan
        var warnings: [String] = []

        mutating func read(
            _ parts: [SplitFiles], _ part: DataPart = .all
        ) throws(Fault) -> ResidentExamples {
            var examples = ResidentExamples(
                features: plan.data.features, targets: plan.data.targets?.columns.count ?? 0)
            for files in parts {
                let source = try DataSet.open(
                    directory: files.directory, plan: files.plan, part: part)
                try examples.append(source)
                if source.unreadable > 0 {
                    warnings.append(
                        "\(files.directory): \(source.unreadable) rows were left out; the first: "
                            + (source.firstUnreadable ?? "unknown"))
                }
            }
            return examples
        }
    }
}
