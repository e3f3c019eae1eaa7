import Federation
import Testing
import Wire

@Suite("The worked example of Wire")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let bytes = try Message.leaveRequest(LeaveRequest()).encoded()
        var decoder = FrameDecoder()
        var arrived: [Message] = []
        for byte in bytes {
            decoder.append([byte])
            while let message = try decoder.next() { arrived.append(message) }
        }

        #expect(arrived == [.leaveRequest(LeaveRequest())])
        #expect(decoder.isBetweenFrames)
    }
}
