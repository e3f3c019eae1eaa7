import Federation
import Wire

/// Which of the messages that come on a connection are answered in one packet: a probe with the header that came with it.
/// Every other has an answer of its own before the next is heard.
struct AnsweredTogether {
    /// What came with a probe and is no header: the next to be heard.
    private var ahead: Result<Message, Fault>?

    /// Whether a message was taken from the stream that has not been heard.
    var isAhead: Bool { ahead != nil }

    /// The next messages; none until the rest of the first has come.
    ///
    /// - Throws: as `FrameDecoder.next`, once what came before is heard.
    mutating func next(from decoder: inout FrameDecoder) throws(Fault) -> [Message] {
        if let ahead = ahead.take() { return [try ahead.get()] }
        guard let first = try decoder.next() else { return [] }
        guard case .submitProbe = first else { return [first] }
        do throws(Fault) {
            guard let second = try decoder.next() else { return [first] }
            if case .submitHeader = second { return [first, second] }
            ahead = .success(second)
        } catch {
            ahead = .failure(error)
        }
        return [first]
    }
}
