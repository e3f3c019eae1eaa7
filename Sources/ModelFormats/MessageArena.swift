import CMessages
import CProtobufC

/// The memory of C messages while they are encoded: handed out piece by piece, released together.
final class MessageArena {
    private var pieces: [UnsafeMutableRawPointer] = []

    deinit {
        for piece in pieces { piece.deallocate() }
    }

    /// A copy of `values`, plain C values, that lives as long as the arena.
    func array<Value>(_ values: some Collection<Value>) -> UnsafeMutablePointer<Value> {
        let start = UnsafeMutablePointer<Value>.allocate(capacity: max(1, values.count))
        pieces.append(UnsafeMutableRawPointer(start))
        let copy = UnsafeMutableBufferPointer(start: start, count: values.count)
        _ = copy.initialize(fromContentsOf: values)
        return start
    }

    func text(_ text: String) -> UnsafeMutablePointer<CChar> { array(text.utf8CString) }

    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        ProtobufCBinaryData(len: bytes.count, data: array(bytes))
    }

    /// A message: `prepare` is its generated `..._init`, `fill` sets its fields.
    func message<Message>(
        _ prepare: (UnsafeMutablePointer<Message>?) -> Void, _ fill: (inout Message) -> Void
    ) -> UnsafeMutablePointer<Message> {
        let message = UnsafeMutablePointer<Message>.allocate(capacity: 1)
        pieces.append(UnsafeMutableRawPointer(message))
        prepare(message)
        fill(&message.pointee)
        return message
    }

    /// What `convert` makes of each item, as a C array of pointers.
    func list<Item, Value>(
        _ items: [Item], _ convert: (Item) -> UnsafeMutablePointer<Value>
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Value>?> {
        array(items.map { Optional(convert($0)) })
    }
}
