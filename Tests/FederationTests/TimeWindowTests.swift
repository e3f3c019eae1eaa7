import Federation
import Testing

@Suite("Times of day")
struct TimeWindowTests {
    @Test("a window goes from its first minute to before its last, past midnight too")
    func contains() throws {
        let day = try #require(TimeWindow("08:00-17:30"))
        let night = try #require(TimeWindow("22:00-06:00"))
        let evening = try #require(TimeWindow("18:00-00:00"))
        let always = try #require(TimeWindow("00:00-24:00"))
        for (hour, minute, expected) in [
            (0, 0, [false, true, false, true]), (5, 59, [false, true, false, true]),
            (6, 0, [false, false, false, true]), (8, 0, [true, false, false, true]),
            (17, 29, [true, false, false, true]), (17, 30, [false, false, false, true]),
            (18, 0, [false, false, true, true]), (23, 59, [false, true, true, true]),
        ] {
            let now = hour * 60 + minute
            let found = [day, night, evening, always].map { $0.contains(minuteOfDay: now) }
            #expect(found == expected, "\(TimeWindow.clock(now))")
        }
    }

    @Test("a window is written as it is read")
    func text() {
        for text in ["08:00-17:30", "22:00-06:00", "00:00-24:00"] {
            #expect(TimeWindow(text)?.description == text)
        }
        #expect(TimeWindow("18:00-00:00")?.description == "18:00-24:00")
    }

    @Test(
        "what is no window is refused",
        arguments: [
            "", "-", "8:00-17:00", "08:00", "08:00-", "08:00-08:00", "24:00-06:00", "08:60-09:00",
            "08:00-24:01", "08:00-17:00-18:00", "0８:00-09:00", "-8:00-09:00", "08:00 - 09:00",
            "00:00-00:00",
        ])
    func refused(text: String) {
        #expect(TimeWindow(text) == nil)
    }
}
