import CoordinatorService
import Cryptography
import Federation
import Foundation
import Provenance
import Registry
import Testing
import Wire

@Suite("Model-signing keys", .timeLimit(.minutes(10)))
struct KeyRotationTests {
    private let directory: TemporaryDirectory
    private let state: StateDirectory

    init() async throws {
        directory = try TemporaryDirectory()
        state = try await StateDirectory.initialise(
            path: directory.file("state"), fleet: "lab", addresses: ["127.0.0.1"], port: 7443)
    }

    @Test("are replaced by one that the old one signs in, for the part of the log that follows")
    func rotate() async throws {
        let first = try trustSet()
        _ = try await state.rotateModelKey(.p384, passphraseFile: nil, destroysOld: false)
        let second = try first.replaced(by: document())
        #expect(second.version == 2)
        let events = try await leaves()
        let added = try #require(events.lastIndex { $0.event == "keyAdded" })
        let retired = try #require(events.lastIndex { $0.event == "keyRetired" })
        #expect(events[added].text("curve") == "P-384")
        let (old, new) = (second.modelKeys[0], second.modelKeys[1])
        #expect(old.key == first.modelKeys[0].key && old.from == 1)
        #expect(old.until == UInt64(retired) && new.from == UInt64(added))
        #expect(new.key.kind == .p384 && new.until == nil)
        #expect(events.last?.event == "trustSetSigned")
        #expect(events.last?.text("digest") == SHA256.digest(of: second.document).hex)

        let key = try PrivateKey(pemFile: keyFile)
        #expect(key.publicKey == new.key)
        let kept = try #require(try retiredFiles().first)
        #expect(try PrivateKey(pemFile: kept).publicKey == old.key)
        #expect(try state.keys().map(\.state) == ["retired", "active", "active", "active"])
    }

    @Test("are deleted when that is asked for")
    func destroyed() async throws {
        _ = try await state.rotateModelKey(.p256, passphraseFile: nil, destroysOld: true)
        #expect(try retiredFiles().isEmpty)
        #expect(try trustSet().activeModelKeys == [PrivateKey(pemFile: keyFile).publicKey])
    }

    @Test("a device that is several versions behind gets every set in between")
    func chain() async throws {
        var device = try trustSet()
        for _ in 0..<3 {
            _ = try await state.rotateModelKey(.p256, passphraseFile: nil, destroysOld: true)
        }
        let current = try document()
        #expect(throws: Fault.self) { try device.replaced(by: current) }
        for version in 2...3 {
            device = try device.replaced(
                by: CredentialFile.read(state.path + "/trust/\(version).json"))
        }
        #expect(try device.replaced(by: current).version == 4)
    }

    @Test("a device asks for the sets after its own, and gets them oldest first")
    func chainOnTheWire() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let state = try StateDirectory(path: directory.file("state"))
            var documents = [try CredentialFile.read(state.trustSetFile)]
            for _ in 0..<2 {
                _ = try await state.rotateModelKey(.p256, passphraseFile: nil, destroysOld: true)
                documents.append(try CredentialFile.read(state.trustSetFile))
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let token = try await fleet.admin().token()
                let agent = try await ScriptedAgent.enrol(in: fleet, token: token)
                for version in 0...4 {
                    let answer = try await agent.line.ask(
                        .trustSetRequest(TrustSetRequest(afterVersion: UInt64(version))))
                    let expected = TrustSetUpdate(sets: Array(documents.dropFirst(version)))
                    #expect(answer == .trustSetUpdate(expected))
                }
            }
        }
    }

    @Test("may be encrypted, and the fault says what to do without the passphrase")
    func encrypted() async throws {
        try directory.write("passphrase", "open sesame\n")
        let report = try await state.rotateModelKey(
            .p256, passphraseFile: directory.file("passphrase"), destroysOld: false)
        #expect(report.last?.contains("passphrase_file = ") == true)
        #expect(try String(contentsOfFile: keyFile, encoding: .utf8).contains("ENCRYPTED"))
        let fault = await refusal {
            _ = try await state.rotateModelKey(.p256, passphraseFile: nil, destroysOld: false)
        }
        #expect(fault?.message.contains(keyFile) == true)
        #expect(fault?.message.contains("there is no passphrase") == true)
        try configure("passphrase_file = \"\(directory.file("passphrase"))\"")
        _ = try await state.rotateModelKey(.p256, passphraseFile: nil, destroysOld: false)
        #expect(try trustSet().version == 3)
        #expect(try String(contentsOfFile: keyFile, encoding: .utf8).contains("ENCRYPTED"))
    }

    @Test("stay on their curve unless another is asked for")
    func curve() async throws {
        for (asked, expected) in [(KeyKind.p384, KeyKind.p384), (nil, .p384), (.p256, .p256)] {
            _ = try await state.rotateModelKey(asked, passphraseFile: nil, destroysOld: true)
            #expect(try PrivateKey(pemFile: keyFile).kind == expected)
        }
    }

    @Test("on P-384, encrypted, in the certificate form, sign what a fleet serves")
    func served384() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let state = try StateDirectory(path: directory.file("state"))
            try directory.write("passphrase", "open sesame\n")
            let secret = directory.file("passphrase")
            _ = try await state.rotateModelKey(.p384, passphraseFile: secret, destroysOld: true)
            let text = try String(contentsOfFile: state.configurationFile, encoding: .utf8)
            let keys = "[keys]\npassphrase_file = \"\(secret)\"\nsignature = \"certificate\"\n"
            try (text + keys).write(
                toFile: state.configurationFile, atomically: false, encoding: .utf8)
            try await FleetUnderTest.serve(directory) { fleet in
                let (admin, _) = try await fleet.prepare(TinyPlan(), agents: 0)
                let model = try #require(try await admin.latestModel(of: "tiny").model)
                let chunk = try await admin.line.ask(
                    .blobRequest(BlobRequest(digest: model.signatureDigest, offset: 0)))
                guard case .blobChunk(let bundle) = chunk else {
                    throw Fault(.internal, "no bundle came")
                }
                let set = try TrustSet(document: CredentialFile.read(state.trustSetFile))
                let signed = try ModelSignature.verify(
                    bundle: bundle.data, trusted: set.activeModelKeys,
                    authorities: set.authorities)
                #expect(signed.signer.kind == .p384)
                #expect(String(decoding: bundle.data, as: UTF8.self).contains("rawBytes"))
            }
        }
    }

    @Test("a rotation that a crash interrupted is finished, wherever that was", arguments: 0..<4)
    func interrupted(at step: Int) async throws {
        let old = try PrivateKey(pemFile: keyFile)
        let new = try PrivateKey.generate(.p256)
        let next = keyFile + ".next"
        try new.write(pemFile: next)
        if step >= 1 { try await log(.keyAdded, new.publicKey) }
        if step >= 2 {
            // As if the process ended right after the trust set was in place.
            try await settle()
            try FileManager.default.moveItem(atPath: keyFile, toPath: next)
            let retired = try #require(try retiredFiles().first)
            if step == 2 {
                try FileManager.default.moveItem(atPath: retired, toPath: keyFile)
            }
        }
        try await settle()
        #expect(try PrivateKey(pemFile: keyFile).publicKey == new.publicKey)
        #expect(!FileManager.default.fileExists(atPath: next))
        let kept = try #require(try retiredFiles().first)
        #expect(try PrivateKey(pemFile: kept).publicKey == old.publicKey)
        let set = try trustSet()
        #expect(set.version == 2 && set.activeModelKeys == [new.publicKey])
        #expect(set.publicModelKeys == [old.publicKey, new.publicKey])
        let added = try await leaves().filter { $0.event == "keyAdded" }
        #expect(added.count == 2)
    }

    @Test("a rotation whose new key was lost before it signed did not happen, and can be repeated")
    func lost() async throws {
        let old = try PrivateKey(pemFile: keyFile).publicKey
        try await log(.keyAdded, PrivateKey.generate(.p256).publicKey)
        try await log(.keyRetired, old)
        try await settle()
        #expect(try trustSet().activeModelKeys == [old])
        let signed = try await log(.modelSigned, old)
        _ = try await state.rotateModelKey(.p256, passphraseFile: nil, destroysOld: false)
        let key = try #require(try trustSet().modelKeys.first { $0.key == old })
        #expect(key.isValid(at: signed))
    }

    @Test("named in the configuration are signed in by the one before, once")
    func configured() async throws {
        let old = try PrivateKey(pemFile: keyFile).publicKey
        let new = try PrivateKey.generate(.p384)
        try new.write(pemFile: directory.file("other.key"))
        try configure("model_signing = \"\(directory.file("other.key"))\"")
        for _ in 0..<2 {
            try await settle()
            let set = try trustSet()
            #expect(set.version == 2 && set.activeModelKeys == [new.publicKey])
        }
        #expect(!FileManager.default.fileExists(atPath: keyFile))
        #expect(try retiredFiles().count == 1)

        // The old one is no way back.
        let retired = try #require(try retiredFiles().first)
        try configure("model_signing = \"\(retired)\"")
        let fault = await refusal { try await settle() }
        #expect(fault?.code == .conflict)
        #expect(fault?.message.contains("\(old.spkiDigest.hex.prefix(8)) is retired") == true)
    }

    @Test("named in the configuration change nothing when the one before is gone, or cannot sign")
    func noPredecessor() async throws {
        try PrivateKey.generate(.p256).write(pemFile: directory.file("other.key"))
        try configure("model_signing = \"\(directory.file("other.key"))\"")
        try FileManager.default.removeItem(atPath: keyFile)
        let before = try await leaves().count
        let fault = await refusal { try await settle() }
        #expect(fault?.message.contains("cannot sign its successor in") == true)
        #expect(fault?.message.contains(keyFile) == true)
        try PrivateKey.generate(.ed25519).write(pemFile: directory.file("ed25519.key"))
        try configure("model_signing = \"\(directory.file("ed25519.key"))\"")
        let wrong = await refusal { try await settle() }
        #expect(wrong?.remedy.contains("P-256 or P-384") == true)
        #expect(try await leaves().count == before)
        #expect(try trustSet().version == 1)
    }

    @Test("on a token are not replaced by a file")
    func onToken() async throws {
        try configure("model_signing = \"pkcs11:object=models\"")
        let fault = await refusal {
            _ = try await state.rotateModelKey(.p256, passphraseFile: nil, destroysOld: false)
        }
        #expect(fault?.code == .conflict && fault?.remedy.contains("[keys]") == true)
        let unlocked = await refusal { try await settle() }
        #expect(unlocked?.message.contains("there is no PIN") == true)
        #expect(try trustSet().version == 1)
    }

    @Test("are revoked from the first leaf at a date, and the versions that lose trust are named")
    func revoke() async throws {
        let old = try PrivateKey(pemFile: keyFile).publicKey
        let good = try await log(.modelSigned, old, version: 1, unix: 2_000_000_000)
        let bad = try await log(.modelSigned, old, version: 2, unix: 2_000_000_100)
        let prefix = String(old.spkiDigest.hex.prefix(10))
        let tooEarly = await refusal { try await revoke(prefix, since: 2_000_000_050) }
        #expect(tooEarly?.code == .conflict)
        #expect(tooEarly?.remedy.contains("key rotate") == true)
        _ = try await state.rotateModelKey(.p256, passphraseFile: nil, destroysOld: false)
        let untrusted = try await revoke(prefix, since: 2_000_000_050)
        #expect(untrusted.map(\.version) == [2] && untrusted.map(\.position) == [bad])
        let key = try #require(try trustSet().modelKeys.first { $0.key == old })
        #expect(key.isValid(at: good) && !key.isValid(at: bad))
        #expect(key.until == bad && key.revokedUnix == 2_000_000_050)

        // An earlier date takes more, a later one gives nothing back.
        #expect(try await revoke(prefix, since: 1).map(\.version) == [1, 2])
        _ = try await revoke(prefix, since: 2_000_000_050)
        let again = try #require(try trustSet().modelKeys.first { $0.key == old })
        #expect(again.until == again.from && again.revokedUnix == 1)
        _ = try await revoke(prefix, since: 0)
        #expect(try trustSet().modelKeys.first { $0.key == old }?.revokedUnix == 0)
        for unknown in ["zz", ""] {
            let fault = await refusal { try await revoke(unknown, since: 1) }
            #expect(fault?.code == .notFound && fault?.remedy.contains("key list") == true)
        }
    }

    @Test("a revocation that a crash kept from the trust set gets there at the next start")
    func revocationRepaired() async throws {
        let old = try PrivateKey(pemFile: keyFile).publicKey
        _ = try await state.rotateModelKey(.p256, passphraseFile: nil, destroysOld: false)
        let before = try document()
        _ = try await revoke(String(old.spkiDigest.hex.prefix(8)), since: 1)
        let after = try trustSet()
        try Data(before).write(to: URL(fileURLWithPath: state.trustSetFile))
        try await settle()
        let repaired = try trustSet()
        #expect(repaired.modelKeys == after.modelKeys && repaired.version == after.version)
        let logged = try await leaves().last
        #expect(logged?.text("digest") == SHA256.digest(of: repaired.document).hex)
    }

    @Test("are not touched while the coordinator serves")
    func served() async throws {
        try await FleetUnderTest.run { fleet in
            let before = try CredentialFile.read(fleet.state.trustSetFile)
            let fault = await refusal {
                _ = try await fleet.state.rotateModelKey(
                    .p256, passphraseFile: nil, destroysOld: false)
            }
            #expect(fault?.code == .conflict)
            #expect(fault?.remedy.contains("stop that one first") == true)
            #expect(try CredentialFile.read(fleet.state.trustSetFile) == before)
        }
    }

    @Test("dates are read in UTC, and impossible ones are not")
    func dates() {
        #expect(unixSeconds(iso8601: "2026-11-22") == 1_795_305_600)
        #expect(unixSeconds(iso8601: "2026-11-22T07:30Z") == 1_795_332_600)
        #expect(unixSeconds(iso8601: "2026-11-22T07:30:05Z") == 1_795_332_605)
        #expect(unixSeconds(iso8601: "1970-01-01") == 0)
        for text in [
            "", "yesterday", "2026-02-30", "2026-13-01", "2026-11-22T24:00Z", "1969-12-31",
            "2026-11-22T07:30", "2026-11-22 07:30Z", "2026-11-22T07:60Z", "2026-11-22Z",
        ] {
            #expect(unixSeconds(iso8601: text) == nil, "\(text)")
        }
    }
}

// What the tests do to the fleet, and see of it.
extension KeyRotationTests {
    private var keyFile: String { state.path + "/keys/model-signing.key" }

    private func document() throws -> [UInt8] { try CredentialFile.read(state.trustSetFile) }
    private func trustSet() throws -> TrustSet { try TrustSet(document: document()) }

    private func retiredFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: state.path + "/keys")
            .filter { $0.hasSuffix(".retired") }.map { state.path + "/keys/" + $0 }
    }

    /// What a start of the daemon does with the keys, by a command that does it too and then refuses.
    private func settle() async throws {
        let fault = await refusal {
            _ = try await state.revokeModelKey("none", sinceUnix: 1, reason: "")
        }
        guard let fault else { throw Fault(.internal, "a key was revoked") }
        guard fault.code == .notFound, fault.message.contains("'none'") else { throw fault }
    }

    @discardableResult
    private func revoke(_ prefix: String, since: UInt64) async throws -> [UntrustedModel] {
        try await state.revokeModelKey(prefix, sinceUnix: since, reason: "stolen").untrusted
    }

    private func configure(_ line: String) throws {
        let text = try String(contentsOfFile: state.configurationFile, encoding: .utf8)
        let base = text.components(separatedBy: "\n[keys]\n")[0]
        try (base + "\n[keys]\n" + line + "\n").write(
            toFile: state.configurationFile, atomically: false, encoding: .utf8)
    }

    private func registry() throws -> Registry {
        try Registry.open(
            directory: state.path,
            log: LogSigner(
                name: "tributary/lab", key: PrivateKey(pemFile: state.path + "/keys/log.key")),
            nowUnix: 2_000_000_000)
    }

    private func leaves() async throws -> [LeafFields] {
        try await registry().events(from: 0, limit: 1000).compactMap { LeafFields($0.leaf) }
    }

    /// Appends a leaf about `key` and returns its position.
    @discardableResult
    private func log(
        _ kind: FleetEvent.Kind, _ key: PublicKey, version: UInt64 = 1,
        unix: UInt64 = 2_000_000_000
    ) async throws -> UInt64 {
        let fields: [(name: String, value: FleetEvent.Value)] =
            kind == .modelSigned
            ? [
                ("plan", .text("tiny")), ("version", .number(version)),
                ("key", .text(key.spkiDigest.hex)),
            ]
            : [
                ("use", .text("model-signing")), ("key", .text(key.spkiDigest.hex)),
                ("curve", .text("P-256")),
            ]
        return try await registry().record(FleetEvent(kind, fields), nowUnix: unix)
    }
}
