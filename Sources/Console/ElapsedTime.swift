import Glibc
import Synchronization

/// The time that a step takes whose end cannot be told beforehand, on a terminal at standard error; elsewhere nothing.
package final class ElapsedTime: Sendable {
    private let what: String
    private let hasEnded = Atomic<Bool>(false)

    /// Shows the time from the first full second on, until `end`.
    ///
    /// - Parameter what: the step: "checking the log".
    package init(_ what: String) {
        self.what = what
        guard isatty(STDERR_FILENO) == 1 else { return }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread, nil,
            { context in
                if let context {
                    Unmanaged<ElapsedTime>.fromOpaque(context).takeRetainedValue().show()
                }
                return nil
            }, context.toOpaque())
        if failure == 0 { pthread_detach(thread) } else { context.release() }
    }

    /// Leaves no trace of it.
    package func end() {
        if !hasEnded.exchange(true, ordering: .relaxed) { draw("") }
    }

    private func show() {
        var tenths = 0
        while !hasEnded.load(ordering: .relaxed) {
            if tenths > 0, tenths % 10 == 0 { draw("\(what), \(tenths / 10) s") }
            usleep(100_000)
            tenths += 1
        }
    }

    private func draw(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        let line = Array("\r\u{1B}[K\(text)".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}
