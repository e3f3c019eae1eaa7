import Federation
import Provenance

/// What a provenance.json says, as far as it can be compared with the log.
struct StatedProvenance {
    /// The privacy that it claims.
    struct Privacy {
        let noiseMultiplier: Double
        let samplingRate: Double
        let delta: Double
        let epsilon: Double
        /// Rounds of the plan that were charged.
        let rounds: UInt64
    }

    let model: Digest
    let fleet: String
    let plan: String
    let population: String
    let version: UInt64
    /// Nil unless a round of agents made the version.
    let round: RoundAttempt?
    let parent: Digest?
    let planDigest: Digest
    /// The Merkle root over update commitments, with its number of slots.
    let updates: (root: Digest, capacity: UInt64)?
    let privacy: Privacy?

    private static let roundBuildType = "urn:tributary:build-type:federated-round:v1"

    /// Reads the file's bytes.
    ///
    /// - Throws: `Fault.untrusted` saying what is missing.
    init(_ bytes: [UInt8]) throws(Fault) {
        guard let json = CanonicalJSON(parsing: bytes),
            json["predicateType"]?.text == "https://slsa.dev/provenance/v1"
        else { throw wrong("it is no SLSA provenance v1") }
        guard let subjects = json["subject"]?.elements, subjects.count == 1,
            subjects[0]["name"]?.text == LoggedModel.modelFile,
            let model = subjects[0].sha256
        else { throw wrong("its subject is not \(LoggedModel.modelFile) alone") }
        let predicate = json["predicate"]
        guard let build = predicate?["buildDefinition"],
            let external = build["externalParameters"], let plan = external["plan"]?.text,
            let population = external["population"]?.text,
            let version = external["version"]?.count,
            let builder = predicate?["runDetails"]?["builder"]?["id"]?.text
        else { throw wrong("it does not say by whom, from which plan or what version it was made") }
        let dependencies = build["resolvedDependencies"]?.elements ?? []
        func dependency(_ name: String) -> CanonicalJSON? {
            dependencies.first { $0["name"]?.text == name }
        }
        guard let planDigest = dependency("plan")?.sha256 else {
            throw wrong("it does not name its plan's digest")
        }
        let isRound = build["buildType"]?.text == Self.roundBuildType
        let round = isRound ? external.roundAttempt : nil
        guard isRound == (round != nil) else { throw wrong("it does not name its round") }
        self.model = model
        fleet = builder
        self.plan = plan
        self.population = population
        self.version = version
        self.round = round
        parent = dependency("parent")?.sha256
        self.planDigest = planDigest
        updates = dependency("updates").flatMap { updates in
            guard let root = updates.sha256,
                let capacity = updates["annotations"]?["capacity"]?.count
            else { return nil }
            return (root, capacity)
        }
        privacy = try external["privacy"].flatMap { (json) throws(Fault) in try Privacy(json) }
    }

    /// Compares it with the model's leaf.
    ///
    /// - Throws: `Fault.untrusted` naming what differs.
    func check(against model: LoggedModel, fleet name: String) throws(Fault) -> String {
        guard self.model == model.model else {
            throw wrong("it is of another \(LoggedModel.modelFile): \(self.model)")
        }
        guard fleet == "tributary://\(name)/coordinator" else {
            throw wrong("its builder is \(fleet), not the fleet '\(name)'")
        }
        guard plan == model.plan.name, version == model.version else {
            throw wrong("it is of \(plan) version \(version)")
        }
        if let round, round.round.number != model.round {
            throw wrong("it names round \(round.round), and the leaf \(model.round)")
        }
        guard parent == model.parent else {
            throw wrong("it names another parent than the leaf does")
        }
        return "of \(plan) version \(version)" + (round.map { ", round \($0)" } ?? "")
    }
}

extension StatedProvenance.Privacy {
    /// nil for JSON's null.
    fileprivate init?(_ json: CanonicalJSON) throws(Fault) {
        if json == .null { return nil }
        func decimal(_ name: String) -> Double? {
            json[name]?.text.flatMap { Double($0) }.flatMap { $0.isNaN ? nil : $0 }
        }
        guard let noiseMultiplier = decimal("noiseMultiplier"),
            let samplingRate = decimal("samplingRate"), let delta = decimal("delta"),
            delta > 0, delta < 1, let epsilon = decimal("epsilon"),
            let rounds = json["rounds"]?.count
        else { throw wrong("its privacy numbers are missing or malformed") }
        self.noiseMultiplier = noiseMultiplier
        self.samplingRate = samplingRate
        self.delta = delta
        self.epsilon = epsilon
        self.rounds = rounds
    }
}

extension CanonicalJSON {
    /// The `sha256` of this object's `digest`; nil when there is none.
    fileprivate var sha256: Digest? { self["digest"]?["sha256"]?.text.flatMap(Digest.init(hex:)) }

    /// A whole number written as text.
    fileprivate var count: UInt64? { text.flatMap { logPosition($0) } }

    /// The members `round` and `attempt`.
    fileprivate var roundAttempt: RoundAttempt? {
        guard let round = self["round"]?.count,
            let attempt = self["attempt"]?.count.flatMap(UInt32.init(exactly:))
        else { return nil }
        return RoundAttempt(round: RoundID(round), attempt: attempt)
    }
}
