import Cryptography
package import Federation
import Glibc

/// The rounds that this device has taken up in the last 24 hours, kept over restarts.
///
/// While the agent runs only the monotonic clock counts; the wall clock says how old those of an earlier run are.
package struct RecentRounds: Sendable {
    private struct Entry {
        /// `plan/number`.
        let round: String
        /// Seconds before `loadedAt` when it was taken up; negative after it.
        let age: Double
    }

    private let file: String
    private let loadedAt: MonotonicInstant
    private var entries: [Entry] = []
    private let clock = SystemClock()
    private static let day = 86_400.0
    /// What the file's length is a multiple of, in bytes.
    private static let granule = 1024

    /// - Parameter file: `seconds since 1970, space, round` a line; one that is not there or damaged counts as empty.
    package init(file: String) {
        self.file = file
        loadedAt = clock.now
        let now = Double(clock.unixSeconds)
        guard fileSize(file) != nil, let bytes = try? CredentialFile.read(file) else { return }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let taken = Double(words[0]) else { continue }
            // A clock that was set back must not keep a round recent for longer than a day from now.
            entries.append(Entry(round: String(words[1]), age: max(0, now - taken)))
        }
    }

    /// Rounds of the last 24 hours.
    ///
    /// - Parameter besides: is not counted: the one that is taken up, perhaps again.
    package func count(besides: (plan: PlanID, round: RoundID)? = nil) -> Int {
        let name = besides.map { Self.name($0.plan, $0.round) }
        return recent.count { $0.round != name }
    }

    private static func name(_ plan: PlanID, _ round: RoundID) -> String {
        "\(plan)/\(round.number)"
    }

    private var recent: [Entry] {
        let elapsed = clock.now.seconds(since: loadedAt)
        return entries.filter { $0.age + elapsed < Self.day }
    }

    /// Notes that a round is taken up; a round that is taken up again counts once.
    ///
    /// - Throws: `Fault.storage`; it counts nevertheless while the agent runs.
    package mutating func take(_ plan: PlanID, _ round: RoundID) throws(Fault) {
        let name = Self.name(plan, round)
        let elapsed = clock.now.seconds(since: loadedAt)
        entries = recent
        if entries.contains(where: { $0.round == name }) { return }
        entries.append(Entry(round: name, age: -elapsed))
        let now = Double(clock.unixSeconds)
        var text = entries.map { "\(Int64(now - $0.age - elapsed)) \($0.round)\n" }.joined()
        // A file that stays as long as it is needs no entry in the file system's journal to be written.
        let missing = Self.granule - text.utf8.count % Self.granule
        text += String(repeating: "\n", count: missing)
        try RewrittenFile.replace(file, Array(text.utf8), mode: CredentialFile.publicMode)
    }
}
