import Cryptography
import Federation
import Foundation
import Testing

/// Keys on a software token. The engine and its module are one for a process, so the tests take turns and share a
/// token.
@Suite("Keys on a token", .serialized, .enabled(if: SoftToken.isInstalled))
struct TokenKeyTests {
    // First, while nobody is logged in: a token asks for the PIN once.
    @Test("that are not there, or stay locked, say what to do")
    func faults() throws {
        let token = try SoftToken.shared.get()
        let good = try token.uri("P-256")
        let noPIN = #expect(throws: Fault.self) { try PrivateKey(token: good, pin: nil) }
        #expect(noPIN?.remedy.contains("pin_file") == true)
        let wrong = try Passphrase(file: token.directory.write("wrong", "4321\n"))
        let refused = #expect(throws: Fault.self) { try PrivateKey(token: good, pin: wrong) }
        #expect(refused?.code == .forbidden)
        #expect(refused?.description.contains("4321") == false)
        let missing = try token.uri("nothing")
        let absent = #expect(throws: Fault.self) { try PrivateKey(token: missing, pin: token.pin) }
        #expect(absent?.code == .notFound)
        #expect(absent?.message.contains("object=nothing") == true)
        let module = try TokenURI("pkcs11:object=a?module-path=/no/module.so")
        let uninstalled = #expect(throws: Fault.self) {
            try PrivateKey(token: module, pin: token.pin)
        }
        #expect(uninstalled?.message.contains("/no/module.so") == true)
        // None of this keeps the right PIN from working.
        _ = try PrivateKey(token: good, pin: token.pin)
    }

    @Test("sign there, and anybody can verify", arguments: [KeyKind.p256, .p384])
    func signs(kind: KeyKind) throws {
        let token = try SoftToken.shared.get()
        let key = try PrivateKey(token: try token.uri(kind.rawValue), pin: token.pin)
        #expect(key.kind == kind)
        let message = Array("a model".utf8)
        let signature = try key.sign(message)
        #expect(try PublicKey(pem: key.publicKey.pem).verifies(signature, of: message))
        #expect(!key.publicKey.verifies(signature, of: message + [0]))
        #expect(throws: Fault.self) { try key.pem() }
    }

    @Test("take the PIN from the file that the URI names, too")
    func pinSource() throws {
        let token = try SoftToken.shared.get()
        let key = try PrivateKey(
            token: try token.uri("P-256", query: "&pin-source=file:" + token.pinFile), pin: nil)
        #expect(key.publicKey.verifies(try key.sign([1]), of: [1]))
    }
}

/// A softhsm2 token with one key of each curve that models are signed on, labelled with the curve's name.
final class SoftToken: Sendable {
    static let shared = Result { try SoftToken() }
    static let isInstalled = [module, "/usr/bin/softhsm2-util", "/usr/bin/pkcs11-tool"].allSatisfy {
        FileManager.default.fileExists(atPath: $0)
    }

    private static let module = "/usr/lib/softhsm/libsofthsm2.so"

    let directory: TemporaryDirectory
    let pinFile: String
    let pin: Passphrase

    private init() throws {
        directory = try TemporaryDirectory()
        pinFile = try directory.write("pin", "2468\n")
        pin = try Passphrase(file: pinFile)
        let tokens = directory.file("tokens")
        try FileManager.default.createDirectory(
            atPath: tokens, withIntermediateDirectories: false)
        let configuration = try directory.write(
            "softhsm2.conf", "directories.tokendir = \(tokens)\nlog.level = ERROR\n")
        // The module reads it when it is loaded into this process.
        setenv("SOFTHSM2_CONF", configuration, 1)
        try run(
            "/usr/bin/softhsm2-util",
            [
                "--init-token", "--free", "--label", "fleet", "--so-pin", "0000", "--pin", "2468",
            ])
        for (id, curve, name) in [("01", "prime256v1", "P-256"), ("02", "secp384r1", "P-384")] {
            try run(
                "/usr/bin/pkcs11-tool",
                [
                    "--module", SoftToken.module, "--token-label", "fleet", "--login", "--pin",
                    "2468", "--keypairgen", "--key-type", "EC:\(curve)", "--id", id, "--label",
                    name,
                ])
        }
    }

    func uri(_ object: String, query: String = "") throws -> TokenURI {
        try TokenURI(
            "pkcs11:token=fleet;object=\(object);type=private?module-path=\(SoftToken.module)"
                + query)
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Fault(.internal, "\(program) ended with \(process.terminationStatus)")
        }
    }
}
