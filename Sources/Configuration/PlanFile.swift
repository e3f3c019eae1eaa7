package import Federation

/// A plan as a TOML file.
package enum PlanFile {
    /// Who reads a plan.
    package enum Reader: Sendable {
        /// It draws the noise: a target epsilon becomes a noise multiplier.
        case coordinator
        /// It does not, and is spared the arithmetic: the noise multiplier of a target stays infinite.
        case device
    }

    /// Parses the text of `file`.
    ///
    /// - Throws: `Fault.invalid` naming file, line and column, and what may be written instead: not
    ///   TOML, an unknown or a missing key, a value of the wrong type or outside its range, or
    ///   values that contradict each other.
    package static func parse(
        _ text: [UInt8], file: String, for reader: Reader = .coordinator
    ) throws(Fault) -> Plan {
        let document = try TOMLDocument(text, file: file)
        let root = try Section<PlanKey>(document.root, name: "", file: file)
        let identity = try root.requiredSection(.plan, of: IdentityKey.self)
        let id = try planID(identity)
        let training = try trainingPlan(
            try root.requiredSection(.training, of: TrainingKey.self))
        let data = try dataPlan(
            try root.requiredSection(.data, of: DataKey.self), training.objective)
        let privacy = try privacyPlan(
            try root.section(.privacy, of: PrivacyKey.self), for: reader)
        let layers = try layers(root, data, training.objective)
        return Plan(
            id: id, title: try title(identity, id), population: try population(identity, id),
            data: data, layers: layers, training: training,
            teacher: try teacherPlan(root, data, training.objective),
            distillation: try distillationPlan(
                try root.requiredSection(.distillation, of: DistillationKey.self),
                training.objective, layers),
            round: try roundPlan(try root.requiredSection(.round, of: RoundKey.self), privacy),
            clipping: try clippingPlan(
                try root.requiredSection(.clipping, of: ClippingKey.self), privacy, for: reader),
            privacy: privacy,
            server: try serverPlan(try root.section(.server, of: ServerKey.self)),
            sealing: try sealingPlan(try root.section(.sealing, of: SealingKey.self)),
            card: try cardPlan(try root.section(.modelCard, of: CardKey.self)),
            schedule: try schedulePlan(try root.section(.schedule, of: ScheduleKey.self)),
            retention: try retentionPlan(try root.section(.retention, of: RetentionKey.self)))
    }

    private static let nameRule =
        "a name of 1 to 40 characters of a-z 0-9 -, beginning with a letter"

    private static func planID(_ section: Section<IdentityKey>) throws(Fault) -> PlanID {
        let name = try section.text(.name, nameRule) { PlanID($0) != nil }
        guard let id = PlanID(name) else { throw section.fault(.name, "is no name", nameRule) }
        return id
    }

    private static func title(
        _ section: Section<IdentityKey>, _ id: PlanID
    ) throws(Fault) -> String {
        try section.text(.title, "a line of 1 to 200 bytes", default: id.name) {
            (1...200).contains($0.utf8.count) && $0.unicodeScalars.allSatisfy { $0.value >= 32 }
        }
    }

    private static func population(
        _ section: Section<IdentityKey>, _ id: PlanID
    ) throws(Fault) -> String {
        try section.text(.population, nameRule, default: id.name) { PlanID($0) != nil }
    }

    enum PlanKey: String, SectionKey {
        case plan, data, model, training, teacher, distillation, round, clipping, privacy, server
        case sealing, schedule, retention
        case modelCard = "model_card"
    }

    private enum IdentityKey: String, SectionKey { case name, title, population }
}
