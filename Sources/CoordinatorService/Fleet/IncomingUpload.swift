import Cryptography
import Federation
import Rounds
import Synchronization

/// One agent's update on its way in, shared by the fleet, which decides whether it is wanted, and the connection on which it
/// comes, which fills it without asking the fleet for each piece.
final class IncomingUpload: Sendable {
    /// How often the fleet is told that it moves, in seconds: far more often than it matters.
    private static let secondsBetweenNews = 1.0

    private struct State: ~Copyable {
        /// Nil once nothing more is taken.
        var upload: Upload?
        /// Over what has come, so that a complete update's digest is known at once.
        var hasher: SHA256.Hasher? = SHA256.Hasher()
        /// Bytes that came since the fleet last counted them.
        var uncounted: UInt64 = 0
        var told: MonotonicInstant
    }

    let header: Upload.Header
    private let state: Mutex<State>

    init(_ header: Upload.Header, in memory: consuming [UInt8], now: MonotonicInstant) {
        self.header = header
        state = Mutex(State(upload: Upload(header, in: memory), told: now))
    }

    /// The offset from which the agent continues.
    var offset: UInt64 { state.withLock { $0.upload?.offset ?? 0 } }

    var isComplete: Bool { state.withLock { $0.upload?.isComplete ?? false } }

    /// What became of a piece of the update.
    enum Piece: Sendable {
        case taken
        /// The same, and the fleet is to be told that the upload moves.
        case moves
        /// It leaves a gap or goes past the end.
        case misfit
    }

    /// Takes a piece of the update. One that comes after the upload has ended is ignored.
    func take(_ bytes: UnsafeRawBufferPointer, at offset: UInt64, now: MonotonicInstant) -> Piece {
        state.withLock { state in
            guard let known = state.upload?.bytes.count else { return .taken }
            state.uncounted += UInt64(bytes.count)
            guard state.upload?.append(bytes, at: offset) == true else { return .misfit }
            state.upload?.bytes.withUnsafeBytes {
                state.hasher?.update(UnsafeRawBufferPointer(rebasing: $0[known...]))
            }
            // One that only sends again what is here stands still.
            guard state.upload?.bytes.count != known,
                now.seconds(since: state.told) >= Self.secondsBetweenNews
            else { return .taken }
            state.told = now
            return .moves
        }
    }

    /// The bytes that came since this was last asked.
    func takeUncounted() -> UInt64 {
        state.withLock { state in
            defer { state.uncounted = 0 }
            return state.uncounted
        }
    }

    /// Takes no more, and holds nothing any more.
    ///
    /// - Returns: the bytes of a complete update; nil when it is not complete, or its digest is not the promised one.
    @discardableResult
    func end() -> [UInt8]? {
        state.withLock { state in
            guard let upload = state.upload.take(), upload.isComplete,
                state.hasher.take()?.finish() == header.digest
            else { return nil }
            return upload.bytes
        }
    }
}

/// Memory of updates that were counted, for those to come: fresh pages cost more than what is written to them.
package struct SpareMemory {
    private static let mostBytes = 16 << 20

    private var blocks: [[UInt8]] = []
    private var bytes = 0

    package init() {}

    /// Memory to write an update of `size` bytes to, which may be none: a far larger block would be more than the update's
    /// place accounts for, and a smaller one would have to grow.
    package mutating func take(for size: Int) -> [UInt8] {
        guard let fitting = blocks.lastIndex(where: { (size...2 * size).contains($0.capacity) })
        else { return [] }
        let block = blocks.remove(at: fitting)
        bytes -= block.capacity
        return block
    }

    /// `block` is needed no more.
    package mutating func give(_ block: consuming [UInt8]) {
        guard bytes + block.capacity <= Self.mostBytes else { return }
        bytes += block.capacity
        blocks.append(block)
    }
}
