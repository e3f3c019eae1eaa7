import Foundation

// How numbers and times are written on pages. Units stand behind the number; nothing is rounded to look better than it is.

/// A point in time.
struct Moment: Equatable {
    /// ISO 8601, UTC.
    let iso: String
    /// The same for people.
    let text: String

    init(unix: UInt64) {
        // Later than any date of this project is shown as that.
        let seconds = Double(min(unix, 253_402_300_799))
        iso = Date(timeIntervalSince1970: seconds).formatted(.iso8601)
        text = iso.replacing("T", with: " ").replacing("Z", with: " UTC")
    }

    init(unixMilliseconds: UInt64) { self.init(unix: unixMilliseconds / 1000) }
}

/// What stands where there is nothing to tell.
let nothing = "–"

/// "10,000".
package func grouped(_ number: some BinaryInteger) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
        text.append(digit)
    }
    return (number < 0 ? "-" : "") + text
}

/// "1 agent", "10,000 agents".
func counted(_ number: some BinaryInteger, _ noun: String) -> String {
    "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
}

/// `number` with exactly `digits` decimals.
func fixed(_ number: Double, _ digits: Int) -> String {
    guard number.isFinite else { return number.isNaN ? "not a number" : "infinite" }
    return String(format: "%.\(digits)f", number)
}

/// An accuracy in per cent; negative: it was not measured.
func accuracyText(_ accuracy: Double) -> String {
    accuracy < 0 ? nothing : "\(fixed(100 * accuracy, 2)) %"
}

func accuracyText(_ accuracy: Double?) -> String { accuracyText(accuracy ?? -1) }

/// An epsilon with three significant digits or none after the point, rounded up: a loss must not look smaller than it is.
package func epsilonText(_ epsilon: Double) -> String {
    guard epsilon.isFinite else { return "infinite" }
    guard epsilon > 0 else { return "0" }
    guard epsilon < 100 else { return grouped(Int(min(epsilon, 1e15).rounded(.up))) }
    let digits = epsilon < 1 ? 3 : epsilon < 10 ? 2 : 1
    let scale = pow(10, Double(digits))
    return fixed((epsilon * scale).rounded(.up) / scale, digits)
}

/// A delta, which is a power of ten more often than not: "10⁻⁵".
package func deltaText(_ delta: Double) -> String {
    guard delta > 0, delta < 1 else { return "\(delta)" }
    let exponent = log10(delta).rounded(.down)
    let factor = delta / pow(10, exponent)
    let digits = String(Int(-exponent)).map { String(superscripts[Int(String($0)) ?? 0]) }
    let power = "10⁻" + digits.joined()
    let rounded = (factor * 100).rounded() / 100
    return rounded == 1 ? power : "\(plain(rounded))·\(power)"
}

private let superscripts = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")

/// A setting as it was written: without a needless fraction.
func plain(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? grouped(Int(number)) : "\(number)"
}

/// "413.2 KiB".
package func bytesText(_ bytes: UInt64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    return unit == 0 ? counted(bytes, "byte") : "\(fixed(value, 1)) \(units[unit])"
}

/// "4.2 s", "3 min 20 s", "2 h 5 min", "3 days".
package func durationText(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return nothing }
    if seconds < 10 { return "\(fixed(seconds, seconds < 1 ? 2 : 1)) s" }
    let whole = Int(seconds.rounded())
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3600: return joined(whole / 60, "min", whole % 60, "s")
    case ..<86_400: return joined(whole / 3600, "h", whole % 3600 / 60, "min")
    default: return counted(whole / 86_400, "day")
    }
}

private func joined(_ large: Int, _ unit: String, _ small: Int, _ part: String) -> String {
    small == 0 ? "\(large) \(unit)" : "\(large) \(unit) \(small) \(part)"
}

/// "12 s ago"; "never" for 0.
package func ago(_ unix: UInt64, now: UInt64) -> String {
    guard unix > 0 else { return "never" }
    let seconds = now > unix ? now - unix : 0
    switch seconds {
    case ..<2: return "just now"
    case ..<120: return "\(seconds) s ago"
    case ..<7200: return "\(seconds / 60) min ago"
    case ..<172_800: return "\(seconds / 3600) h ago"
    default: return "\(grouped(seconds / 86_400)) days ago"
    }
}

/// `text` with what HTML gives a meaning replaced; templates do it themselves, this is for what stands in charts.
func escaped(_ text: String) -> String {
    var safe = ""
    for character in text.unicodeScalars {
        switch character {
        case "&": safe += "&amp;"
        case "<": safe += "&lt;"
        case ">": safe += "&gt;"
        case "\"": safe += "&quot;"
        case "'": safe += "&#39;"
        default: safe.unicodeScalars.append(character)
        }
    }
    return safe
}
