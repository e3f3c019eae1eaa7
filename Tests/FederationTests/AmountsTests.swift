import Federation
import Testing

@Suite("Amounts")
struct AmountsTests {
    @Test(
        "bytes have one decimal and a binary unit",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1000, "1.0 KiB"), (1536, "1.5 KiB"),
            (1_240_000, "1.2 MiB"), (1_023_948, "999.9 KiB"), (1_023_949, "1.0 MiB"),
            (16 << 30, "16.0 GiB"), (UInt64.max, "16.0 EiB"),
        ] as [(UInt64, String)])
    func bytes(count: UInt64, text: String) { #expect(byteCount(count) == text) }

    @Test("one of a thing is one thing")
    func nouns() {
        #expect(counted(1, "straggler") == "1 straggler")
        #expect(counted(0, "epoch") == "0 epochs" && counted(2 as UInt64, "epoch") == "2 epochs")
        #expect(counted(1, "leaf", plural: "leaves") == "1 leaf")
        #expect(counted(7, "leaf", plural: "leaves") == "7 leaves")
    }
}
