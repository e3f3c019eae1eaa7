import AdminConsole
import Testing

@Suite("Quantities for people")
struct QuantitiesTests {
    @Test(
        "durations grow from seconds to hours",
        arguments: [
            (-1, "0.0 s"), (0.04, "0.0 s"), (12.34, "12.3 s"), (60, "1 min 00 s"),
            (245.9, "4 min 05 s"), (7500, "2 h 05 min"), (1e300, "277777777 h 46 min"),
        ])
    func durations(seconds: Double, text: String) { #expect(duration(seconds) == text) }

    @Test(
        "decimals are rounded to the places asked for",
        arguments: [
            (0.84125, 4, "0.8413"), (0.99996, 4, "1.0000"), (12.005, 2, "12.01"), (7.5, 0, "8"),
            (-0.004, 2, "0.00"), (-1.5, 1, "-1.5"), (0.05, 2, "0.05"),
        ])
    func decimals(value: Double, places: Int, text: String) {
        #expect(decimal(value, places: places) == text)
    }

    @Test("an accuracy that was not measured is a dash")
    func unmeasured() {
        #expect(fraction(-1) == "-")
        #expect(fraction(0) == "0.0000")
        #expect(fraction(1) == "1.0000")
    }

    @Test(
        "a privacy loss says when there is none to speak of",
        arguments: [
            (-1, "none"), (0, "0.00"), (4.126, "4.13"), (456.78, "456.8"), (12345.6, "12346"),
            (.infinity, "unbounded"),
        ])
    func losses(epsilon: Double, text: String) { #expect(privacyLoss(epsilon) == text) }

    @Test(
        "dates are UTC; 0 is no date",
        arguments: [
            (0, "-"), (1, "1970-01-01 00:00 UTC"), (1_800_000_000, "2027-01-15 08:00 UTC"),
            (UInt64.max, "-"),
        ])
    func dates(unix: UInt64, text: String) { #expect(date(unix) == text) }
}
