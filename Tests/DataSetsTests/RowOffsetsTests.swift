import DataSets
import Testing

@Suite("Row offsets")
struct RowOffsetsTests {
    @Test("Offsets beyond 4 GiB come back as they were, however many spans are empty")
    func wide() {
        let given = [
            0, 7, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, 0x4_8000_0000, 0x4_8000_0001,
            0x5_0000_0000, 0xff_0000_0000,
        ]
        var offsets = RowOffsets()
        for offset in given { offsets.append(offset) }
        #expect(offsets.count == given.count)
        #expect(given.indices.map { offsets[$0] } == given)
    }
}
