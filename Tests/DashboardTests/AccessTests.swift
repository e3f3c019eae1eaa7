import Dashboard
import Federation
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@Suite("Who may read")
struct AccessTests {
    private static let token = "correct-horse-battery-staple-17"

    @Test("names of this machine are admitted, with any port, and no other")
    func hosts() {
        let local = HostRule(listen: "127.0.0.1", addresses: ["example.org"])
        for host in ["localhost", "LOCALHOST:7481", "127.0.0.1", "127.0.0.1:80", "[::1]:7481"] {
            #expect(local.admits(host), "\(host)")
        }
        for host in [
            "example.org", "evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "",
            "localhost:x", "[::1", "[::1]x", "localhost:7481:1",
        ] {
            #expect(!local.admits(host), "\(host)")
        }
        #expect(!local.admits(nil))
        let open = HostRule(listen: "0.0.0.0", addresses: ["Example.org", "192.0.2.1"])
        #expect(open.admits("example.org:7481") && open.admits("192.0.2.1"))
        #expect(!open.admits("evil.test"))
    }

    @Test("nothing but reading is taken")
    func methods() async throws {
        try await FakeFleet().serve { client in
            for method in [HTTPRequest.Method.post, .put, .delete, .patch] {
                let response = try await client.execute(uri: "/agents", method: method)
                #expect(response.status == .methodNotAllowed)
                #expect(response.headers[.allow] == "GET, HEAD")
            }
            let head = try await client.execute(uri: "/agents", method: .head)
            #expect(head.status == .ok)
        }
    }

    @Test("every answer forbids what is from elsewhere")
    func headers() async throws {
        try await FakeFleet().serve { client in
            for address in ["/", "/metrics", "/style.css", "/nothing", "/favicon.svg"] {
                let response = try await client.execute(uri: address, method: .get)
                let policy = try #require(response.headers[.contentSecurityPolicy])
                #expect(policy.hasPrefix("default-src 'none'"), "\(address)")
                #expect(policy.contains("frame-ancestors 'none'"))
                #expect(!policy.contains("unsafe"))
                #expect(response.headers[.xContentTypeOptions] == "nosniff")
            }
            let page = text(try await client.execute(uri: "/", method: .get))
            #expect(!page.contains("style=\"") && !page.contains("onclick"))
            #expect(!page.contains("http://") && !page.contains("https://"))
        }
    }

    @Test("without the token there is only the form")
    func form() async throws {
        try await FakeFleet(name: "lab").serve(token: Self.token) { client in
            for address in ["/", "/agents", "/metrics", "/live", "/log/1/proof"] {
                let response = try await client.execute(uri: address, method: .get)
                #expect(response.status == .unauthorized, "\(address)")
                #expect(text(response).contains("type=\"password\""), "\(address)")
                #expect(!text(response).contains("aria-label=\"Pages\""), "\(address)")
            }
            let style = try await client.execute(uri: "/style.css", method: .get)
            #expect(style.status == .ok)
        }
    }

    @Test("a program shows the token in a header")
    func bearer() async throws {
        try await FakeFleet().serve(token: Self.token) { client in
            let good = try await client.execute(
                uri: "/metrics", method: .get,
                headers: [.authorization: "Bearer \(Self.token)"])
            #expect(good.status == .ok && text(good) == "tributary_up 1\n")
            for shown in ["Bearer wrong", "Bearer \(Self.token)x", Self.token, "Basic YTpi"] {
                let response = try await client.execute(
                    uri: "/metrics", method: .get, headers: [.authorization: shown])
                #expect(response.status == .unauthorized, "\(shown)")
            }
        }
    }

    @Test("a browser signs in once, stays so for its cookie, and signs out")
    func session() async throws {
        try await FakeFleet().serve(token: Self.token, isSecure: true) { client in
            let answer = try await client.execute(
                uri: "/login", method: .post,
                body: ByteBuffer(string: "to=%2Fagents%3Fstate%3Drevoked&token=\(Self.token)"))
            #expect(answer.status == .seeOther)
            #expect(answer.headers[.location] == "/agents?state=revoked")
            let cookie = try #require(answer.headers[.setCookie])
            for part in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
                #expect(cookie.contains(part))
            }
            #expect(!cookie.contains(Self.token))
            let value = String(cookie.prefix { $0 != ";" })
            let page = try await client.execute(
                uri: "/", method: .get, headers: [.cookie: value])
            #expect(page.status == .ok && text(page).contains("Sign out"))
            let forged = try await client.execute(
                uri: "/", method: .get, headers: [.cookie: value + "0"])
            #expect(forged.status == .unauthorized)
            let out = try await client.execute(
                uri: "/logout", method: .post, headers: [.cookie: value])
            #expect(out.headers[.setCookie]?.contains("Max-Age=0") == true)
        }
    }

    @Test("signing in leads to no other site")
    func redirection() async throws {
        try await FakeFleet().serve(token: Self.token) { client in
            for to in ["https://evil.test/", "//evil.test", "/\\evil.test", "evil", ""] {
                let form = "token=\(Self.token)&to=\(to.replacing("/", with: "%2F"))"
                let answer = try await client.execute(
                    uri: "/login", method: .post, body: ByteBuffer(string: form))
                #expect(answer.headers[.location] == "/", "\(to)")
            }
        }
    }

    @Test("who guesses is stopped for the rest of the minute")
    func guessing() async throws {
        try await FakeFleet().serve(token: Self.token) { client in
            var last = 0
            for _ in 0..<25 {
                let answer = try await client.execute(
                    uri: "/login", method: .post, body: ByteBuffer(string: "token=guess"))
                last = answer.status.code
            }
            #expect(last == 429)
            let right = try await client.execute(
                uri: "/login", method: .post, body: ByteBuffer(string: "token=\(Self.token)"))
            #expect(right.status.code == 429)
        }
    }

    @Test("a session ends by itself, and none is of another start")
    func endOfSession() throws {
        let token = try ReaderToken(Self.token)
        let session = token.session(nowUnix: 100)
        #expect(token.isSession(session, nowUnix: 100))
        #expect(token.isSession(session, nowUnix: 99 + ReaderToken.sessionSeconds))
        #expect(!token.isSession(session, nowUnix: 100 + ReaderToken.sessionSeconds))
        #expect(!(try ReaderToken(Self.token)).isSession(session, nowUnix: 100))
        for value in ["", ".", "1.2.3", "99999999999.00", session + " "] {
            #expect(!token.isSession(value, nowUnix: 100), "\(value)")
        }
    }

    @Test("a token that could be guessed, or that others may read, is refused with what to do")
    func weakTokens() throws {
        for weak in ["", "short", String(repeating: "a", count: 23), "with a space in its middle!"]
        {
            let fault = #expect(throws: Fault.self) { _ = try ReaderToken(weak) }
            #expect(fault?.remedy.contains("openssl rand") == true)
        }
        let file = FileManager.default.temporaryDirectory
            .appending(path: "tributary-token-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("\(Self.token)\n".utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        let fault = #expect(throws: Fault.self) { _ = try ReaderToken(file: file.path) }
        #expect(fault?.remedy.contains("chmod 600") == true)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        #expect(try ReaderToken(file: file.path).isShown(in: Self.token))
    }
}
