import Cryptography
import Federation
import Testing

@Suite("PKCS#11 URIs")
struct TokenURITests {
    @Test("name a key, a module and the file with the PIN")
    func parts() throws {
        let uri = try TokenURI(
            "pkcs11:token=my%20fleet;object=models;type=private"
                + "?module-path=/usr/lib/x.so&pin-source=file:/etc/fleet%2fpin")
        #expect(uri.description == "pkcs11:token=my%20fleet;object=models;type=private")
        #expect(uri.modulePath == "/usr/lib/x.so")
        #expect(uri.pinFile == "/etc/fleet/pin")
        let short = try TokenURI("pkcs11:id=%01?pin-source=/etc/pin")
        #expect(short.pinFile == "/etc/pin" && short.modulePath == nil)
    }

    @Test(
        "that cannot work are refused",
        arguments: [
            "", "pkcs11:", "pkcs11:token=a", "pkcs11:object=", "pkcs11:object", "pkcs12:object=a",
            "pkcs11:object=a;object=b", "pkcs11:object=a b", "pkcs11:object=%zz",
            "pkcs11:object=a%0", "pkcs11:object=%00", "pkcs11:object=a;type=public",
            "pkcs11:object=a?pin-source=pin", "pkcs11:object=a?pin-source=https://pin",
            "pkcs11:object=a?colour=red", "pkcs11:object=a\n",
            "pkcs11:object=" + String(repeating: "a", count: 1024),
        ])
    func refused(text: String) {
        let fault = #expect(throws: Fault.self) { try TokenURI(text) }
        #expect(fault?.code == .invalid)
        #expect(fault?.remedy.contains("pkcs11:token=NAME") == true)
    }

    @Test("with a PIN in them are refused, and the fault does not repeat it")
    func pinValue() {
        let fault = #expect(throws: Fault.self) {
            try TokenURI("pkcs11:object=a?pin-value=8471")
        }
        #expect(fault?.message.contains("pin-value") == true)
        #expect(fault?.description.contains("8471") == false)
    }

    @Test("are told from paths by their beginning")
    func locations() throws {
        #expect(try KeyLocation("/etc/pkcs11:object=a") == .file("/etc/pkcs11:object=a"))
        #expect(try KeyLocation("pkcs11:object=a") == .token(try TokenURI("pkcs11:object=a")))
        #expect(throws: Fault.self) { try KeyLocation("pkcs11:nothing") }
    }
}
