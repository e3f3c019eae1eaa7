import Cryptography
import Glibc

/// How little of the daemon stays in memory while it has nothing to do.
package enum Footprint {
    /// Keeps freed memory from staying with the process.
    ///
    /// glibc maps large blocks and unmaps them when they are freed; but from the first of them on it counts blocks of that
    /// size as small, and keeps what training frees for good. A fixed threshold leaves it at that.
    package static func keepNoFreedMemory() {
        typealias Option = @convention(c) (CInt, CInt) -> CInt
        guard let option = function("mallopt", as: Option.self) else { return }
        _ = option(mappingThreshold, 64 << 10)
        _ = option(trimThreshold, 64 << 10)
    }

    /// How long nothing comes before the daemon counts as idle, in seconds: rounds that follow one another at once need the
    /// same pages again.
    static let silenceSeconds = 2.0

    /// Gives back what only the work before this needed, unless it was given back since.
    static func shrink(unless isLean: inout Bool) {
        if !isLean { shrink() }
        isLean = true
    }

    /// Gives back what only the work before this needed: small freed blocks, and the pages of programs and libraries. Those
    /// that are needed again come back by themselves, from the system's cache as a rule; it takes about a millisecond.
    package static func shrink() {
        typealias Trim = @convention(c) (Int) -> CInt
        if let trim = function("malloc_trim", as: Trim.self) { _ = trim(0) }
        guard let list = try? CredentialFile.read("/proc/self/smaps") else { return }
        for pages in unchangedFilePages(list) {
            let start = UnsafeMutableRawPointer(bitPattern: pages.lowerBound)
            _ = madvise(start, pages.count, MADV_DONTNEED)
        }
    }

    /// The resident mappings of a process that are as their files are and cannot become different: those that hold no page of
    /// its own, as relocated ones are.
    ///
    /// - Parameter list: what Linux shows as the process's `smaps`.
    package static func unchangedFilePages(_ list: [UInt8]) -> [Range<UInt>] {
        var found: [Range<UInt>] = []
        var candidate: Range<UInt>?
        for line in list.split(separator: UInt8(ascii: "\n")) {
            // Two of the twenty lines of a mapping matter, after the one that begins it.
            switch line[line.startIndex] {
            case UInt8(ascii: "R") where line.starts(with: "Rss: ".utf8):
                if isZero(line) { candidate = nil }
            case UInt8(ascii: "A") where line.starts(with: "Anonymous: ".utf8):
                if isZero(line), let pages = candidate { found.append(pages) }
                candidate = nil
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"):
                candidate = pagesOfFile(String(decoding: line, as: UTF8.self))
            default: continue
            }
        }
        return found
    }

    /// Whether the line says `0 kB`.
    private static func isZero(_ line: ArraySlice<UInt8>) -> Bool {
        line.count > 5 && line.suffix(5).elementsEqual(" 0 kB".utf8)
    }

    /// `55d0c0a00000-55d0c0c00000 r-xp 00002000 08:01 4711 /a/file`: the pages, unless they can be written or are of no file.
    private static func pagesOfFile(_ line: String) -> Range<UInt>? {
        let words = line.split(separator: " ")
        guard words.count >= 6, words[1].hasPrefix("r-"), words[4] != "0" else { return nil }
        let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
        guard ends.count == 2, ends[0] < ends[1] else { return nil }
        return ends[0]..<ends[1]
    }

    /// A function of the C library that Swift's Glibc leaves out; nil where the library is another.
    private static func function<Function>(_ name: String, as type: Function.Type) -> Function? {
        dlsym(nil, name).map { unsafeBitCast($0, to: type) }
    }

    /// M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h.
    private static let mappingThreshold: CInt = -3
    private static let trimThreshold: CInt = -1
}
