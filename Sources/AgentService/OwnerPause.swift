import Cryptography
package import Federation
import Glibc

/// The owner's word that a device is to take no part for a while; it survives restarts.
package struct OwnerPause: Sendable, Equatable {
    /// When it was said, in seconds since 1970.
    package let sinceUnix: UInt64
    /// When it ends by itself, in seconds since 1970; nil: when the owner says so.
    package let untilUnix: UInt64?
    /// Why, for people at this device: it leaves the device no more than anything else does. Empty: the owner did not say.
    package let reason: String

    /// - Parameter reason: becomes one line.
    package init(sinceUnix: UInt64, untilUnix: UInt64?, reason: String) {
        self.sinceUnix = sinceUnix
        self.untilUnix = untilUnix
        self.reason = String(reason.map { $0.isNewline ? " " : $0 }.prefix(500))
    }

    /// What the coordinator is told.
    static let toldReason = "its owner has paused this device"

    /// The pause as a reason to take no work.
    var fault: Fault {
        Fault(
            .unavailable, Self.toldReason, remedy: "tributary-agent resume --config FILE ends that")
    }

    /// "until 2026-03-01 12:30 UTC: holidays".
    package var words: String {
        let end =
            untilUnix.map { "until \(dateText(Int64(clamping: $0)))" } ?? "until it is resumed"
        return reason.isEmpty ? end : "\(end): \(reason)"
    }

    /// What the owner said last; nil when that is over, or was never said.
    ///
    /// - Parameter unixSeconds: this device's wall clock.
    package static func read(
        _ directory: StateDirectory, unixSeconds: UInt64
    ) -> OwnerPause? {
        guard fileSize(directory.pauseFile) != nil else { return nil }
        // The owner has said something: what cannot be read counts as a pause without an end.
        let text = (try? CredentialFile.read(directory.pauseFile)) ?? []
        let lines = String(decoding: text, as: UTF8.self)
            .split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
        let pause = OwnerPause(
            sinceUnix: lines.first.flatMap { UInt64($0) } ?? 0,
            untilUnix: lines.count > 1 ? UInt64(lines[1]) : nil,
            reason: lines.count > 2 ? lines[2].filter { !$0.isNewline } : "")
        if let until = pause.untilUnix, unixSeconds >= until { return nil }
        return pause
    }

    /// Puts this in place of any earlier pause; a running daemon sees it at once.
    ///
    /// - Throws: `Fault.storage`.
    package func write(_ directory: StateDirectory) throws(Fault) {
        try directory.prepareControl()
        let end = untilUnix.map { "\($0)" } ?? "-"
        try CredentialFile.replace(
            directory.pauseFile, Array("\(sinceUnix)\n\(end)\n\(reason)\n".utf8),
            mode: CredentialFile.publicMode)
    }

    /// Ends a pause.
    ///
    /// - Throws: `Fault.storage` when it cannot be ended.
    package static func end(_ directory: StateDirectory) throws(Fault) {
        if unlink(directory.pauseFile) != 0, errno != ENOENT {
            throw storageFault("cannot remove", directory.pauseFile)
        }
    }

    /// The seconds that "90s", "30m", "2h", "1d12h" are.
    ///
    /// - Throws: `Fault.invalid` saying what may be written.
    package static func seconds(_ text: String) throws(Fault) -> UInt64 {
        let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        var total: UInt64 = 0
        var digits = ""
        var isWhole = !text.isEmpty
        for character in text where isWhole {
            if character.isASCII, character.isNumber {
                digits.append(character)
            } else if let unit = units[character], let count = UInt64(digits), count <= 100_000 {
                total += count * unit
                digits = ""
            } else {
                isWhole = false
            }
        }
        guard isWhole, digits.isEmpty, total > 0 else {
            throw Fault(
                .invalid, "'\(text)' is no length of time",
                remedy: "write numbers with s, m, h or d: 45m, 2h, 1d12h")
        }
        return total
    }
}

extension OwnerPause {
    /// What `pause --json` prints.
    package var answer: String { object([("paused", json)]) }

    /// What `resume --json` prints.
    package static var resumedAnswer: String { object([("paused", "null")]) }
}
