package import Federation

/// What `agent.toml` says.
package struct AgentConfiguration: Sendable {
    /// Where keys, certificates, models and pending updates are kept.
    package var stateDirectory: String
    /// One of swift-log's levels.
    package var logLevel: String
    /// `text` or `json`.
    package var logFormat: String
    /// The port of 127.0.0.1 where metrics are served; nil: nowhere.
    package var metricsPort: Int?
    /// A `[data.NAME]` table each, by name: the plan, and the directory with the files that its
    /// `[data]` names.
    package var data: [(plan: PlanID, directory: String)]
    /// The least local noise multiplier of a plan that this device takes part in; no plan can
    /// weaken it.
    package var localNoiseFloor: Double
    /// When this device takes work.
    package var participation: ParticipationRules
    /// What training may take of it.
    package var limits: TrainingLimits

    package init(
        stateDirectory: String, logLevel: String, data: [(plan: PlanID, directory: String)],
        localNoiseFloor: Double = 0, participation: ParticipationRules = ParticipationRules(),
        limits: TrainingLimits = TrainingLimits(), logFormat: String = logFormats[0],
        metricsPort: Int? = nil
    ) {
        self.stateDirectory = stateDirectory
        self.logLevel = logLevel
        self.logFormat = logFormat
        self.metricsPort = metricsPort
        self.data = data
        self.localNoiseFloor = localNoiseFloor
        self.participation = participation
        self.limits = limits
    }

    /// Reads and parses `file`.
    ///
    /// - Throws: `Fault.storage` when it cannot be read, and what `parse` throws.
    package static func load(file: String) throws(Fault) -> AgentConfiguration {
        try parse(try contents(of: file), file: file)
    }

    /// Parses the text of `file`; relative paths become relative to its directory.
    ///
    /// - Throws: `Fault.invalid` naming file, line and column, and what may be written instead.
    package static func parse(
        _ text: [UInt8], file: String
    ) throws(Fault) -> AgentConfiguration {
        let document = try TOMLDocument(text, file: file)
        let root = try Section<RootKey>(document.root, name: "", file: file)
        let agent = try root.section(.agent, of: AgentKey.self)
        let data = try plans(root.value(.data), file: file) {
            (plan, section: Section<DataKey>) throws(Fault) in
            (plan: plan, directory: try section.directory(.directory))
        }
        return AgentConfiguration(
            stateDirectory: try agent?.directory(.stateDirectory, default: standardStateDirectory)
                ?? standardStateDirectory,
            logLevel: try agent?.word(.logLevel, logLevels, default: "info") ?? "info",
            data: data,
            localNoiseFloor: try root.section(.privacy, of: PrivacyKey.self)?.number(
                .localNoiseFloor, .from(0, to: PrivacyPlan.largestNoiseMultiplier), default: 0)
                ?? 0,
            participation: try ParticipationRules(
                root.section(.participation, of: ParticipationRules.Key.self)),
            limits: try TrainingLimits(root.section(.limits, of: TrainingLimits.Key.self)),
            logFormat: try agent?.word(.logFormat, logFormats, default: logFormats[0])
                ?? logFormats[0],
            metricsPort: try root.section(.metrics, of: MetricsKey.self)?.integer(.port, 0...65535))
    }

    private static let standardStateDirectory = "/var/lib/tributary-agent"

    private enum RootKey: String, SectionKey {
        case agent, data, privacy, participation, limits, metrics
    }

    private enum AgentKey: String, SectionKey {
        case stateDirectory = "state_directory"
        case logLevel = "log_level"
        case logFormat = "log_format"
    }

    private enum DataKey: String, SectionKey { case directory }

    private enum MetricsKey: String, SectionKey { case port }

    private enum PrivacyKey: String, SectionKey { case localNoiseFloor = "local_noise_floor" }
}
