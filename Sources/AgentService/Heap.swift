import Glibc

/// How the daemon's heap gives memory back.
enum Heap {
    /// Keeps freed memory from staying with the process.
    ///
    /// glibc maps large blocks and unmaps them when they are freed; but from the first of them on it counts blocks of that
    /// size as small, and keeps what training frees for good. A fixed threshold leaves it at that.
    static func giveBackFreedMemory() {
        typealias Option = @convention(c) (CInt, CInt) -> CInt
        // Where the C library is another, there is nothing to set.
        guard let symbol = dlsym(nil, "mallopt") else { return }
        let option = unsafeBitCast(symbol, to: Option.self)
        _ = option(mappingThreshold, 64 << 10)
        _ = option(trimThreshold, 64 << 10)
    }

    /// M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h, which Swift's Glibc leaves out.
    private static let mappingThreshold: CInt = -3
    private static let trimThreshold: CInt = -1
}
