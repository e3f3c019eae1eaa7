import CMessages
import Federation

// Writing fields of C structs. `name` is the field's, for the message of a fault.
extension Arena {
    /// Room for `count` values of `type`.
    private func room<Value>(
        for count: Int, of type: Value.Type
    ) throws(Fault) -> UnsafeMutablePointer<Value> {
        let (size, overflow) = MemoryLayout<Value>.stride.multipliedReportingOverflow(by: count)
        guard !overflow, let place = allocate(size) else {
            throw Fault(.exhausted, "the message takes too much memory to encode")
        }
        return place.bindMemory(to: type, capacity: count)
    }

    /// A C struct filled from `message`.
    func message<Value: WireMessage>(
        _ message: Value
    ) throws(Fault) -> UnsafeMutablePointer<Value.Raw> {
        let raw = try room(for: 1, of: Value.Raw.self)
        Value.prepare(raw)
        try message.fill(&raw.pointee, in: self)
        return raw
    }

    /// A C struct filled from `message`, or nil, which protobuf-c leaves out.
    func optionalMessage<Value: WireMessage>(
        _ message: Value?
    ) throws(Fault) -> UnsafeMutablePointer<Value.Raw>? {
        guard let message else { return nil }
        return try self.message(message)
    }

    /// A C string. protobuf-c measures it with `strlen`, so a NUL inside would cut it short.
    func text(_ text: String, _ name: StaticString) throws(Fault) -> UnsafeMutablePointer<CChar> {
        var text = text
        let bytes = text.withUTF8 { $0.count }
        try check(bytes, name, limit: WireLimits.textBytes, unit: "bytes")
        let place = try room(for: bytes + 1, of: CChar.self)
        let hasNUL = text.withUTF8 { utf8 in
            for (index, byte) in utf8.enumerated() { place[index] = CChar(bitPattern: byte) }
            return utf8.contains(0)
        }
        place[bytes] = 0
        guard !hasNUL else { throw Fault(.invalid, "\(name) contains a NUL character") }
        return place
    }

    func bytes(
        _ bytes: [UInt8], _ name: StaticString, limit: Int
    ) throws(Fault) -> ProtobufCBinaryData {
        try check(bytes.count, name, limit: limit, unit: "bytes")
        let place = try room(for: bytes.count, of: UInt8.self)
        bytes.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { place.update(from: start, count: source.count) }
        }
        return ProtobufCBinaryData(len: bytes.count, data: place)
    }

    /// A SHA-256 digest, or nothing.
    func digest(_ bytes: [UInt8], _ name: StaticString) throws(Fault) -> ProtobufCBinaryData {
        try checkDigest(bytes.count, name)
        return try self.bytes(bytes, name, limit: Digest.byteCount)
    }

    /// The hashes of a path in the log.
    func hashes(
        _ hashes: [[UInt8]], _ name: StaticString
    ) throws(Fault) -> (UnsafeMutablePointer<ProtobufCBinaryData>, Int) {
        try list(hashes, name, limit: WireLimits.pathHashes, digest)
    }

    /// The lent bytes, which protobuf-c reads and never writes.
    func chunk(_ name: StaticString) throws(Fault) -> ProtobufCBinaryData {
        try check(lent.count, name, limit: WireLimits.chunkBytes, unit: "bytes")
        return ProtobufCBinaryData(
            len: lent.count, data: UnsafeMutablePointer(mutating: lent.baseAddress))
    }

    /// A C array of what `convert` makes of each item, and its count.
    func list<Value, Raw>(
        _ items: [Value], _ name: StaticString, limit: Int,
        _ convert: (Value, StaticString) throws(Fault) -> Raw
    ) throws(Fault) -> (UnsafeMutablePointer<Raw>, Int) {
        try check(items.count, name, limit: limit, unit: "items")
        let place = try room(for: items.count, of: Raw.self)
        for (index, item) in items.enumerated() {
            (place + index).initialize(to: try convert(item, name))
        }
        return (place, items.count)
    }

    /// A C array of pointers to the C structs of `items`, and its count.
    func messages<Value: WireMessage>(
        _ items: [Value], _ name: StaticString, limit: Int
    ) throws(Fault) -> (UnsafeMutablePointer<UnsafeMutablePointer<Value.Raw>?>, Int) {
        try list(items, name, limit: limit) { (item, _) throws(Fault) in try message(item) }
    }
}
