package import Configuration
import Cryptography
package import Federation
import Provenance

/// What is on a device of an agent's, for its owner: looked at from outside, with or without a daemon at work.
package struct Holdings: Sendable {
    /// What there is for one plan.
    package struct OfPlan: Sendable {
        package let plan: PlanID
        /// Where the owner's data is; it is only read.
        package let dataDirectory: String
        /// Examples that training would use; nil while the plan is not known, or the data cannot be read.
        package let examples: Int?
        /// Why it would use none.
        package let problem: String?
        package let modelVersion: UInt64?
        /// Of the model's file.
        package let modelBytes: UInt64
        /// Bytes of updates that wait to be sent, or for the coordinator's last word.
        package let pendingBytes: UInt64
        /// The update that was made last, whether or not it waits.
        package let made: SentUpdate?
        /// The last update that left.
        package let sent: SentUpdate?
    }

    package let keyFile: String
    package let certificateExpiresUnix: Int64
    package let plans: [OfPlan]

    /// - Throws: `Fault.notFound` when the device is not enrolled.
    package init(_ configuration: AgentConfiguration) throws(Fault) {
        let directory = StateDirectory(path: configuration.stateDirectory)
        let enrolment = try Enrolment(directory)
        keyFile = directory.keyFile
        certificateExpiresUnix = enrolment.certificate.notAfterUnix
        plans = configuration.data.map { entry in
            Holdings.look(at: entry.plan, entry.directory, configuration, directory)
        }
    }

    private static func look(
        at plan: PlanID, _ dataDirectory: String, _ configuration: AgentConfiguration,
        _ directory: StateDirectory
    ) -> OfPlan {
        var followed = FollowedPlan(
            id: plan, directory: dataDirectory, localNoiseFloor: configuration.localNoiseFloor,
            memoryLimitMiB: configuration.limits.memoryMiB)
        let texts = PlanTexts(directory: directory.planDirectory)
        followed.unknown = texts.unknown(plan)
        if let text = try? texts.read(plan) {
            try? followed.adopt(text, digest: SHA256.digest(of: text))
        }
        let records = SentUpdates(directory: directory.sentDirectory)
        let models = ServingModels(directory: directory.modelDirectory)
        let model = "\(models.directory(of: plan))/\(LoggedModel.modelFile)"
        let updates = names(in: directory.updateDirectory).filter {
            $0.hasPrefix("\(plan).") && !$0.hasSuffix(".header")
        }
        return OfPlan(
            plan: plan, dataDirectory: dataDirectory,
            examples: followed.data == nil ? nil : followed.examples,
            problem: followed.problem, modelVersion: models.version(of: plan),
            modelBytes: fileSize(model) ?? 0,
            pendingBytes: updates.reduce(0) {
                $0 + (fileSize("\(directory.updateDirectory)/\($1)") ?? 0)
            },
            made: records.lastMade(plan), sent: records.last(plan))
    }
}
