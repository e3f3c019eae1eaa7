// Amounts as people read them, the same wherever they stand.

/// `1.2 MiB`: one decimal and a binary unit, at most five characters before it.
package func byteCount(_ bytes: UInt64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    guard bytes >= 1000 else { return "\(bytes) B" }
    var value = Double(bytes) / 1024
    var unit = 0
    // 999.95 would be shown as 1000.0.
    while value >= 999.95, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
}

/// `1 agent`, `2 agents`.
///
/// - Parameter many: the plural of a noun that does not take an s.
package func counted(
    _ number: some BinaryInteger, _ noun: String, plural many: String? = nil
) -> String {
    "\(number) \(number == 1 ? noun : many ?? noun + "s")"
}
