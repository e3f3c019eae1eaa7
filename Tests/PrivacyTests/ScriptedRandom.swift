import Federation

/// The given words first, then seeded ones.
struct Scripted: RandomSource {
    private var words: [UInt64]
    private var rest = SeededRandom(seed: 1)

    init(words: [UInt64]) { self.words = words }

    mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        rest.fill(bytes)
        let script = words.prefix(bytes.count / 8)
        for (index, word) in script.enumerated() {
            bytes.storeBytes(of: word, toByteOffset: 8 * index, as: UInt64.self)
        }
        words.removeFirst(script.count)
    }
}

/// One bit, always: the lowest or highest of all sequences.
struct Constant: RandomSource {
    private let byte: UInt8

    init(bit: Int) { byte = bit == 0 ? 0 : 0xFF }

    mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        for index in bytes.indices { bytes[index] = byte }
    }
}
