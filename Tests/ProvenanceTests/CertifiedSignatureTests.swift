import Cryptography
import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing

@Suite("A model signature with certificates")
struct CertifiedSignatureTests {
    private static let now: Int64 = 1_800_000_000
    private let files = [ModelFile(name: "model.onnx", digest: SHA256.digest(of: "abc".utf8))]
    private let authority: CertificateAuthority
    private let key: PrivateKey
    private let leaf: Certificate

    init() throws {
        authority = try CertificateAuthority.create(fleet: "lab", nowUnix: Self.now)
        key = try PrivateKey.generate(.p256)
        leaf = try authority.issueSigning(
            fleet: "lab", key: key.publicKey, days: 1, nowUnix: Self.now)
    }

    private func bundle(_ certificates: [Certificate]) throws -> [UInt8] {
        try ModelSignature.sign(name: "m", files: files, key: key, certificates: certificates)
    }

    private func problem(
        _ bundle: [UInt8], trusted: [PublicKey], authorities: [Certificate]?
    ) -> String? {
        do {
            _ = try ModelSignature.verify(
                bundle: bundle, trusted: trusted, authorities: authorities)
            return nil
        } catch {
            #expect(error.code == .untrusted)
            return error.message
        }
    }

    @Test("has the leaf first, and in place of the key's name")
    func shape() throws {
        let json = try members(bundle([leaf, authority.certificate]))
        let material = try #require(json["verificationMaterial"] as? [String: Any])
        #expect(material["publicKey"] == nil)
        let chain = try #require(material["x509CertificateChain"] as? [String: Any])
        let certificates = try #require(chain["certificates"] as? [[String: String]])
        #expect(
            certificates.map { $0["rawBytes"] } == [
                Data(leaf.der).base64EncodedString(),
                Data(authority.certificate.der).base64EncodedString(),
            ])
    }

    @Test("verifies to a pinned authority, long after the certificate expired, or by the key alone")
    func verifies() throws {
        for chain in [[leaf], [leaf, authority.certificate]] {
            let bundle = try bundle(chain)
            for authorities in [nil, [authority.certificate]] {
                let model = try ModelSignature.verify(
                    bundle: bundle, trusted: [key.publicKey], authorities: authorities)
                #expect(model.signer == key.publicKey && model.files == files)
            }
        }
    }

    @Test("of another fleet's authority, or by a key that is not pinned, is refused")
    func refused() throws {
        let bundle = try bundle([leaf, authority.certificate])
        let other = try CertificateAuthority.create(fleet: "other", nowUnix: Self.now)
        let strange = problem(
            bundle, trusted: [key.publicKey], authorities: [other.certificate])
        #expect(strange?.contains("'certificates'") == true)
        #expect(problem(bundle, trusted: [key.publicKey], authorities: []) != nil)
        let unpinned = problem(
            bundle, trusted: [try PrivateKey.generate(.p256).publicKey],
            authorities: [authority.certificate])
        #expect(unpinned?.contains("'key'") == true)
    }

    @Test("with a device's certificate is neither made nor believed, whoever issued it")
    func device() throws {
        let device = try authority.issue(
            identity: Identity(fleet: "lab", role: .agent, id: "one"), publicKey: key.publicKey,
            days: 1, nowUnix: Self.now)
        #expect(throws: Fault.self) { try bundle([device]) }
        #expect(throws: Fault.self) { try bundle([authority.certificate]) }
        var json = try members(bundle([leaf]))
        json["verificationMaterial"] =
            [
                "tlogEntries": [],
                "x509CertificateChain": [
                    "certificates": [["rawBytes": Data(device.der).base64EncodedString()]]
                ],
            ] as [String: Any]
        let forged = Array(try JSONSerialization.data(withJSONObject: json))
        let found = problem(
            forged, trusted: [key.publicKey], authorities: [authority.certificate])
        #expect(found?.contains("not for signing") == true)
    }

    @Test("whose certificates are garbage, or too many, is refused")
    func garbage() throws {
        for raw in [
            ["AAAA"], ["!"], [],
            Array(repeating: Data(leaf.der).base64EncodedString(), count: 9),
        ] {
            var json = try members(bundle([leaf]))
            json["verificationMaterial"] =
                [
                    "x509CertificateChain": ["certificates": raw.map { ["rawBytes": $0] }]
                ] as [String: Any]
            let forged = Array(try JSONSerialization.data(withJSONObject: json))
            #expect(problem(forged, trusted: [key.publicKey], authorities: nil) != nil)
        }
    }
}
