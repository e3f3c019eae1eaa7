import Cryptography
import Federation
import TLSClient
import Testing

@Suite("The way to a server, step by step")
struct ConnectionExaminationTests {
    private func examine(
        _ host: String = "127.0.0.1", port: UInt16, _ fleet: TestFleet,
        ask: (consuming TLSConnection) throws(Fault) -> String = { _ in "it answers" }
    ) -> [ConnectionExamination.Finding] {
        ConnectionExamination(
            of: NetworkAddress(host: host, port: port),
            trust: .authorities([fleet.authority.certificate]), identity: nil, timeoutSeconds: 10,
            last: "coordinator", ask: ask
        ).findings
    }

    @Test("to a server as it should be has every step, and then its answer")
    func whole() throws {
        let fleet = try TestFleet()
        let server = try TLSServer(
            directory: TemporaryDirectory(), chain: try fleet.chain(), key: fleet.serverKey,
            coordinatorOptions)
        let found = examine(port: server.port, fleet)
        #expect(found.map(\.check) == ["name", "port", "TLS", "coordinator"])
        #expect(found.map(\.passed) == [true, true, true, true], "\(found)")
        #expect(found[0].detail == "127.0.0.1 is an address")
        #expect(found[2].detail.hasPrefix("TLSv1.3, "))
        #expect(found[3].detail == "it answers")
    }

    @Test("ends at the step that fails, with its fault")
    func failures() throws {
        let fleet = try TestFleet()
        let nowhere = examine("nowhere.invalid", port: 1, fleet)
        #expect(nowhere.map(\.check) == ["name"])
        #expect(nowhere[0].detail.contains("cannot find the address of 'nowhere.invalid'"))

        let closed = examine(port: 1, fleet)
        #expect(closed.map(\.check) == ["name", "port"])
        #expect(closed[1].detail.contains("nothing listens there"))

        let chain = try fleet.chain(hosts: ["other.example"])
        let misnamed = try TLSServer(
            directory: TemporaryDirectory(), chain: chain, key: fleet.serverKey, coordinatorOptions)
        let named = examine(port: misnamed.port, fleet)
        #expect(named.map(\.check) == ["name", "port", "TLS"])
        #expect(named.map(\.passed) == [true, true, false])
        #expect(named[2].detail.contains("only for other.example"))

        let server = try TLSServer(
            directory: TemporaryDirectory(), chain: try fleet.chain(), key: fleet.serverKey,
            coordinatorOptions)
        let refused = examine(port: server.port, fleet) { _ throws(Fault) in
            throw Fault(.forbidden, "it was revoked", remedy: "ask")
        }
        #expect(refused.map(\.passed) == [true, true, true, false])
        #expect(refused[3].detail.contains("it was revoked"))
    }

    @Test("a name is looked up, and a name that leads to several addresses has each once")
    func names() throws {
        let found = try HostName.addresses(of: "localhost")
        #expect(found.contains("127.0.0.1") || found.contains("::1"))
        #expect(Set(found).count == found.count)
    }

    @Test("over plain HTTP, what answers is told from what does not")
    func http() throws {
        func status(_ answer: String?) throws -> Int? {
            let server = try RawServer(sending: answer.map { Array($0.utf8) })
            return try? HTTPProbe.status(
                of: "/metrics", at: NetworkAddress(host: "127.0.0.1", port: server.port),
                timeoutSeconds: answer == nil ? 0.2 : 10)
        }
        #expect(try status("HTTP/1.1 200 OK\r\n\r\n") == 200)
        #expect(try status("HTTP/1.0 503 Busy\r\n\r\n") == 503)
        #expect(try status("220 mail.example ESMTP\r\n") == nil)
        #expect(try status("HTTP") == nil)
        #expect(try status(nil) == nil)
    }
}
