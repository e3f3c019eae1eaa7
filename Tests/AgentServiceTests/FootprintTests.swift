import AgentService
import Foundation
import Testing

@Suite("The daemon's pages")
struct FootprintTests {
    /// A mapping as Linux describes it, in lines that matter here and some that do not.
    private static func mapping(
        _ pages: String, _ rights: String, inode: Int, resident: Int, own: Int
    ) -> String {
        """
        \(pages) \(rights) 00001000 08:01 \(inode)   /usr/bin/a program
        Size:               2048 kB
        Rss:                \(resident) kB
        Private_Dirty:         0 kB
        Anonymous:          \(own) kB
        VmFlags: rd ex mr mw me sd

        """
    }

    private func found(_ list: String) -> [Range<UInt>] {
        Footprint.unchangedFilePages(Array(list.utf8))
    }

    @Test("resident pages that are as their file is are found, those of several files in order")
    func unchanged() {
        let list =
            Self.mapping("1000-3000", "r-xp", inode: 7, resident: 8, own: 0)
            + Self.mapping("7f00a0000000-7f00a0002000", "r--p", inode: 9, resident: 4, own: 0)
        #expect(found(list) == [0x1000..<0x3000, 0x7f00_a000_0000..<0x7f00_a000_2000])
    }

    @Test("pages that can be written, are relocated, of no file or not there are left alone")
    func others() {
        #expect(found(Self.mapping("1000-3000", "rw-p", inode: 7, resident: 8, own: 0)).isEmpty)
        #expect(found(Self.mapping("1000-3000", "r--p", inode: 7, resident: 8, own: 4)).isEmpty)
        #expect(found(Self.mapping("1000-3000", "r-xp", inode: 0, resident: 8, own: 0)).isEmpty)
        #expect(found(Self.mapping("1000-3000", "r-xp", inode: 7, resident: 0, own: 0)).isEmpty)
    }

    @Test("a list that is cut off or is none yields nothing that it does not say")
    func damaged() {
        let whole = Self.mapping("1000-3000", "r-xp", inode: 7, resident: 8, own: 0)
        for count in 0..<whole.utf8.count {
            let cut = String(decoding: whole.utf8.prefix(count), as: UTF8.self)
            #expect(found(cut).isEmpty || cut.contains("Anonymous:          0 kB"))
        }
        #expect(found("3000-1000 r-xp 0 0 7 x\nRss: 8 kB\nAnonymous: 0 kB\n").isEmpty)
        #expect(found("-1000 r-xp 0 0 7 x\nRss: 8 kB\nAnonymous: 0 kB\n").isEmpty)
    }

    @Test("of this process less is resident afterwards, and it goes on")
    func shrinks() throws {
        let before = try residentFileKibibytes()
        Footprint.shrink()
        #expect(try residentFileKibibytes() < before)
    }

    private func residentFileKibibytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
        return try #require(Int(line.filter(\.isNumber)))
    }
}
