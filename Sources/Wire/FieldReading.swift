import CMessages
import Federation

/// Reads fields of C structs. `name` is the field's, for the message of a fault.
enum Read {
    /// The text of a C string, empty for nil.
    static func text(_ pointer: UnsafePointer<CChar>?, _ name: StaticString) throws(Fault) -> String
    {
        guard let pointer else { return "" }
        guard let text = String(validatingCString: pointer) else {
            throw Fault(.invalid, "\(name) is not UTF-8")
        }
        try check(text.utf8.count, name, limit: WireLimits.textBytes, unit: "bytes")
        return text
    }

    static func bytes(
        _ data: ProtobufCBinaryData, _ name: StaticString, limit: Int
    ) throws(Fault) -> [UInt8] {
        try check(data.len, name, limit: limit, unit: "bytes")
        return Array(UnsafeBufferPointer(start: data.data, count: data.data == nil ? 0 : data.len))
    }

    /// A SHA-256 digest, or nothing.
    static func digest(_ data: ProtobufCBinaryData, _ name: StaticString) throws(Fault) -> [UInt8] {
        try checkDigest(data.len, name)
        return try bytes(data, name, limit: Digest.byteCount)
    }

    /// The hashes of a path in the log.
    static func hashes(
        _ start: UnsafeMutablePointer<ProtobufCBinaryData>?, _ count: Int, _ name: StaticString
    ) throws(Fault) -> [[UInt8]] {
        try list(start, count, name, limit: WireLimits.pathHashes, digest)
    }

    /// The message that `pointer` points to; protobuf-c sets it whenever the field is there.
    static func part<Value: WireMessage>(_ pointer: UnsafeMutablePointer<Value.Raw>?) throws(Fault)
        -> Value
    {
        guard let pointer else { throw Fault(.internal, "a decoded message has no content") }
        return try Value(raw: pointer.pointee)
    }

    /// The message that `pointer` points to, if any.
    static func optionalPart<Value: WireMessage>(
        _ pointer: UnsafeMutablePointer<Value.Raw>?
    ) throws(Fault) -> Value? {
        guard let pointer else { return nil }
        return try Value(raw: pointer.pointee)
    }

    /// What `convert` makes of each of the `count` items from `start`.
    static func list<Raw, Value>(
        _ start: UnsafeMutablePointer<Raw>?, _ count: Int, _ name: StaticString, limit: Int,
        _ convert: (Raw, StaticString) throws(Fault) -> Value
    ) throws(Fault) -> [Value] {
        try check(count, name, limit: limit, unit: "items")
        var items: [Value] = []
        guard let start else { return items }
        items.reserveCapacity(count)
        for index in 0..<count { items.append(try convert(start[index], name)) }
        return items
    }

    /// The messages that the `count` pointers from `start` point to.
    static func messages<Value: WireMessage>(
        _ start: UnsafeMutablePointer<UnsafeMutablePointer<Value.Raw>?>?, _ count: Int,
        _ name: StaticString, limit: Int
    ) throws(Fault) -> [Value] {
        try list(start, count, name, limit: limit) { (item, _) throws(Fault) in try part(item) }
    }
}
