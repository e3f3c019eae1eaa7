import CMessages
package import Federation

extension Message {
    /// The frame of this message: a big-endian u32 length, then the protobuf envelope.
    ///
    /// - Throws: `Fault.exhausted` when a field, a list or the whole is above its limit in
    ///   `WireLimits`, and `Fault.invalid` when a string contains a NUL character or a digest is
    ///   not 32 bytes.
    package func encoded() throws(Fault) -> [UInt8] {
        try chunk.withUnsafeBufferPointer { (chunk) throws(Fault) in
            let arena = Arena(limit: WireLimits.conversionBytes, lending: chunk)
            return try withExtendedLifetime(arena) { () throws(Fault) in
                try packed(from: try arena.message(self))
            }
        }
    }

    /// Decodes the payload of a frame, which is what follows the length.
    ///
    /// - Throws: `Fault.invalid` when it is not an envelope with a body this version knows, or a
    ///   field is malformed, and `Fault.exhausted` when a field, a list or the whole is above its
    ///   limit in `WireLimits`.
    package static func decode(payload: some Sequence<UInt8>) throws(Fault) -> Message {
        let decoded = payload.withContiguousStorageIfAvailable { bytes in
            Result { () throws(Fault) in try decode(bytes) }
        }
        if let decoded { return try decoded.get() }
        return try Array(payload).withUnsafeBufferPointer { (bytes) throws(Fault) in
            try decode(bytes)
        }
    }

    /// Decodes a payload in place.
    static func decode(_ payload: UnsafeBufferPointer<UInt8>) throws(Fault) -> Message {
        guard payload.count <= WireLimits.frameBytes else { throw oversized(payload.count) }
        let arena = Arena(limit: WireLimits.conversionBytes)
        return try withExtendedLifetime(arena) { () throws(Fault) in
            let envelope = arena.withAllocator { allocator in
                tributary__v1__envelope__unpack(allocator, payload.count, payload.baseAddress)
            }
            guard let envelope else {
                throw arena.isExhausted
                    ? Fault(.exhausted, "the message takes too much memory to decode")
                    : Fault(
                        .invalid, "the message is not a Tributary envelope",
                        remedy: "send the messages of proto/tributary/v1, or update the older side")
            }
            return try Message(raw: envelope.pointee)
        }
    }

    /// The bytes of a message that carries a piece of a blob or an update.
    private var chunk: [UInt8] {
        switch self {
        case .blobChunk(let message): message.data
        case .submitChunk(let message): message.data
        default: []
        }
    }
}

/// The frame that holds `envelope`.
private func packed(
    from envelope: UnsafeMutablePointer<Tributary__V1__Envelope>
) throws(Fault) -> [UInt8] {
    let size = tributary__v1__envelope__get_packed_size(envelope)
    guard size <= WireLimits.frameBytes else { throw oversized(size) }
    let prefix = WireLimits.prefixBytes
    return [UInt8](unsafeUninitializedCapacity: prefix + size) { frame, count in
        for index in 0..<prefix {
            frame[index] = UInt8(truncatingIfNeeded: size >> (8 * (prefix - 1 - index)))
        }
        count = prefix
        guard let start = frame.baseAddress else { return }
        count += tributary__v1__envelope__pack(envelope, start + prefix)
    }
}

/// Why a frame of `size` bytes is refused.
func oversized(_ size: Int, limit: Int = WireLimits.frameBytes) -> Fault {
    Fault(
        .exhausted,
        "a frame of \(size) bytes is above the limit of \(limit)",
        remedy: "check that both sides speak the Tributary protocol")
}
