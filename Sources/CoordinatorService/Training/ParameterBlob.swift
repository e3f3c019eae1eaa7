import Federation
import Registry

/// Vectors as blobs: little-endian elements, nothing else. They are written and read a run at a time: those of a wide plan
/// are the largest things that a coordinator handles.
enum ParameterBlob {
    /// Values in a run.
    static let run = 1 << 16

    /// Adds master weights or optimiser state, four bytes each.
    static func append(_ values: [Float], to draft: inout BlobDraft) throws(Fault) {
        for start in stride(from: 0, to: values.count, by: run) {
            // Closures: a key path of two steps is followed anew for each value, which takes a hundred times as long.
            let words = values[start...].prefix(run).map { $0.bitPattern.littleEndian }
            try append(words: words, &draft)
        }
    }

    /// Adds a run of a noised integer sum, eight bytes each.
    static func append(_ sums: [Int64], to draft: inout BlobDraft) throws(Fault) {
        try append(words: sums.map { $0.littleEndian }, &draft)
    }

    private static func append(
        words: [some FixedWidthInteger & BitwiseCopyable], _ draft: inout BlobDraft
    ) throws(Fault) {
        let result = words.withUnsafeBytes { bytes in
            Result { () throws(Fault) in try draft.append(bytes) }
        }
        try result.get()
    }
}

/// Master weights or optimiser state in a blob.
struct StoredFloats {
    private let blob: BlobReader

    /// - Throws: `notFound`; `storage` when the blob is damaged, or does not hold exactly `count` values.
    init(_ digest: Digest, count: Int, in blobs: BlobPieces) throws(Fault) {
        blob = try blobs.reader(digest)
        guard blob.size == 4 * count else {
            throw Fault(
                .storage,
                "a stored vector has \(blob.size) bytes where \(count) parameters need \(4 * count)",
                remedy: "restore the state directory from a backup")
        }
    }

    /// - Throws: `storage` when the blob cannot be read.
    subscript(range: Range<Int>) -> [Float] {
        get throws(Fault) {
            var words = [UInt32](repeating: 0, count: range.count)
            try words.withUnsafeMutableBufferPointer { (words) throws(Fault) in
                try blob.read(
                    into: UnsafeMutableRawBufferPointer(words), at: 4 * range.lowerBound)
            }
            return words.map { Float(bitPattern: UInt32(littleEndian: $0)) }
        }
    }
}

/// A noised integer sum in a blob.
struct StoredSums {
    private let blob: BlobReader
    private var read = 0

    /// - Throws: `notFound`; `storage` when the blob is damaged.
    init(_ digest: Digest, in blobs: BlobPieces) throws(Fault) { blob = try blobs.reader(digest) }

    /// Fills `run` with the sums that follow those of the call before.
    ///
    /// - Throws: `storage` when the blob ends before, or cannot be read.
    mutating func fill(_ run: UnsafeMutableBufferPointer<Int64>) throws(Fault) {
        try blob.read(into: UnsafeMutableRawBufferPointer(run), at: read)
        read += 8 * run.count
        for index in run.indices { run[index] = Int64(littleEndian: run[index]) }
    }
}
