/// The levels of swift-log, from the most to the least talkative.
let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

/// How a log is written, the default first: for people, for programs.
package let logFormats = ["text", "json"]
