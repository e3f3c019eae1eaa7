import Cryptography
import Federation
import Foundation
import NIOSSL
import TLSClient
import Wire

/// A device's certificate and key, kept from one run to the next.
struct KeptIdentity: Codable, Sendable {
    let certificate: Data
    let key: String

    /// What a device that shows this identity connects with.
    func context(_ authorities: [NIOSSLCertificate]) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = [applicationProtocol]
        configuration.trustRoots = .certificates(authorities)
        configuration.certificateChain = [
            .certificate(try NIOSSLCertificate(bytes: Array(certificate), format: .der))
        ]
        configuration.privateKey = .privateKey(
            try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
        return try NIOSSLContext(configuration: configuration)
    }

    /// The identities in `file`; more are enrolled until there are `count`.
    static func kept(
        _ count: Int, in file: URL, token: (Int) throws -> EnrolmentToken
    ) async throws -> [KeptIdentity] {
        var identities: [KeptIdentity] = []
        if let data = try? Data(contentsOf: file) {
            identities = try PropertyListDecoder().decode([KeptIdentity].self, from: data)
        }
        let missing = count - identities.count
        guard missing > 0 else { return Array(identities.prefix(count)) }
        let token = try token(missing)
        identities += try await withThrowingTaskGroup { group in
            // Each blocks a thread; there are as many of those as cores, and the coordinator is the bottleneck.
            let lanes = 2
            for lane in 0..<lanes {
                let share = missing / lanes + (lane < missing % lanes ? 1 : 0)
                group.addTask { try (0..<share).map { _ in try enrol(token) } }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let encoder = PropertyListEncoder()
        encoder.outputFormat = .binary
        try encoder.encode(identities).write(to: file)
        return identities
    }

    private static func enrol(_ token: EnrolmentToken) throws -> KeptIdentity {
        let key = try PrivateKey.generate(.p256)
        var connection = FramedConnection(
            try TLSConnection.connect(
                host: token.address.host, port: token.address.port,
                trust: .pinnedAuthority(spkiDigest: token.authority), identity: nil,
                timeoutSeconds: 30))
        let request = EnrolRequest(
            secret: token.secret, certificateRequest: try CertificateRequest.make(key: key),
            agentVersion: "load", unixSeconds: UInt64(Date().timeIntervalSince1970))
        let answer = try connection.exchange(.enrolRequest(request), timeoutSeconds: 60)
        guard case .enrolResponse(let response) = answer else {
            throw Fault(.invalid, "the coordinator answered the enrolment with something else")
        }
        return KeptIdentity(certificate: Data(response.certificate), key: try key.pem())
    }
}
