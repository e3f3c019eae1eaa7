import Federation
import Rounds
import Testing

@Suite("The enrolment policy")
struct EnrolmentPolicyTests {
    private let noon: UInt64 = 1_800_000_000
    private let day = EnrolmentPolicy.clockToleranceSeconds

    @Test("lets in a device whose clock is within a day")
    func accepts() {
        #expect(EnrolmentPolicy.refusal(deviceUnix: noon, nowUnix: noon) == nil)
        #expect(EnrolmentPolicy.refusal(deviceUnix: noon + day, nowUnix: noon) == nil)
        #expect(EnrolmentPolicy.refusal(deviceUnix: noon - day, nowUnix: noon) == nil)
    }

    @Test("refuses a clock that is further off and says by how much and which way")
    func refuses() throws {
        let ahead = try #require(
            EnrolmentPolicy.refusal(deviceUnix: noon + day + 7200, nowUnix: noon))
        #expect(ahead.code == .invalid)
        #expect(ahead.message == "the device's clock is 26 hours ahead of the coordinator's")
        #expect(ahead.remedy.contains("token has not been used"))
        let behind = try #require(
            EnrolmentPolicy.refusal(deviceUnix: noon - day - 1, nowUnix: noon))
        #expect(behind.message == "the device's clock is 24 hours behind the coordinator's")
    }

    @Test("survives clocks at the ends of time")
    func extremes() {
        #expect(EnrolmentPolicy.refusal(deviceUnix: 0, nowUnix: .max) != nil)
        #expect(EnrolmentPolicy.refusal(deviceUnix: .max, nowUnix: 0) != nil)
        #expect(EnrolmentPolicy.refusal(deviceUnix: .max, nowUnix: .max) == nil)
    }
}
