import Glibc

// How numbers are shown to people.

/// `12.3 s`, `4 min 05 s`, `2 h 05 min`.
package func duration(_ seconds: Double) -> String {
    guard seconds >= 60 else { return "\(decimal(max(0, seconds), places: 1)) s" }
    let whole = Int(min(seconds, 1e12))
    return whole < 3600
        ? "\(whole / 60) min \(padded(whole % 60)) s"
        : "\(whole / 3600) h \(padded(whole / 60 % 60)) min"
}

/// Four decimals, or a dash for what the wire says is not measured.
package func fraction(_ value: Double) -> String { value < 0 ? "-" : decimal(value, places: 4) }

/// A privacy loss to four significant digits or whole, `none` for a plan without privacy.
package func privacyLoss(_ epsilon: Double) -> String {
    guard epsilon >= 0 else { return "none" }
    guard epsilon.isFinite else { return "unbounded" }
    return decimal(epsilon, places: epsilon >= 1000 ? 0 : epsilon >= 100 ? 1 : 2)
}

/// `2026-01-31 12:00 UTC`; a dash for 0.
package func date(_ unix: UInt64) -> String {
    var seconds = time_t(clamping: unix)
    var parts = tm()
    guard unix > 0, gmtime_r(&seconds, &parts) != nil else { return "-" }
    let day = "\(1900 + Int(parts.tm_year))-\(padded(Int(parts.tm_mon) + 1))"
    return day + "-\(padded(Int(parts.tm_mday))) \(padded(Int(parts.tm_hour)))"
        + ":\(padded(Int(parts.tm_min))) UTC"
}

/// `value` with exactly `places` decimals, 0 to 9; finite and below 10^15 in size.
package func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return value.description }
    let unit = (0..<places).reduce(1.0) { power, _ in power * 10 }
    let scaled = UInt64(min((abs(value) * unit).rounded(), 1e19))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(scaled)" }
    let digits = String(scaled % UInt64(unit))
    let zeros = String(repeating: "0", count: places - digits.count)
    return "\(sign)\(scaled / UInt64(unit)).\(zeros)\(digits)"
}

private func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
