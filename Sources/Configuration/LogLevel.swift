/// The levels of swift-log, from the most to the least talkative.
let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
