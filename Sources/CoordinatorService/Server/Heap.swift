import Glibc

/// What the heap does with memory that is freed.
package enum Heap {
    /// Keeps what a crowd or a large model needed for a moment from staying with the daemon.
    ///
    /// glibc maps large blocks and unmaps them when they are freed; but from the first of them on it counts blocks of that
    /// size as small, and keeps them for good. With a fixed threshold it does not; and the buffers that TLS sets aside for
    /// each connection, mapped on their own, take only the pages that are used.
    static func giveBackFreedMemory() {
        set(mappingThreshold, 32 << 10)
        set(trimThreshold, 1 << 20)
        set(mostArenas, 4)
    }

    /// Lets a command that makes and frees the same buffers again and again have them without asking the kernel for each
    /// page anew.
    package static func keepFreedMemory() {
        set(mappingThreshold, 32 << 20)
        set(trimThreshold, 256 << 20)
    }

    /// M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_ARENA_MAX of malloc.h, which Swift's Glibc leaves out.
    private static let mappingThreshold: CInt = -3
    private static let trimThreshold: CInt = -1
    private static let mostArenas: CInt = -8

    private static func set(_ option: CInt, _ value: CInt) {
        typealias Option = @convention(c) (CInt, CInt) -> CInt
        // Where the C library is another, there is nothing to set.
        guard let symbol = dlsym(nil, "mallopt") else { return }
        _ = unsafeBitCast(symbol, to: Option.self)(option, value)
    }
}
