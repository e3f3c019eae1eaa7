import AdminConsole
import Console
import Synchronization

/// The progress of a command on standard error, and other text between.
final class LiveProgress: Sendable {
    private let bar = Mutex(ProgressBar(width: OutputStream.error.width))

    /// Shows that `done` in [0, 1] of `stage` is done, and on a terminal `detail`.
    func show(_ stage: String, _ done: Double, detail: String = "") {
        bar.withLock { OutputStream.error.write($0.update(stage, done, detail: detail)) }
    }

    /// Writes `text`, which ends its line, where no bar stands.
    func write(_ text: String, to stream: OutputStream) {
        bar.withLock {
            OutputStream.error.write($0.clear())
            stream.write(text)
        }
    }

    /// Leaves no bar behind.
    func end() { write("", to: .error) }
}
