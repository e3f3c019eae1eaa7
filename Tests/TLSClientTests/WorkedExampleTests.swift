import Cryptography
import Federation
import TLSClient
import Testing

@Suite("The worked example of TLSClient")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let directory = try TemporaryDirectory()
        let (other, expected) = (try TestFleet("south"), try TestFleet("north"))
        let server = try TLSServer(
            directory: directory, chain: other.chain(), key: other.serverKey, coordinatorOptions)

        var refusal: Fault?
        do throws(Fault) {
            _ = try TLSConnection.connect(
                host: "127.0.0.1", port: server.port,
                trust: .authorities([expected.authority.certificate]), identity: nil,
                timeoutSeconds: 10)
        } catch {
            refusal = error
        }

        #expect(refusal?.code == .untrusted)
        #expect(refusal?.message.isEmpty == false)
    }
}
