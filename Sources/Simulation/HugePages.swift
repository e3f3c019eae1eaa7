import Glibc

extension [UInt8] {
    /// Asks the kernel to back the array's room with pages of 2 MiB, where it is large enough: filling
    /// them and reading rows all over them then costs less. Nothing depends on the answer.
    mutating func preferHugePages() {
        let (size, room) = (2 << 20, capacity)
        withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            let first = start.alignedUp(toMultipleOf: size)
            let length = (start + room).alignedDown(toMultipleOf: size) - first
            if length > 0 { madvise(first, length, MADV_HUGEPAGE) }
        }
    }
}
