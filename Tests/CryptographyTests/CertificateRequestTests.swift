import Cryptography
import Federation
import Testing

@Suite("Certificate requests")
struct CertificateRequestTests {
    @Test("carry the key they were made for")
    func roundTrip() throws {
        let key = try PrivateKey.generate(.p256)
        let der = try CertificateRequest.make(key: key)
        #expect(try CertificateRequest(der: der).publicKey == key.publicKey)
    }

    @Test("with a signature that is not the key's are refused as untrusted")
    func badSignature() throws {
        var der = try CertificateRequest.make(key: PrivateKey.generate(.p256))
        der[der.count - 1] ^= 1
        let fault = #expect(throws: Fault.self) { try CertificateRequest(der: der) }
        #expect(fault?.code == .untrusted)
    }

    @Test("for an Ed25519 key are refused, since TLS servers may not take it")
    func wrongKind() throws {
        let der = try CertificateRequest.make(key: PrivateKey.generate(.ed25519))
        let fault = #expect(throws: Fault.self) { try CertificateRequest(der: der) }
        #expect(fault?.code == .invalid)
    }

    @Test("for an RSA key are refused")
    func rsa() throws {
        let directory = try TemporaryDirectory()
        try runOpenSSL([
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", directory.file("k"),
            "-outform", "DER", "-out", directory.file("r"), "-subj", "/CN=x",
        ])
        let der = try CredentialFile.read(directory.file("r"))
        let fault = #expect(throws: Fault.self) { try CertificateRequest(der: der) }
        #expect(fault?.code == .invalid)
    }

    @Test("that are damaged anywhere are refused")
    func garbage() throws {
        let der = try CertificateRequest.make(key: PrivateKey.generate(.p256))
        for index in der.indices {
            #expect(throws: Fault.self) { try CertificateRequest(der: Array(der[..<index])) }
            var damaged = der
            damaged[index] ^= 0x24
            #expect(throws: Fault.self, "byte \(index)") { try CertificateRequest(der: damaged) }
        }
        #expect(throws: Fault.self) { try CertificateRequest(der: der + [0]) }
    }
}
