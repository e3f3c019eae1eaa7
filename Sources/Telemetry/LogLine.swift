import Federation
import Glibc
package import Logging

/// How a log is written.
package enum LogFormat: String, Sendable, CaseIterable {
    /// A line a record, for people.
    case text
    /// A JSON object a line, for programs.
    case json
}

/// One record of a log: what happened, and to which round, agent or plan as fields of their own.
package struct LogLine: Sendable {
    package let unixMilliseconds: UInt64
    package let level: Logger.Level
    package let message: String
    /// Ordered by name.
    package let fields: [(name: String, value: String)]

    package init(
        unixMilliseconds: UInt64, level: Logger.Level, message: String, fields: [String: String]
    ) {
        self.unixMilliseconds = unixMilliseconds
        self.level = level
        self.message = message
        self.fields = fields.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    /// The record in a line, without its end.
    ///
    /// - Parameter forJournal: the line begins with its priority, as sd-daemon(3) has it, and is without the time, which the
    ///   journal notes itself.
    package func written(_ format: LogFormat, forJournal: Bool = false) -> String {
        let line =
            switch format {
            case .text: text(withTime: !forJournal)
            case .json: json
            }
        return forJournal ? "<\(level.priority)>\(line)" : line
    }

    /// `time level message key=value ...`
    private func text(withTime: Bool) -> String {
        var line = withTime ? time("%Y-%m-%dT%H:%M:%SZ") + " " : ""
        // Whatever is logged stays in its line.
        line += "\(level) \(String(message.map { $0.isNewline ? " " : $0 }))"
        for (name, value) in fields { line += " \(name)=\(quoted(value))" }
        return line
    }

    private static let ownMembers = ["time", "level", "message"]

    /// `{"time", "level", "message"}` and a member a field.
    private var json: String {
        let milliseconds = String(unixMilliseconds % 1000 + 1000).dropFirst()
        var members = [
            "\"time\":\"\(time("%Y-%m-%dT%H:%M:%S")).\(milliseconds)Z\"",
            "\"level\":\"\(level)\"", "\"message\":\(jsonString(message))",
        ]
        for (name, value) in fields where !Self.ownMembers.contains(name) {
            members.append("\(jsonString(name)):\(jsonString(value))")
        }
        return "{\(members.joined(separator: ","))}"
    }

    /// A value with spaces is quoted, so that a line can be taken apart again.
    private func quoted(_ value: String) -> String {
        let plain = value.allSatisfy { $0 > " " && $0 != "\"" && $0 != "=" }
        return plain && !value.isEmpty ? value : jsonString(value)
    }

    private func time(_ format: String) -> String {
        utcText(Int64(clamping: unixMilliseconds / 1000), format)
    }
}

/// `unixSeconds` in UTC as strftime(3) writes it.
package func utcText(_ unixSeconds: Int64, _ format: String) -> String {
    var seconds = time_t(unixSeconds)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 40)
    let count = strftime(&text, text.count, format, &parts)
    return String(decoding: text.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

extension Logger.Level {
    /// syslog(3)'s number for it.
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
