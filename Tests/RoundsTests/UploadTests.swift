import Federation
import Rounds
import Testing

/// Holds an upload, because `#expect` cannot call what mutates a value.
private final class Receiver {
    private var upload: Upload

    init(_ header: Upload.Header) { upload = Upload(header) }

    var offset: UInt64 { upload.offset }
    var isComplete: Bool { upload.isComplete }
    var bytes: [UInt8] { upload.bytes }

    func append(_ chunk: [UInt8], at offset: UInt64) -> Bool {
        chunk.withUnsafeBytes { upload.append($0, at: offset) }
    }
}

@Suite("An upload")
struct UploadTests {
    private let lattice = Lattice(
        parameters: 10, clippingNorm: 1, step: 0.01, kappa: 6, rotationSeed: 3)

    private func digest(_ byte: UInt8) throws -> Digest {
        try #require(Digest(bytes: [UInt8](repeating: byte, count: 32)))
    }

    private func header(size: Int = 10) throws -> Upload.Header {
        Upload.Header(
            latticeID: try digest(1), baseVersion: 4, examples: 20, withinClip: true, size: size,
            digest: try digest(2))
    }

    @Test("is complete after its chunks came in order")
    func inOrder() throws {
        let upload = Receiver(try header())
        #expect(upload.offset == 0)
        #expect(!upload.isComplete)
        #expect(upload.append([0, 1, 2, 3], at: 0))
        #expect(upload.offset == 4)
        #expect(upload.append([4, 5, 6, 7, 8, 9], at: 4))
        #expect(upload.isComplete)
        #expect(upload.bytes == Array(0..<10))
    }

    @Test("refuses a chunk that leaves a gap, and is unharmed")
    func gap() throws {
        let upload = Receiver(try header())
        #expect(!upload.append([9], at: 1))
        #expect(upload.append([0, 1], at: 0))
        #expect(!upload.append([3], at: 3))
        #expect(upload.bytes == [0, 1])
    }

    @Test("ignores what it already has when a chunk is sent again")
    func resend() throws {
        let upload = Receiver(try header())
        #expect(upload.append([0, 1, 2, 3], at: 0))
        #expect(upload.append([0, 1, 2, 3], at: 0))
        #expect(upload.append([1, 2], at: 1))
        #expect(upload.bytes == [0, 1, 2, 3])
    }

    @Test("takes only the new end of a chunk that overlaps, and never rewrites the old")
    func overlap() throws {
        let upload = Receiver(try header())
        #expect(upload.append([0, 1, 2], at: 0))
        #expect(upload.append([77, 2, 3, 4], at: 1))
        #expect(upload.bytes == [0, 1, 2, 3, 4])
    }

    @Test("refuses a chunk past the promised size")
    func pastTheEnd() throws {
        let upload = Receiver(try header(size: 4))
        #expect(!upload.append([0, 1, 2, 3, 4], at: 0))
        #expect(upload.append([0, 1, 2], at: 0))
        #expect(!upload.append([3, 4], at: 3))
        #expect(upload.append([3], at: 3))
        #expect(!upload.append([4], at: 4))
        #expect(upload.isComplete)
    }

    @Test("takes an empty chunk for nothing")
    func emptyChunk() throws {
        let upload = Receiver(try header(size: 2))
        #expect(upload.append([], at: 0))
        #expect(!upload.append([], at: 1))
        #expect(upload.append([0, 1], at: 0))
        #expect(upload.append([], at: 2))
        #expect(upload.isComplete)
    }

    @Test(
        "refuses offsets that would overflow",
        arguments: [.max, .max - 1, .max - 4, 1 << 63, 1 << 63 - 1] as [UInt64])
    func overflow(offset: UInt64) throws {
        let upload = Receiver(try header())
        #expect(upload.append([0, 1], at: 0))
        #expect(!upload.append([2, 3, 4, 5], at: offset))
        #expect(!upload.append([], at: offset))
        #expect(upload.bytes == [0, 1])
    }

    @Test("gives the same bytes however its chunks are cut, repeated and resumed")
    func anyCut() throws {
        let content = (0..<200).map { UInt8($0) }
        var random = SeededRandom(seed: 5)
        for _ in 0..<200 {
            let upload = Receiver(try header(size: content.count))
            while !upload.isComplete {
                let start = Int.random(in: 0...content.count, using: &random)
                let end = Int.random(in: start...content.count, using: &random)
                let before = Int(upload.offset)
                let fits = upload.append(Array(content[start..<end]), at: UInt64(start))
                #expect(fits == (start <= before))
                #expect(Int(upload.offset) == (fits ? max(before, end) : before))
            }
            #expect(upload.bytes == content)
        }
    }

    // MARK: Headers

    private func refusal(
        lattice: UInt8 = 1, baseVersion: UInt64 = 4, examples: UInt64 = 20, size: Int? = nil
    ) throws -> UpdateRejection? {
        Upload.refusal(
            of: Upload.Header(
                latticeID: try digest(lattice), baseVersion: baseVersion, examples: examples,
                withinClip: false, size: size ?? self.lattice.updateBytes, digest: try digest(9)),
            lattice: self.lattice, latticeID: try digest(1), baseVersion: 4, maxExamples: 20)
    }

    @Test("is let in with the round's lattice, base, size and at most the plan's examples")
    func accepted() throws {
        #expect(try refusal() == nil)
        #expect(try refusal(examples: 1) == nil)
    }

    @Test("is refused on another lattice or from another base")
    func wrongLattice() throws {
        #expect(try refusal(lattice: 2) == .wrongLattice)
        #expect(try refusal(baseVersion: 3) == .wrongLattice)
        #expect(try refusal(baseVersion: 5) == .wrongLattice)
    }

    @Test("is refused with another size", arguments: [-1, 0, 11, 13, Int.max])
    func wrongSize(size: Int) throws {
        #expect(lattice.updateBytes == 12)
        #expect(try refusal(size: size) == .wrongDimension)
    }

    @Test(
        "is refused with no examples or more than may count", arguments: [0, 21, .max] as [UInt64])
    func wrongExamples(examples: UInt64) throws {
        #expect(try refusal(examples: examples) == .tooManyExamples)
    }
}
