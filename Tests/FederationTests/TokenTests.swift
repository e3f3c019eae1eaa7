import Federation
import Testing

@Suite("Enrolment tokens")
struct TokenTests {
    private static let authority = String(repeating: "0a", count: 32)
    private static let secret = String(repeating: "fe", count: 32)
    private static let text = "tributary1;example.org:7443;\(authority);\(secret);1790000000"

    @Test("a token is read from its line and written back")
    func roundTrip() throws {
        let token = try EnrolmentToken(parsing: Self.text)
        #expect(token.address == NetworkAddress(host: "example.org", port: 7443))
        #expect(token.authority.hex == Self.authority)
        #expect(token.secret == [UInt8](repeating: 0xFE, count: 32))
        #expect(token.expiresUnix == 1_790_000_000)
        #expect(token.text == Self.text)
    }

    @Test("white space around a token, and a line break inside it, do not matter")
    func whiteSpace() throws {
        let token = try EnrolmentToken(parsing: Self.text)
        #expect(try EnrolmentToken(parsing: "  \(Self.text)\r\n") == token)
        let broken = Self.text.prefix(60) + "\n" + Self.text.dropFirst(60)
        #expect(try EnrolmentToken(parsing: String(broken)) == token)
    }

    @Test("an IPv6 address keeps its brackets")
    func ipv6() throws {
        let line = "tributary1;[::1]:7443;\(Self.authority);\(Self.secret);0"
        let token = try EnrolmentToken(parsing: line)
        #expect(token.address.host == "::1")
        #expect(token.text == line)
    }

    @Test(
        "a line that is no token is refused with what to do",
        arguments: [
            "", "tributary1", "hello;a:1;b;c;d", "tributary2;h:1;\(authority);\(secret);1",
            text + ";", ";" + text, "tributary1;h:1;\(authority);\(secret)",
            "tributary1;h:1;\(authority.dropLast());\(secret);1",
            "tributary1;h:1;\(authority);\(secret)00;1",
            "tributary1;h:1;\(authority);\(secret.dropLast(2));1",
            "tributary1;h:1;\(authority);\(secret);-1", "tributary1;h:1;\(authority);\(secret);",
            "tributary1;h:1;\(authority);\(secret);soon", "tributary1;h;\(authority);\(secret);1",
        ])
    func bad(line: String) {
        let fault = #expect(throws: Fault.self) { try EnrolmentToken(parsing: line) }
        #expect(fault?.code == .invalid)
        #expect(fault?.remedy.isEmpty == false)
        // A token holds a secret: no part of it may be repeated in a message that ends in a log.
        #expect(fault?.message.contains(Self.secret) == false)
    }
}

@Suite("Network addresses")
struct NetworkAddressTests {
    @Test(
        "host and port are read and written back",
        arguments: [
            ("localhost:1", "localhost", 1), ("10.0.0.7:65535", "10.0.0.7", 65_535),
            ("[2001:db8::7]:443", "2001:db8::7", 443),
        ] as [(String, String, UInt16)])
    func good(text: String, host: String, port: UInt16) throws {
        let address = try NetworkAddress(parsing: text)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect("\(address)" == text)
    }

    @Test(
        "an address without a host or a port from 1 to 65535 is refused",
        arguments: [
            "", ":", "host", "host:", ":443", "[]:443", "host:0", "host:65536", "host:-1",
            "host:4 3", "host:https", "[::1]", "host:+443", "::1:443",
        ])
    func bad(text: String) {
        let fault = #expect(throws: Fault.self) { try NetworkAddress(parsing: text) }
        #expect(fault?.code == .invalid)
        #expect(fault?.remedy.isEmpty == false)
    }
}
