import Glibc
package import Logging
import Synchronization

/// Writes each record to standard error, in one line.
package struct StderrLog: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let format: LogFormat
    private let isForJournal: Bool

    /// - Parameter isForJournal: whether the journal of systemd reads what is written.
    package init(
        level: Logger.Level, format: LogFormat = .text,
        isForJournal: Bool = StderrLog.isReadByJournal()
    ) {
        logLevel = level
        self.format = format
        self.isForJournal = isForJournal
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        LogCounts.count(event.level)
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let line = LogLine(
            unixMilliseconds: UInt64(max(0, now.tv_sec)) * 1000 + UInt64(now.tv_nsec) / 1_000_000,
            level: event.level, message: "\(event.message)",
            fields: metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" })
        var text = line.written(format, forJournal: isForJournal) + "\n"
        // One write a line, so that lines of several processes do not mix.
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Whether standard error is the journal's: systemd names the file it is in JOURNAL_STREAM, which a child inherits whose
    /// standard error may be another.
    package static func isReadByJournal() -> Bool {
        var status = stat()
        guard let named = getenv("JOURNAL_STREAM"), fstat(STDERR_FILENO, &status) == 0 else {
            return false
        }
        return String(cString: named) == "\(status.st_dev):\(status.st_ino)"
    }
}

/// How many lines this process has written to its log.
enum LogCounts {
    private static let counts = Mutex<[Logger.Level: UInt64]>([:])

    static func count(_ level: Logger.Level) {
        counts.withLock { $0[level, default: 0] += 1 }
    }

    /// Of every level, the least urgent first.
    static var byLevel: [(String, UInt64)] {
        let counts = counts.withLock { $0 }
        return Logger.Level.allCases.map { ("\($0)", counts[$0] ?? 0) }
    }
}
