import Glibc

/// The Unix seconds of an ISO 8601 date or time of day in UTC: `2026-11-22`, `2026-11-22T07:30Z` or
/// `2026-11-22T07:30:00Z`; nil for anything else.
package func unixSeconds(iso8601 text: String) -> UInt64? {
    let form = /(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?Z)?/
    guard let match = text.wholeMatch(of: form)?.output else { return nil }
    func number(_ digits: Substring?) -> Int32 { digits.flatMap { Int32($0) } ?? 0 }
    var parts = tm()
    parts.tm_year = number(match.1) - 1900
    parts.tm_mon = number(match.2) - 1
    parts.tm_mday = number(match.3)
    parts.tm_hour = number(match.4)
    parts.tm_min = number(match.5)
    parts.tm_sec = number(match.6)
    // `timegm` makes 3 March of 31 February.
    var normalised = parts
    let seconds = timegm(&normalised)
    let isReal =
        normalised.tm_mon == parts.tm_mon && normalised.tm_mday == parts.tm_mday
        && normalised.tm_hour == parts.tm_hour && normalised.tm_min == parts.tm_min
        && normalised.tm_sec == parts.tm_sec
    return isReal ? UInt64(exactly: seconds) : nil
}
