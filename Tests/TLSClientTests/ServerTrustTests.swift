import Cryptography
import Federation
import Foundation
import TLSClient
import Testing

@Suite("A pinned authority, as enrolment uses it")
struct ServerTrustTests {
    private func connect(
        to chain: [Certificate], key: PrivateKey, pin: Digest
    ) throws -> (fault: Fault?, authority: Certificate?) {
        let directory = try TemporaryDirectory()
        let server = try TLSServer(
            directory: directory, chain: chain, key: key, coordinatorOptions)
        do throws(Fault) {
            let connection = try TLSConnection.connect(
                host: "127.0.0.1", port: server.port, trust: .pinnedAuthority(spkiDigest: pin),
                identity: nil, timeoutSeconds: 10)
            return (nil, connection.peerAuthority)
        } catch { return (error, nil) }
    }

    @Test("is found in what the server sends, and handed over")
    func found() throws {
        let fleet = try TestFleet()
        let result = try connect(
            to: fleet.chain(), key: fleet.serverKey,
            pin: fleet.authority.certificate.publicKey.spkiDigest)
        #expect(result.fault == nil)
        #expect(result.authority == fleet.authority.certificate)
    }

    @Test("of another fleet is not")
    func otherFleet() throws {
        let fleet = try TestFleet()
        let result = try connect(
            to: fleet.chain(), key: fleet.serverKey,
            pin: try TestFleet().authority.certificate.publicKey.spkiDigest)
        #expect(result.fault?.code == .untrusted)
        #expect(result.fault?.message.contains("belongs to another fleet") == true)
    }

    @Test("does not vouch for a server's certificate that it did not sign, though it is sent along")
    func attached() throws {
        let ours = try TestFleet()
        let theirs = try TestFleet()
        let result = try connect(
            to: [try theirs.chain()[0], ours.authority.certificate], key: theirs.serverKey,
            pin: ours.authority.certificate.publicKey.spkiDigest)
        #expect(result.fault?.code == .untrusted)
        #expect(result.fault?.message.contains("belongs to another fleet") == true)
    }

    @Test("does not make the server's own key an authority")
    func leafPinned() throws {
        let fleet = try TestFleet()
        let result = try connect(
            to: fleet.chain(), key: fleet.serverKey, pin: fleet.serverKey.publicKey.spkiDigest)
        #expect(result.fault?.code == .untrusted)
    }

    @Test("still demands the right host, time and usage")
    func otherChecks() throws {
        let now = TestFleet.now
        let fleet = try TestFleet(nowUnix: now - 100 * 86_400)
        let pin = fleet.authority.certificate.publicKey.spkiDigest
        let elsewhere = try connect(
            to: fleet.chain(hosts: ["localhost"]), key: fleet.serverKey, pin: pin)
        #expect(elsewhere.fault?.message.contains("only for localhost") == true)
        let expired = try connect(
            to: fleet.chain(days: 1, nowUnix: now - 50 * 86_400), key: fleet.serverKey, pin: pin)
        #expect(expired.fault?.message.contains("expired on") == true)
        let (device, key) = try fleet.agent()
        let usage = try connect(
            to: [device, fleet.authority.certificate], key: key, pin: pin)
        #expect(usage.fault?.code == .untrusted)
    }
}
