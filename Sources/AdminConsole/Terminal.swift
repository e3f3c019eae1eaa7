import Glibc

/// One of the process's two output streams.
package enum OutputStream: Int32, Sendable {
    case standard = 1
    case error = 2

    /// Columns when the stream is a terminal that can redraw a line, otherwise nil.
    package var width: Int? {
        guard isatty(rawValue) == 1 else { return nil }
        if let kind = getenv("TERM"), String(cString: kind) == "dumb" { return nil }
        var size = winsize()
        let known = ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col >= 20
        return known ? Int(size.ws_col) : 80
    }

    /// Writes `text` at once; nothing can be done when nobody reads it.
    package func write(_ text: String) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.write(rawValue, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            done += count
        }
    }
}
