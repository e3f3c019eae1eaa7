import CMessages

/// The memory of one message while it is encoded or decoded: bounded, and released as a whole.
///
/// protobuf-c builds a message from many small allocations. Taking them from one owner means that
/// no path, failed ones included, can leak or free twice, and that a message cannot take more than
/// `limit` bytes.
final class Arena {
    private static let blockBytes = 8 << 10
    private static let alignment = 16

    private var blocks: [UnsafeMutableRawPointer] = []
    private var next: UnsafeMutableRawPointer?
    private var left = 0
    private var budget: Int
    /// Bytes that the caller keeps alive while the arena lives, so that a chunk is not copied on
    /// its way out.
    let lent: UnsafeBufferPointer<UInt8>
    /// Whether an allocation was refused because `limit` was reached.
    private(set) var isExhausted = false

    init(limit: Int, lending lent: UnsafeBufferPointer<UInt8> = .init(start: nil, count: 0)) {
        budget = limit
        self.lent = lent
    }

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// `size` uninitialised bytes, aligned for any C type; nil when the limit is reached.
    func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size >= 0, size <= budget else {
            isExhausted = true
            return nil
        }
        let rounded = (max(size, 1) + Arena.alignment - 1) & ~(Arena.alignment - 1)
        if rounded > left {
            let bytes = max(rounded, Arena.blockBytes)
            let block = UnsafeMutableRawPointer.allocate(
                byteCount: bytes, alignment: Arena.alignment)
            blocks.append(block)
            next = block
            left = bytes
        }
        guard let place = next else { return nil }
        next = place + rounded
        left -= rounded
        budget -= rounded
        return place
    }

    /// Calls `body` with the arena as protobuf-c's allocator; what it allocates lives as long as
    /// the arena.
    func withAllocator<Result>(
        _ body: (UnsafeMutablePointer<ProtobufCAllocator>) -> Result
    ) -> Result {
        withExtendedLifetime(self) {
            var allocator = ProtobufCAllocator(
                alloc: { arena, size in
                    guard let arena else { return nil }
                    return Unmanaged<Arena>.fromOpaque(arena).takeUnretainedValue().allocate(size)
                },
                free: { _, _ in },
                allocator_data: Unmanaged.passUnretained(self).toOpaque())
            return body(&allocator)
        }
    }
}
