import Cryptography
import Federation
import Foundation
import TLSClient
import Testing

@Suite("A TLS connection that fails says why")
struct TLSFaultTests {
    @Test("the port is closed")
    func refused() throws {
        let fleet = try TestFleet()
        // A port that was free a moment ago.
        let port = try RawServer(sending: nil).port
        let fault = TLSConnection.fault(
            port: port, trust: .authorities([fleet.authority.certificate]))
        #expect(fault?.code == .unavailable)
        #expect(fault?.message == "127.0.0.1:\(port) refused the connection: nothing listens there")
    }

    @Test("the name does not resolve")
    func unresolved() throws {
        let fleet = try TestFleet()
        do throws(Fault) {
            _ = try TLSConnection.connect(
                host: "no-such-host.invalid", port: 7443,
                trust: .authorities([fleet.authority.certificate]), identity: nil,
                timeoutSeconds: 5)
            Issue.record("connected to nowhere")
        } catch {
            #expect(error.code == .unavailable)
            #expect(error.message.contains("cannot find the address of 'no-such-host.invalid'"))
        }
    }

    @Test(
        "the server speaks plain text",
        arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "220 hello\r\n"])
    func plainText(greeting: String) throws {
        let fleet = try TestFleet()
        let server = try RawServer(sending: Array(greeting.utf8))
        let fault = TLSConnection.fault(
            port: server.port, trust: .authorities([fleet.authority.certificate]))
        #expect(fault?.code == .unavailable)
        #expect(fault?.message == "127.0.0.1:\(server.port) does not speak TLS")
    }

    @Test("the server hangs up")
    func hangsUp() throws {
        let fleet = try TestFleet()
        let server = try RawServer(sending: [])
        let fault = TLSConnection.fault(
            port: server.port, trust: .authorities([fleet.authority.certificate]))
        #expect(fault?.message.contains("closed the connection without notice") == true)
    }

    @Test(
        "the server sends an alert",
        arguments: [
            (42, Fault.Code.unauthenticated, "does not verify"),
            (44, .forbidden, "revoked"),
            (45, .unauthenticated, "expired"),
            (46, .unauthenticated, "does not verify"),
            (48, .unauthenticated, "another fleet's authority"),
            (49, .forbidden, "access is denied"),
            (70, .unavailable, "does not offer TLS 1.3"),
            (80, .unavailable, "internal error"),
            (116, .unauthenticated, "demands a certificate"),
            (120, .unavailable, "not the protocol tributary/1"),
        ])
    func alerts(number: UInt8, code: Fault.Code, words: String) throws {
        let fleet = try TestFleet()
        let server = try RawServer(sending: [0x15, 3, 3, 0, 2, 2, number])
        let fault = TLSConnection.fault(
            port: server.port, trust: .authorities([fleet.authority.certificate]))
        #expect(fault?.code == code, "\(fault as Any)")
        #expect(fault?.message.contains(words) == true, "\(fault as Any)")
    }

    @Test(
        "the server belongs to another fleet, even one of the same name",
        arguments: ["other", "north"])
    func otherFleet(name: String) throws {
        let directory = try TemporaryDirectory()
        let ours = try TestFleet("north")
        let theirs = try TestFleet(name)
        for chain in [try theirs.chain(), [try theirs.chain()[0]]] {
            try? FileManager.default.removeItem(atPath: directory.file("server.key"))
            let server = try TLSServer(
                directory: directory, chain: chain, key: theirs.serverKey, coordinatorOptions)
            let fault = TLSConnection.fault(
                port: server.port, trust: .authorities([ours.authority.certificate]))
            #expect(fault?.code == .untrusted)
            #expect(fault?.message.contains("belongs to another fleet") == true, "\(fault as Any)")
        }
    }

    @Test("the server's certificate is for other hosts, which are listed")
    func otherName() throws {
        let directory = try TemporaryDirectory()
        let fleet = try TestFleet()
        let server = try TLSServer(
            directory: directory, chain: fleet.chain(hosts: ["fleet.example", "192.0.2.7"]),
            key: fleet.serverKey, coordinatorOptions)
        let fault = TLSConnection.fault(
            port: server.port, trust: .authorities([fleet.authority.certificate]))
        #expect(fault?.code == .untrusted)
        #expect(
            fault?.message
                == "the coordinator's certificate is not for '127.0.0.1', only for "
                + "fleet.example, 192.0.2.7"
        )
    }

    @Test("the certificate's time is over, or has not come")
    func wrongTime() throws {
        let now = TestFleet.now
        let fleet = try TestFleet(nowUnix: now - 100 * 86_400)
        for (made, words) in [
            (now - 50 * 86_400, "expired on"), (now + 50 * 86_400, "not valid before"),
        ] {
            let directory = try TemporaryDirectory()
            let server = try TLSServer(
                directory: directory, chain: fleet.chain(days: 10, nowUnix: made),
                key: fleet.serverKey, coordinatorOptions)
            let fault = TLSConnection.fault(
                port: server.port, trust: .authorities([fleet.authority.certificate]))
            #expect(fault?.code == .untrusted)
            #expect(fault?.message.contains(words) == true, "\(fault as Any)")
            #expect(fault?.remedy.contains("clock") == true)
        }
    }

    @Test("a device's certificate does not make a coordinator")
    func deviceAsServer() throws {
        let directory = try TemporaryDirectory()
        let fleet = try TestFleet()
        let (certificate, key) = try fleet.agent()
        let server = try TLSServer(
            directory: directory, chain: [certificate, fleet.authority.certificate], key: key,
            coordinatorOptions)
        let fault = TLSConnection.fault(
            port: server.port, trust: .authorities([fleet.authority.certificate]))
        #expect(fault?.code == .untrusted)
    }

    @Test("the server offers only TLS 1.2, or another protocol")
    func otherProtocol() throws {
        let fleet = try TestFleet()
        let trust = ServerTrust.authorities([fleet.authority.certificate])
        for (options, words) in [
            (["-tls1_2", "-alpn", "tributary/1", "-rev"], "does not offer TLS 1.3"),
            (["-tls1_3", "-rev"], "not the protocol tributary/1"),
            (["-tls1_3", "-alpn", "h2", "-rev"], "not the protocol tributary/1"),
        ] {
            let directory = try TemporaryDirectory()
            let server = try TLSServer(
                directory: directory, chain: fleet.chain(), key: fleet.serverKey, options)
            let fault = TLSConnection.fault(port: server.port, trust: trust)
            #expect(fault?.code == .unavailable)
            #expect(fault?.message.contains(words) == true, "\(fault as Any)")
        }
    }
}
