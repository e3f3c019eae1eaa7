import Federation
import Glibc
package import Logging

/// Writes one line a record to standard error: time, level, message, then `key=value` for each piece of metadata.
package struct StderrLog: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]

    package init(level: Logger.Level) { logLevel = level }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = formatted(Int64(time(nil)), "%Y-%m-%dT%H:%M:%SZ")
        line += " \(event.level) \(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(quoted("\(value)"))"
        }
        line += "\n"
        // One write a line, so that lines of several processes do not mix.
        line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// A value with spaces is quoted, so that a line can be taken apart again.
    private func quoted(_ value: String) -> String {
        let plain = value.allSatisfy { $0 > " " && $0 != "\"" && $0 != "=" }
        return plain && !value.isEmpty ? value : jsonString(value)
    }
}
