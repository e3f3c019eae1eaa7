import Federation
import Foundation
import Wire

/// A coordinator in memory: it answers every message that the client writes with what `respond`
/// returns; nil hangs up.
struct ScriptedStream: ~Copyable, ByteStream {
    private var decoder = FrameDecoder()
    private var outgoing: [UInt8] = []
    private let respond: (Message) -> Message?

    init(_ respond: @escaping (Message) -> Message?) { self.respond = respond }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        decoder.append(bytes)
        while let message = try decoder.next() {
            if let answer = respond(message) { outgoing += try answer.encoded() }
        }
    }

    mutating func read(
        into buffer: UnsafeMutableRawBufferPointer, timeoutSeconds: Double
    ) throws(Fault) -> Int {
        // A few bytes at a time, as a network may.
        let count = min(buffer.count, 7, outgoing.count)
        buffer.copyBytes(from: outgoing.prefix(count))
        outgoing.removeFirst(count)
        return count
    }
}

/// What a scripted coordinator remembers.
final class Notes<Note> {
    var items: [Note] = []
}

/// A directory of a test's own, which goes when the test ends.
final class ScratchDirectory: Sendable {
    let path = NSTemporaryDirectory() + "tributary-admin-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The files below it, relative, in order.
    func files() -> [String] {
        (FileManager.default.subpaths(atPath: path) ?? []).sorted()
    }

    func text(_ file: String) -> String? {
        FileManager.default.contents(atPath: "\(path)/\(file)")
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
