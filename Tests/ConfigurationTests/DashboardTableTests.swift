import Configuration
import Federation
import Testing

@Suite("[dashboard]")
struct DashboardTableTests {
    private func parse(_ table: String?) throws -> DashboardTable? {
        let text = "[server]\naddresses = [\"a\"]\n" + (table.map { "[dashboard]\n\($0)" } ?? "")
        return try CoordinatorConfiguration.parse(
            Array(text.utf8), file: "/etc/tributary/coordinator.toml"
        ).dashboard
    }

    @Test("without the table there is none; an empty one is for this machine")
    func defaults() throws {
        #expect(try parse(nil) == nil)
        #expect(try parse("") == DashboardTable(listen: "127.0.0.1", port: 7481, tokenFile: nil))
    }

    @Test("every key arrives, and the token's file lies beside the configuration")
    func keys() throws {
        let table = try parse("listen = \"0.0.0.0\"\nport = 0\ntoken_file = \"dash.token\"")
        #expect(
            table
                == DashboardTable(
                    listen: "0.0.0.0", port: 0, tokenFile: "/etc/tributary/dash.token"))
    }

    @Test("other machines may not reach it without a token, and the fault says what to do")
    func openWithoutToken() {
        for listen in ["0.0.0.0", "::", "192.0.2.1", "dash.example.org", "127.evil.example"] {
            let fault = #expect(throws: Fault.self) { try parse("listen = \"\(listen)\"") }
            #expect(fault?.code == .invalid)
            #expect(fault?.message.contains("token_file") == true, "\(listen)")
            #expect(fault?.remedy.contains("openssl rand") == true)
        }
    }

    @Test(
        "addresses of this machine need none",
        arguments: ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
    func loopback(listen: String) throws {
        #expect(try parse("listen = \"\(listen)\"")?.isLoopback == true)
    }

    @Test("an unknown key is named with the nearest known one")
    func unknownKey() {
        let fault = #expect(throws: Fault.self) { try parse("token = \"x\"") }
        #expect(fault?.remedy.contains("token_file") == true)
    }
}
