import Federation
import RunRecords
import Simulation

/// The seconds of a run in this process.
struct RunWatch {
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant

    init() { began = clock.now }

    var seconds: Double { (clock.now - began) / .seconds(1) }
}

/// Keeps a run's record while it runs, and what an interrupted run goes on from.
final class RunRecorder {
    private(set) var record: RunRecord
    /// Nil when nothing is kept.
    let file: RunFile?

    private let lock: RunLock?
    private let goesOn: Bool
    private let digests: Digests?
    /// What so many rounds spend; nil without privacy.
    private let epsilon: (Int) -> Double?
    private let checkpointSeconds: Double
    private let watch: RunWatch
    /// Of the processes before this one.
    private let before: Spent
    private var roundsBegan = 0.0
    private var recordWritten = 0.0
    private var checkpointWritten = 0.0
    private var epsilonMade = 0.0
    /// Whoever watches a run looks at its record; more often nobody can.
    private static let recordSeconds = 1.0

    /// - Parameters:
    ///   - lock: of a run that was interrupted; nil for a new one, which is locked here.
    ///   - epsilon: what so many rounds spend; nil without privacy.
    /// - Throws: `Fault.conflict` when another process is at the run.
    init(
        _ record: RunRecord, file: RunFile?, lock: RunLock?, digests: Digests?,
        checkpointSeconds: Double, watch: RunWatch, epsilon: @escaping (Int) -> Double?
    ) throws(Fault) {
        self.record = record
        self.file = file
        self.digests = digests
        self.checkpointSeconds = checkpointSeconds
        self.watch = watch
        self.epsilon = epsilon
        before = record.spent
        goesOn = lock != nil
        if lock == nil, let file { self.lock = try RunLock(file) } else { self.lock = lock }
    }

    /// The rounds begin with `state`.
    ///
    /// - Parameter isCostly: whether it took long to come so far.
    func begin(_ state: SimulationState, isCostly: Bool) throws(Fault) {
        record.rounds.removeAll { $0.round > state.rounds }
        record.summary = summary()
        roundsBegan = watch.seconds
        if isCostly {
            try keep(state)
        } else if goesOn {
            try write()
        } else {
            // The file of a new run is as old as its lock.
            recordWritten = watch.seconds
        }
    }

    /// A round has run, and `state` is what it left.
    func add(_ round: SimulatedRound, _ state: SimulationState) throws(Fault) {
        record.rounds.append(RoundMetrics(round))
        record.summary = summary()
        let now = watch.seconds
        if now - checkpointWritten >= checkpointSeconds {
            try keep(state)
        } else if now - recordWritten >= RunRecorder.recordSeconds {
            try write()
        }
    }

    /// All rounds have run.
    func finish() throws(Fault) { try end(.finished, nil) }

    /// No round can be run any more; when only the disk is in the way, the run can be gone on with.
    func fail(_ fault: Fault) throws(Fault) {
        guard fault.code != .storage else { return }
        try end(.failed, fault.message)
    }

    private func end(_ state: RunRecord.State, _ fault: String?) throws(Fault) {
        // A failed run may have failed for what is wrong with the data.
        if let digests {
            record.data = state == .finished ? try digests.wait() : (try? digests.wait()) ?? []
        }
        (record.state, record.fault) = (state, fault)
        if let last = record.rounds.indices.last {
            record.rounds[last].epsilon =
                record.rounds[last].epsilon ?? epsilon(record.rounds[last].round)
        }
        try write()
        file?.removeCheckpoint()
    }

    /// The record first: it may say more than the checkpoint, but not less.
    private func keep(_ state: SimulationState) throws(Fault) {
        if let digests { record.data = try digests.wait() }
        try write()
        try file?.writeCheckpoint(state.encoded())
        checkpointWritten = watch.seconds
    }

    private func write() throws(Fault) {
        let now = watch.seconds
        // Whatever comes of the run, its record says what it has spent, and of which data. An epsilon
        // takes longer than a small round.
        if record.state != .running || now - epsilonMade >= RunRecorder.recordSeconds {
            record.summary.epsilon = record.rounds.last.flatMap { $0.epsilon ?? epsilon($0.round) }
            epsilonMade = now
        }
        if record.data.isEmpty, let made = digests?.made { record.data = made }
        record.spent.wallSeconds = before.wallSeconds + now
        record.spent.roundsSeconds = before.roundsSeconds + now - roundsBegan
        record.spent.peakMemoryMiB = MachineFacts.peakMemoryMiB
        recordWritten = now
        try file?.write(record)
    }

    private func summary() -> Summary {
        var summary = Summary()
        let measured = record.rounds.compactMap(\.accuracy)
        summary.accuracyLast = measured.last
        summary.accuracyBest = measured.max()
        summary.epsilon = record.summary.epsilon
        summary.clientRounds = record.rounds.reduce(0) { $0 + $1.reported }
        return summary
    }

    /// What a progress bar says beside how much is done; `already` rounds had run before.
    func detail(of rounds: Int, since already: Int) -> String {
        let done = record.rounds.count
        var words = "round \(done)"
        if let accuracy = record.summary.accuracyLast { words += ", \(written(accuracy))" }
        let left =
            (watch.seconds - roundsBegan) / Double(max(1, done - already))
            * Double(rounds - done)
        return words + ", \(duration(left)) left"
    }

    private func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        return whole < 100 ? "\(whole) s" : "\(whole / 60) min"
    }
}

extension RoundMetrics {
    fileprivate init(_ round: SimulatedRound) {
        self.init(
            round: round.number, selected: round.selected, reported: round.reported,
            withinClip: round.withinClip, clippingNorm: Double(round.clippingNorm),
            accuracy: round.accuracy, epsilon: round.epsilon,
            distillationKept: round.distillation?.isAccepted,
            wouldBeRefused: round.wouldBeRefused, fault: round.firstFault?.message)
    }
}
