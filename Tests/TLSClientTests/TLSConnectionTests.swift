import Cryptography
import Federation
import Foundation
import TLSClient
import Testing

/// A fleet with a server certificate for 127.0.0.1, made now.
struct TestFleet {
    static var now: Int64 { Int64(Date().timeIntervalSince1970) }

    let authority: CertificateAuthority
    let serverKey: PrivateKey

    init(_ name: String = "north", nowUnix: Int64 = now) throws {
        authority = try CertificateAuthority.create(fleet: name, nowUnix: nowUnix)
        serverKey = try PrivateKey.generate(.p256)
    }

    /// A server certificate and its authority's.
    func chain(
        hosts: [String] = ["127.0.0.1"], days: Int = 1, nowUnix: Int64 = now
    ) throws -> [Certificate] {
        [
            try authority.issueServer(
                hosts: hosts, key: serverKey.publicKey, days: days, nowUnix: nowUnix),
            authority.certificate,
        ]
    }

    func agent() throws -> (Certificate, PrivateKey) {
        let key = try PrivateKey.generate(.p256)
        let identity = Identity(fleet: "north", role: .agent, id: "a")
        return (
            try authority.issue(
                identity: identity, publicKey: key.publicKey, days: 1, nowUnix: TestFleet.now), key
        )
    }
}

/// Options of a server as the coordinator is: TLS 1.3, the right protocol, each line sent back
/// reversed.
let coordinatorOptions = ["-tls1_3", "-alpn", "tributary/1", "-rev"]

extension TLSConnection {
    /// Connects to 127.0.0.1 and tells what came of it.
    static func fault(
        port: UInt16, trust: ServerTrust, identity: (Certificate, PrivateKey)? = nil,
        timeoutSeconds: Double = 10
    ) -> Fault? {
        do throws(Fault) {
            _ = try connect(
                host: "127.0.0.1", port: port, trust: trust, identity: identity,
                timeoutSeconds: timeoutSeconds)
            return nil
        } catch { return error }
    }

    mutating func write(_ text: String) throws(Fault) {
        let bytes = Array(text.utf8)
        try bytes.withUnsafeBufferPointer { buffer throws(Fault) in
            try self.write(UnsafeRawBufferPointer(buffer))
        }
    }

    mutating func read(into bytes: inout [UInt8], timeoutSeconds: Double) throws(Fault) -> Int {
        try bytes.withUnsafeMutableBufferPointer { buffer throws(Fault) in
            try self.read(
                into: UnsafeMutableRawBufferPointer(buffer), timeoutSeconds: timeoutSeconds)
        }
    }

    /// Reads until `count` bytes are there or the peer has ended.
    mutating func read(count: Int) throws(Fault) -> [UInt8] {
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while result.count < count {
            let got = try read(into: &buffer, timeoutSeconds: 10)
            if got == 0 { break }
            result += buffer[..<got]
        }
        return result
    }
}

@Suite("A TLS connection to the coordinator")
struct TLSConnectionTests {
    @Test("exchanges bytes over TLS 1.3 and knows the authority that vouches for the server")
    func exchange() throws {
        let directory = try TemporaryDirectory()
        let fleet = try TestFleet()
        let server = try TLSServer(
            directory: directory, chain: fleet.chain(), key: fleet.serverKey, coordinatorOptions)
        var connection = try TLSConnection.connect(
            host: "127.0.0.1", port: server.port,
            trust: .authorities([fleet.authority.certificate]),
            identity: nil, timeoutSeconds: 10)
        #expect(connection.tlsVersion == "TLSv1.3")
        #expect(connection.peerAuthority == fleet.authority.certificate)
        try connection.write("round\n")
        #expect(try connection.read(count: 6) == Array("dnuor\n".utf8))
    }

    @Test("moves bodies larger than a record and sees the orderly end")
    func largeBody() throws {
        let directory = try TemporaryDirectory()
        let fleet = try TestFleet()
        let body = String(repeating: "0123456789abcdef", count: 20_000)
        _ = try directory.write("model", body)
        let server = try TLSServer(
            directory: directory, chain: fleet.chain(), key: fleet.serverKey,
            ["-tls1_3", "-alpn", "tributary/1", "-WWW"])
        var connection = try TLSConnection.connect(
            host: "127.0.0.1", port: server.port,
            trust: .authorities([fleet.authority.certificate]),
            identity: nil, timeoutSeconds: 10)
        try connection.write("GET /model HTTP/1.0\r\n\r\n")
        let answer = try connection.read(count: .max)
        #expect(answer.count > body.utf8.count)
        #expect(answer.suffix(body.utf8.count).elementsEqual(body.utf8))
    }

    @Test("sends more than a record at once")
    func largeWrite() throws {
        let directory = try TemporaryDirectory()
        let fleet = try TestFleet()
        let server = try TLSServer(
            directory: directory, chain: fleet.chain(), key: fleet.serverKey, coordinatorOptions)
        var connection = try TLSConnection.connect(
            host: "127.0.0.1", port: server.port,
            trust: .authorities([fleet.authority.certificate]),
            identity: nil, timeoutSeconds: 10)
        let line = String(repeating: "ab", count: 500)
        try connection.write(String(repeating: line + "\n", count: 60))
        let expected = String(repeating: String(line.reversed()) + "\n", count: 60)
        #expect(try connection.read(count: expected.utf8.count) == Array(expected.utf8))
    }

    @Test("shows the agent's certificate to a server that demands one")
    func mutual() throws {
        let directory = try TemporaryDirectory()
        let fleet = try TestFleet()
        let authorities = try directory.write("ca.crt", fleet.authority.certificate.pem)
        let server = try TLSServer(
            directory: directory, chain: fleet.chain(), key: fleet.serverKey,
            coordinatorOptions + ["-CAfile", authorities, "-Verify", "1", "-verify_return_error"])
        var connection = try TLSConnection.connect(
            host: "127.0.0.1", port: server.port,
            trust: .authorities([fleet.authority.certificate]),
            identity: try fleet.agent(), timeoutSeconds: 10)
        try connection.write("hello\n")
        #expect(try connection.read(count: 6) == Array("olleh\n".utf8))
    }

    @Test(
        "is refused with a certificate of another fleet, and without one, at the first read",
        arguments: [true, false])
    func refusedByServer(showsCertificate: Bool) throws {
        let directory = try TemporaryDirectory()
        let fleet = try TestFleet()
        let authorities = try directory.write("ca.crt", fleet.authority.certificate.pem)
        let server = try TLSServer(
            directory: directory, chain: fleet.chain(), key: fleet.serverKey,
            coordinatorOptions + ["-CAfile", authorities, "-Verify", "1", "-verify_return_error"])
        var connection = try TLSConnection.connect(
            host: "127.0.0.1", port: server.port,
            trust: .authorities([fleet.authority.certificate]),
            identity: showsCertificate ? try TestFleet("other").agent() : nil, timeoutSeconds: 10)
        do throws(Fault) {
            try connection.write("hello\n")
            _ = try connection.read(count: 6)
            Issue.record("the server took us")
        } catch {
            #expect(error.code == .unauthenticated, "\(error)")
            #expect(error.message.contains("certificate"), "\(error)")
            #expect(error.remedy.contains("enrol"), "\(error)")
        }
    }

    @Test("a certificate and a key that do not belong together are refused before connecting")
    func mismatchedIdentity() throws {
        let fleet = try TestFleet()
        let (certificate, _) = try fleet.agent()
        let fault = TLSConnection.fault(
            port: 1, trust: .authorities([fleet.authority.certificate]),
            identity: (certificate, try PrivateKey.generate(.p256)))
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("do not belong together") == true)
    }

    @Test("a silent server is given up at the time-out, in the handshake and in a read")
    func silence() throws {
        let fleet = try TestFleet()
        let silent = try RawServer(sending: nil)
        let trust = ServerTrust.authorities([fleet.authority.certificate])
        let fault = TLSConnection.fault(port: silent.port, trust: trust, timeoutSeconds: 0.2)
        #expect(fault?.code == .unavailable)
        #expect(
            fault?.message.contains("sent no TLS handshake within 0.2 s") == true, "\(fault as Any)"
        )

        let directory = try TemporaryDirectory()
        let server = try TLSServer(
            directory: directory, chain: fleet.chain(), key: fleet.serverKey, coordinatorOptions)
        var connection = try TLSConnection.connect(
            host: "127.0.0.1", port: server.port, trust: trust, identity: nil, timeoutSeconds: 10)
        var byte: [UInt8] = [0]
        do throws(Fault) {
            _ = try connection.read(into: &byte, timeoutSeconds: 0.1)
            Issue.record("something came")
        } catch { #expect(error.code == .unavailable, "\(error)") }
        // A time-out is no end: the connection still works.
        try connection.write("on\n")
        #expect(try connection.read(count: 3) == Array("no\n".utf8))
    }

    @Test("a server that dies in mid-conversation is an error, not a signal")
    func serverDies() throws {
        let directory = try TemporaryDirectory()
        let fleet = try TestFleet()
        var server: TLSServer? = try TLSServer(
            directory: directory, chain: fleet.chain(), key: fleet.serverKey, coordinatorOptions)
        var connection = try TLSConnection.connect(
            host: "127.0.0.1", port: try #require(server?.port),
            trust: .authorities([fleet.authority.certificate]), identity: nil, timeoutSeconds: 10)
        server = nil
        do throws(Fault) {
            for _ in 0..<100 { try connection.write(String(repeating: "x\n", count: 8000)) }
            Issue.record("writing to nobody went well")
        } catch { #expect(error.code == .unavailable, "\(error)") }
    }
}
