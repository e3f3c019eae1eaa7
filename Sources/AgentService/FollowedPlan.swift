import Configuration
import DataSets
package import Federation
package import Learning
import Wire

/// How a version does on examples that the device keeps from training, by its plan's measure. It is for the device's owner:
/// nothing of it leaves the device.
package struct HeldOutMeasure: Sendable, Equatable {
    package let version: UInt64
    package let examples: Int
    /// From 0 to 1, more is better: of classes their accuracy.
    package let accuracy: Double

    package init(version: UInt64, examples: Int, accuracy: Double) {
        self.version = version
        self.examples = examples
        self.accuracy = accuracy
    }
}

/// A plan that the configuration gives data for, as far as it is known.
package struct FollowedPlan {
    let id: PlanID
    let directory: String
    /// The least local noise multiplier with which this device takes part.
    let localNoiseFloor: Double
    /// The most memory that training may allocate, in MiB; nil: as much as it needs.
    let memoryLimitMiB: Int?
    /// The plan and the digest of its text; nil until the coordinator has named it.
    private(set) var known: (plan: Plan, digest: Digest)?
    /// Set when the coordinator has no such plan.
    package var unknown: UnknownPlan?
    /// The data, opened by what the plan says; nil while it cannot be.
    private(set) var data: DataSet?
    /// Why there is no data.
    private(set) var dataFault: Fault?
    /// Why training on this data does not fit this device.
    private var memoryFault: Fault?
    /// What training on this data allocates at most, in MiB; 0 while that is not known.
    private(set) var plannedMiB = 0
    /// How the newest version that was measured does on the examples held out; nil where there are none.
    package private(set) var heldOutMeasure: HeldOutMeasure?
    private var lastNews = DataNews.whole

    /// What people should know of the data.
    enum DataNews: Equatable {
        /// There is no such plan.
        case unknown(Fault)
        /// The device does not take part in the plan.
        case withheld(Fault)
        case missing(Fault)
        case unreadable(rows: Int, first: String)
        case whole
    }

    /// - Parameter directory: where the configuration says the plan's data is.
    package init(
        id: PlanID, directory: String, localNoiseFloor: Double = 0, memoryLimitMiB: Int? = nil
    ) {
        self.id = id
        self.directory = directory
        self.localNoiseFloor = localNoiseFloor
        self.memoryLimitMiB = memoryLimitMiB
    }

    /// Examples to train on; none for a plan that the device's owner refuses.
    package var examples: Int { refusal == nil ? data?.count ?? 0 : 0 }

    /// Whether the plan promises that what is told of the data is covered by its noise.
    var isPrivate: Bool { known?.plan.privacy != nil }

    /// Why the device does not take part: the plan has its agents add less noise than the owner's
    /// floor, or needs more memory than the owner gives.
    var refusal: Fault? {
        guard let plan = known?.plan else { return nil }
        return LocalTraining.refusal(of: plan, localNoiseFloor: localNoiseFloor) ?? memoryFault
    }

    /// What to mend, for people: that there is no such plan, why it is refused or there is no data, or
    /// the first row left out.
    package var problem: String? {
        unknown?.fault.description ?? refusal?.description ?? dataFault?.description
            ?? data?.firstUnreadable
    }

    /// Examples of each class, from class 0 on, "120 80 7"; nil without data, or where classes are not what is learned.
    var classCounts: String? {
        guard let data, known?.plan.training.objective == .classification else { return nil }
        return data.tally.classes.map(String.init).joined(separator: " ")
    }

    /// Takes the plan's text and opens the data that it describes.
    ///
    /// - Throws: `Fault.invalid` when the text is no plan of this name. Missing data is no error, see `dataFault`.
    package mutating func adopt(_ text: [UInt8], digest: Digest) throws(Fault) {
        let plan = try PlanFile.parse(
            text, file: "the plan '\(id)' from the coordinator", for: .device)
        guard plan.id == id else {
            throw Fault(
                .invalid, "the text of the plan '\(id)' is that of '\(plan.id)'",
                remedy: "look into the coordinator's log")
        }
        known = (plan, digest)
        reopenData()
    }

    /// Opens the data anew: it may have grown since.
    package mutating func reopenData() {
        data = nil
        openData()
    }

    /// Opens the data unless it is open or the plan is unknown.
    mutating func openData() {
        guard data == nil, let known else { return }
        do throws(Fault) {
            let share = known.plan.data.heldOut
            let opened = try DataSet.open(
                directory: directory, plan: known.plan.data,
                part: share > 0 ? .training(heldOut: share) : .all)
            data = opened
            dataFault = nil
            plannedMiB = LocalTraining.plannedMiB(known.plan, examples: opened.count) ?? 0
            memoryFault = LocalTraining.refusal(
                of: known.plan, examples: opened.count, memoryLimitMiB: memoryLimitMiB)
        } catch { dataFault = error }
    }

    /// Whether the plan has examples kept from training.
    var holdsOut: Bool { known?.plan.data.heldOut ?? 0 > 0 }

    /// Measures a version of the plan's model on the examples held out, unless that is done or there are none.
    ///
    /// - Parameter beforeBatch: called before each few examples; what it throws ends the measuring.
    /// - Throws: `Fault` when the data cannot be read, or there are too few kinds of examples to measure with.
    package mutating func measure(
        _ model: QuantizedModel, version: UInt64,
        beforeBatch: @escaping () throws(Fault) -> Void = {}
    ) throws(Fault) {
        guard holdsOut, let plan = known?.plan, data != nil, refusal == nil,
            heldOutMeasure?.version != version
        else { return }
        heldOutMeasure = nil
        var heldOut = WatchedExamples(
            examples: try DataSet.open(
                directory: directory, plan: plan.data, part: .heldOut(plan.data.heldOut)),
            beforeBatch: beforeBatch)
        guard heldOut.count > 0 else { return }
        heldOutMeasure = HeldOutMeasure(
            version: version, examples: heldOut.count,
            accuracy: try model.measure(plan.training.objective, on: &heldOut))
    }

    /// Lets go of data that cannot be read any more; the next check-in opens it anew.
    mutating func closeData(because fault: Fault) {
        data = nil
        dataFault = fault
    }

    /// The state of the data, when it has changed since the last call.
    mutating func dataNews() -> DataNews? {
        let news: DataNews
        if let unknown {
            news = .unknown(unknown.fault)
        } else if let refusal {
            news = .withheld(refusal)
        } else if let dataFault {
            news = .missing(dataFault)
        } else if let data {
            news =
                data.firstUnreadable.map { .unreadable(rows: data.unreadable, first: $0) } ?? .whole
        } else {
            return nil
        }
        guard news != lastNews else { return nil }
        lastNews = news
        return news
    }

    /// What a check-in says about this plan; how much data there is stays here if the plan is
    /// private.
    ///
    /// - Parameter version: the version held to predict with.
    func readiness(version: UInt64?) -> PlanReadiness {
        let plan = known?.plan
        let unreadable = plan?.privacy == nil ? data?.unreadable ?? 0 : 0
        return PlanReadiness(
            plan: id.name, planDigest: known?.digest.bytes ?? [],
            examples: UInt64(plan?.disclosed(examples: examples) ?? 0),
            unreadable: UInt64(unreadable), hasModel: version != nil, modelVersion: version ?? 0)
    }
}
