import Cryptography
package import Federation
import Foundation
import Synchronization

/// What a reader shows, and the sessions of browsers that have shown it.
package struct ReaderToken: Sendable {
    /// Fewer characters could be guessed.
    static let leastCharacters = 24
    /// How long a browser stays signed in, in seconds.
    package static let sessionSeconds: UInt64 = 12 * 3600
    static let cookie = "tributary-session"

    /// Only its digest is kept.
    private let digest: [UInt8]
    /// Made anew at each start, which ends every session.
    private let sessionKey: [UInt8]

    /// - Throws: `invalid` for a token that is too short.
    package init(_ token: String) throws(Fault) {
        guard token.count >= Self.leastCharacters,
            token.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw Fault(
                .invalid,
                "the dashboard's token has fewer than \(Self.leastCharacters) characters, or others"
                    + " than letters, digits and signs",
                remedy: "make one with `openssl rand -hex 32`")
        }
        digest = SHA256.digest(of: Array(token.utf8)).bytes
        var random = SystemRandom()
        var key = [UInt8](repeating: 0, count: 32)
        key.withUnsafeMutableBytes { random.fill($0) }
        sessionKey = key
    }

    /// Reads it from a file.
    ///
    /// - Throws: `storage` when it cannot be read or others may read it too; `invalid`.
    package init(file: String) throws(Fault) {
        let text = String(
            decoding: try CredentialFile.read(file, atMost: 4096), as: UTF8.self)
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        guard let mode = attributes?[.posixPermissions] as? Int, mode & 0o077 == 0 else {
            throw Fault(.storage, "others may read \(file)", remedy: "run chmod 600 on it")
        }
        try self.init(String(text.split(whereSeparator: \.isWhitespace).first ?? ""))
    }

    /// Whether `shown` is the token. How long that takes says nothing of it.
    package func isShown(in shown: String) -> Bool {
        constantTimeEqual(SHA256.digest(of: Array(shown.utf8)).bytes, digest)
    }

    /// The value of a cookie that stands for the token for some hours.
    package func session(nowUnix: UInt64) -> String {
        let end = "\(nowUnix + Self.sessionSeconds)"
        return "\(end).\(seal(end))"
    }

    /// Whether `session` made this value, and not too long ago.
    package func isSession(_ value: String, nowUnix: UInt64) -> Bool {
        let parts = value.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let end = UInt64(parts[0]) else { return false }
        return constantTimeEqual(Array(parts[1].utf8), Array(seal(String(parts[0])).utf8))
            && nowUnix < end
    }

    private func seal(_ end: String) -> String {
        hmacSHA256(key: sessionKey, Array("session until \(end)".utf8))
            .map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
}

/// Slows down who tries tokens: so many wrong ones a minute, over all readers.
final class TokenAttempts: Sendable {
    private static let most = 20
    private let state = Mutex<(minute: UInt64, wrong: Int)>((0, 0))

    /// Whether another token may be tried now.
    func isOpen(nowUnix: UInt64) -> Bool {
        state.withLock { $0.minute != nowUnix / 60 || $0.wrong < Self.most }
    }

    func wasWrong(nowUnix: UInt64) {
        state.withLock { state in
            if state.minute != nowUnix / 60 { state = (nowUnix / 60, 0) }
            state.wrong += 1
        }
    }
}
